// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// One place in which a value is not what was named.
///
/// An object may have more members than were named, at every depth; a list is compared item by item. Lua does not
/// tell an empty list from an empty table: `{}` stands for both.
struct DataDifference: Sendable, Hashable, CustomStringConvertible {
  /// `price`, `items[2].title`; empty for the value itself.
  let path: String
  let expected: JSON
  /// `nil` = there is nothing.
  let got: JSON?

  static func between(_ expected: JSON, _ got: JSON?, at path: String = "") -> [DataDifference] {
    switch (expected, got) {
    case (.object(let members), .object(let found)):
      return members.members.sorted { $0.key < $1.key }.flatMap { member in
        between(member.value, found[member.key], at: path.isEmpty ? member.key : "\(path).\(member.key)")
      }
    case (.array(let items), .array(let found)) where items.count == found.count:
      return zip(items, found).enumerated().flatMap { index, pair in
        between(pair.0, pair.1, at: "\(path)[\(index + 1)]")
      }
    case (.object(let members), .array(let found)) where members.isEmpty && found.isEmpty: return []
    case (.array(let items), .object(let found)) where items.isEmpty && found.isEmpty: return []
    case (.integer, .number), (.number, .integer):
      if expected.double == got?.double { return [] }
    default:
      if expected == got { return [] }
    }
    return [DataDifference(path: path, expected: expected, got: got)]
  }

  var description: String {
    let place = path.isEmpty ? "" : "\(path): "
    return "\(place)expected \(expected.canonical.text), got \(got?.canonical.text ?? "nothing")"
  }
}
