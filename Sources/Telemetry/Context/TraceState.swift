// SPDX-License-Identifier: Apache-2.0

/// Checks the list of what each tracing system passes on, which is of no meaning here.
///
/// Source: W3C Trace Context level 2, 3.3.1. Its keys may begin with a digit, so it takes what level 1 takes.
enum TraceState {
  /// Bytes that everybody has to pass on; a longer list is dropped.
  static let bytesMax = 512
  static let membersMax = 32
  private static let keyBytesMax = 256
  private static let valueBytesMax = 256

  /// The list without white space around its members, without empty members; `nil` when it is malformed.
  ///
  /// Malformed is a key or a value that breaks the grammar, a key that comes twice, and more than 32 members.
  static func normalized(_ text: String) -> String? {
    guard text.utf8.count <= bytesMax else { return nil }
    var members: [Substring] = []
    var keys: Set<Substring> = []
    for member in Substring(text).utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      let member = member.trimmed
      if member.isEmpty { continue }
      guard let equals = member.firstIndex(of: UInt8(ascii: "=")), isKey(member[..<equals]),
        isValue(member[member.index(after: equals)...]),
        keys.insert(Substring(member[..<equals])).inserted
      else { return nil }
      members.append(Substring(member))
    }
    return members.count <= membersMax ? members.joined(separator: ",") : nil
  }

  private static func isKey(_ key: Substring.UTF8View) -> Bool {
    guard let first = key.first, key.count <= keyBytesMax, isLowerOrDigit(first) else { return false }
    return key.allSatisfy { isLowerOrDigit($0) || "_-*/@".utf8.contains($0) }
  }

  private static func isLowerOrDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  /// Commas have gone and the end has no space: what is left to ask is whether all are printable.
  private static func isValue(_ value: Substring.UTF8View) -> Bool {
    (1...valueBytesMax).contains(value.count)
      && value.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "=") }
  }
}

extension Substring.UTF8View {
  /// Without the spaces and tabs at both ends. Source: RFC 9110, 5.6.3 (OWS).
  var trimmed: Substring.UTF8View {
    let tail = drop { $0 == 0x20 || $0 == 0x09 }
    guard let last = tail.lastIndex(where: { $0 != 0x20 && $0 != 0x09 }) else { return tail }
    return tail[...last]
  }
}
