// SPDX-License-Identifier: Apache-2.0

/// Where a page of a list ended: the list's letter and the sort key of its last row, `s1763717400000.42`; a key that is
/// a text in hexadecimal digits.
public enum Cursor {
  public enum List: String, Sendable {
    case sessions = "s"
    case messages = "m"
    case runs = "r"
    case versions = "v"
    case approvals = "a"
    case deadLetters = "d"
    case events = "e"
    case audit = "t"
    case apiKeys = "k"
    case feedback = "f"
    case users = "u"

    /// Numbers in the sort key.
    var keyCount: Int { self == .sessions || self == .deadLetters ? 2 : 1 }

    /// Regular expression of the list's cursors, for the description of the API.
    public var pattern: String {
      if self == .users { return "^u([0-9a-f]{2})+$" }
      return "^\(rawValue)" + Array(repeating: "[0-9]{1,15}", count: keyCount).joined(separator: "\\.") + "$"
    }
  }

  public static func make(_ list: List, _ key: Int64...) -> String {
    list.rawValue + key.map(String.init).joined(separator: ".")
  }

  /// Reads the sort key of a cursor.
  ///
  /// - Throws: ``Failure`` `invalid_arguments` for anything but a cursor of that list.
  public static func parse(_ text: String, _ list: List) throws(Failure) -> [Int64] {
    let parts = text.dropFirst().split(separator: ".", omittingEmptySubsequences: false)
    let key = parts.compactMap { Int64($0) }
    guard text.hasPrefix(list.rawValue), parts.count == list.keyCount, key.count == parts.count,
      key.allSatisfy({ $0 >= 0 })
    else { throw Failure(.invalidArguments, "'after' is not a cursor of this list") }
    return key
  }

  public static func make(_ list: List, text: String) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return list.rawValue
      + String(decoding: text.utf8.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// As ``parse(_:_:)``, of a list whose key is a text.
  public static func parseText(_ cursor: String, _ list: List) throws(Failure) -> String {
    let digits = cursor.utf8.dropFirst().compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    guard cursor.hasPrefix(list.rawValue), !digits.isEmpty, digits.count == cursor.utf8.count - 1,
      digits.count.isMultiple(of: 2)
    else { throw Failure(.invalidArguments, "'after' is not a cursor of this list") }
    let bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    return String(decoding: bytes, as: UTF8.self)
  }
}
