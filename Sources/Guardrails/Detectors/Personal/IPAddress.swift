// SPDX-License-Identifier: Apache-2.0

/// IPv4 in four decimal parts, and IPv6. A version of four parts looks the same as the former.
enum IPAddress {
  static func match(in reader: inout Reader, at start: Int) -> Match? {
    let last = reader.past(start - 1)
    let ties: Bool = last == UInt8(ascii: ".") || last == UInt8(ascii: ":") || last == UInt8(ascii: "_")
    if ties || reader.isWord(before: start) { return nil }
    return (four(in: &reader, at: start) ?? six(in: &reader, at: start)).map { Match(start, $0) }
  }

  /// The end of an IPv4 address.
  private static func four(in reader: inout Reader, at start: Int) -> Int? {
    var at = start
    for part in 0..<4 {
      if part > 0 {
        guard reader[at] == UInt8(ascii: ".") else { return nil }
        at += 1
      }
      let end = reader.run(of: .digits, from: at, bytesMax: 4)
      guard (1...3).contains(end - at), (at..<end).reduce(0, { $0 * 10 + reader.past($1).digit }) <= 255,
        end - at == 1 || reader[at] != UInt8(ascii: "0")
      else { return nil }
      at = end
    }
    if reader[at] == UInt8(ascii: "."), reader[at + 1].isDigit { return nil }
    return reader[at].isWord || reader[at] == UInt8(ascii: "-") ? nil : at
  }

  private static let hexadecimal = ByteSet("0123456789abcdefABCDEF")

  /// The end of an IPv6 address. Source: RFC 4291, 2.2.
  private static func six(in reader: inout Reader, at start: Int) -> Int? {
    var at = start
    var groups = 0
    var isShortened = false
    if reader[at] == UInt8(ascii: ":") {
      guard reader[at + 1] == UInt8(ascii: ":") else { return nil }
      isShortened = true
      at += 2
    }
    while true {
      let end = reader.run(of: hexadecimal, from: at, bytesMax: 5)
      if end == at { break }
      guard end - at <= 4 else { return nil }
      groups += 1
      at = end
      guard groups < 8, reader[at] == UInt8(ascii: ":") else { break }
      if reader[at + 1] == UInt8(ascii: ":") {
        if isShortened { return nil }
        isShortened = true
        at += 2
      } else if hexadecimal.contains(reader[at + 1]) {
        at += 1
      } else {
        break
      }
    }
    // `a::b` is also how C++ and Rust write names: an address has three groups, or a digit in its first.
    let isNamed = groups < 3 && !(start..<at).contains { reader.past($0).isDigit }
    guard isShortened ? (1...7).contains(groups) && !isNamed : groups == 8 else { return nil }
    return reader[at].isWord || reader[at] == UInt8(ascii: ":") ? nil : at
  }
}
