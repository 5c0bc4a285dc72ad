// SPDX-License-Identifier: Apache-2.0

/// Where a page of a list ended: the list's letter and the sort key of its last row, `s1763717400000.42`.
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

    /// Numbers in the sort key.
    var keyCount: Int { self == .sessions || self == .deadLetters ? 2 : 1 }

    /// Regular expression of the list's cursors, for the description of the API.
    public var pattern: String {
      "^\(rawValue)" + Array(repeating: "[0-9]{1,15}", count: keyCount).joined(separator: "\\.") + "$"
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
}
