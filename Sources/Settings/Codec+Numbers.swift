// SPDX-License-Identifier: Apache-2.0
import Core

extension Codec where Value == Bool {
  static let bool = Codec(
    type: "true or false",
    decode: { tree throws(Mismatch) in
      if let bool = tree.bool { return bool }
      switch tree.text?.lowercased() {
      case "yes", "on", "1": throw Mismatch(hint: "write true")
      case "no", "off", "0": throw Mismatch(hint: "write false")
      default: throw Mismatch()
      }
    },
    encode: { $0 ? "true" : "false" })
}

extension Codec where Value == Int {
  static func integer(_ range: ClosedRange<Int>) -> Codec {
    Codec(
      type: "a whole number " + bounds(range, whole: Int.max),
      decode: { tree throws(Mismatch) in
        guard let integer = tree.integer, range.contains(integer) else { throw Mismatch() }
        return integer
      },
      encode: { "\($0)" })
  }

  /// A count in which 0 stands for no limit.
  static let count = integer(0...Int.max)

  /// A number of bytes, `range` too.
  static func size(_ range: ClosedRange<Int>) -> Codec {
    let most = range.upperBound == .max ? "" : " to \(Quantity.text(bytes: range.upperBound))"
    return Codec(
      type: "a size such as 10MB, from \(Quantity.text(bytes: range.lowerBound))\(most)",
      decode: { tree throws(Mismatch) in
        guard let bytes = tree.byteCount, range.contains(bytes) else { throw Mismatch() }
        return bytes
      },
      encode: { Quantity.text(bytes: $0) })
  }

  private static func bounds(_ range: ClosedRange<Int>, whole: Int) -> String {
    range.upperBound == whole
      ? "from \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
  }
}

extension Codec where Value == Double {
  static func number(_ range: ClosedRange<Double>) -> Codec {
    let most = range.upperBound == .infinity ? "" : " to \(Quantity.text(range.upperBound))"
    return Codec(
      type: "a number from \(Quantity.text(range.lowerBound))\(most)",
      decode: { tree throws(Mismatch) in
        guard let number = tree.number, range.contains(number) else { throw Mismatch() }
        return number
      },
      encode: { Quantity.text($0) })
  }
}

extension Codec where Value == Duration {
  /// A count of seconds, or a text with its unit, within `range` seconds.
  static func seconds(_ range: ClosedRange<Double>) -> Codec {
    Codec(
      type: "seconds (or text such as 500ms or 5m) from \(Quantity.text(range.lowerBound))"
        + " to \(Quantity.text(range.upperBound))",
      decode: { tree throws(Mismatch) in
        guard let duration = tree.duration, range.contains(duration.inSeconds) else { throw Mismatch() }
        return duration
      },
      encode: { Quantity.text($0.inSeconds) })
  }

  /// A whole count of milliseconds within `range`.
  static func milliseconds(_ range: ClosedRange<Int>) -> Codec {
    Codec(
      type: "milliseconds from \(range.lowerBound) to \(range.upperBound)",
      decode: { tree throws(Mismatch) in
        guard let count = tree.integer, range.contains(count) else { throw Mismatch() }
        return .milliseconds(count)
      },
      encode: { Quantity.text(($0.inSeconds * 1000).rounded()) })
  }
}

extension Codec where Value: CaseIterable & RawRepresentable<String> {
  /// One of the words that an enumeration has.
  static var choice: Codec {
    let words = Value.allCases.map(\.rawValue)
    return Codec(
      type: words.joined(separator: ", ").replacingLast(", ", with: " or "), shape: .text(optional: false),
      decode: { tree throws(Mismatch) in
        guard let text = tree.string ?? tree.text else { throw Mismatch() }
        guard let value = Value(rawValue: text) else {
          throw Mismatch(hint: Suggestion.hint(for: text, in: words))
        }
        return value
      },
      encode: { $0.rawValue })
  }
}

extension Codec where Value == ConnectionURL {
  static func connection(_ schemes: [String]) -> Codec {
    let text = Codec<String>.url(schemes)
    return Codec(
      type: text.type, shape: text.shape, secrecy: .guarded,
      decode: { tree throws(Mismatch) in ConnectionURL(rawValue: try text.decode(tree)) },
      encode: { $0.description })
  }
}

extension Codec where Value == Tree {
  /// A map whose keys belong to somebody else.
  static let map = Codec(
    type: "a map", shape: .yaml,
    decode: { tree throws(Mismatch) in
      switch tree.value {
      case .map: return tree
      case .null: return Tree(.map([]), source: tree.source)
      default: throw Mismatch()
      }
    },
    encode: {
      $0.entries.isEmpty ? "{}" : "{ " + $0.entries.map { $0.key + ": …" }.joined(separator: ", ") + " }"
    })
}

extension String {
  fileprivate func replacingLast(_ separator: String, with other: String) -> String {
    guard let range = ranges(of: separator).last else { return self }
    return replacingCharacters(range, other)
  }

  private func replacingCharacters(_ range: Range<Index>, _ other: String) -> String {
    self[..<range.lowerBound] + other + self[range.upperBound...]
  }
}
