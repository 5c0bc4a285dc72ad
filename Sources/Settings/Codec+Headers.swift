// SPDX-License-Identifier: Apache-2.0

extension Codec where Value == [String: String] {
  /// Headers by name. Source of what a name may be: RFC 9110, 5.6.2.
  static func headers(_ codec: Codec<String>) -> Codec {
    Codec(
      type: "a map of headers, each \(codec.type)", shape: .yaml, secrecy: .guarded,
      decode: { tree throws(Mismatch) in
        if tree.value == .null { return [:] }
        guard case .map(let entries) = tree.value else { throw Mismatch() }
        var values: [String: String] = [:]
        for entry in entries {
          guard isToken(entry.key) else {
            throw Mismatch(message: "has a header '\(entry.key)', which is no name", source: entry.source)
          }
          guard values[entry.key] == nil else {
            throw Mismatch(message: "has the header \(entry.key) more than once", source: entry.source)
          }
          do throws(Mismatch) {
            values[entry.key] = try codec.decode(entry.value)
          } catch {
            throw Mismatch(
              message: error.message ?? "must have \(codec.type) for \(entry.key)", hint: error.hint,
              source: error.source ?? entry.value.source)
          }
        }
        return values
      },
      encode: { headers in
        let pairs = headers.sorted { $0.key < $1.key }.map { "\($0.key): \(codec.encode($0.value))" }
        return pairs.isEmpty ? "{}" : "{ \(pairs.joined(separator: ", ")) }"
      })
  }

  private static func isToken(_ name: String) -> Bool {
    let marks = "!#$%&'*+-.^_`|~"
    return !name.isEmpty
      && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || marks.contains($0)) }
  }
}
