// SPDX-License-Identifier: Apache-2.0

/// JSON web tokens, and whatever follows the word "Bearer" or "Basic" and is long.
enum Token {
  private static let headerBytesMax = 512
  /// A token that is longer is found without its third part having been seen.
  static let payloadBytesMax = 4096
  private static let bearerBytesMin = 16
  private static let bearerBytesMax = 256
  /// Source: RFC 6750, 2.1, and RFC 7617, 2.
  private static let bearer = ByteSet.base64URL.union(ByteSet(".~+/="))
  private static let basic = ByteSet.alphanumerics.union(ByteSet("+/="))

  static func match(in reader: inout Reader, at start: Int) -> Match? {
    reader[start].lowercased == UInt8(ascii: "b")
      ? scheme(in: &reader, at: start) : webToken(in: &reader, at: start)
  }

  /// Source: RFC 7519, 3, and RFC 7515, 3.1.
  private static func webToken(in reader: inout Reader, at start: Int) -> Match? {
    guard reader.hasExactly("eyJ", at: start), !ByteSet.base64URL.contains(reader.past(start - 1)) else {
      return nil
    }
    let header = reader.run(of: .base64URL, from: start, bytesMax: headerBytesMax)
    guard reader[header] == UInt8(ascii: "."), isHeader(in: reader, start..<header) else { return nil }
    let payload = reader.run(of: .base64URL, from: header + 1, bytesMax: payloadBytesMax)
    let tail = Tail.bytes(ByteSet.base64URL.union(ByteSet(".")))
    if payload - header - 1 == payloadBytesMax { return Match(start, payload, tail: tail) }
    guard payload - header > 2, reader[payload] == UInt8(ascii: ".") else { return nil }
    let end = reader.run(of: .base64URL, from: payload + 1, bytesMax: 1024)
    if end - payload - 1 == 1024 { return Match(start, end, tail: tail) }
    return end - payload > 8 ? Match(start, end) : nil
  }

  /// Whether base64url text is a JSON object with an algorithm, as far as that matters here.
  private static func isHeader(in reader: Reader, _ range: Range<Int>) -> Bool {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(range.count)
    var bits: UInt32 = 0
    var count: UInt32 = 0
    for index in range {
      bits = bits << 6 | UInt32(value(reader.past(index)))
      count += 6
      if count >= 8 {
        count -= 8
        decoded.append(UInt8(truncatingIfNeeded: bits >> count))
      }
    }
    guard decoded.first == UInt8(ascii: "{"), decoded.last == UInt8(ascii: "}") else { return false }
    let name = Array(#""alg""#.utf8)
    return decoded.indices.contains { decoded[$0...].starts(with: name) }
  }

  private static func value(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - 65
    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 71
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte + 4
    case UInt8(ascii: "-"): 62
    default: 63
    }
  }

  private static func scheme(in reader: inout Reader, at start: Int) -> Match? {
    if reader.has("bearer", at: start) { return value(of: bearer, in: &reader, after: start + 6) }
    return reader.has("basic", at: start) ? value(of: basic, in: &reader, after: start + 5) : nil
  }

  private static func value(of bytes: ByteSet, in reader: inout Reader, after name: Int) -> Match? {
    let value = reader.run(of: .spaces, from: name, bytesMax: 4)
    guard value > name else { return nil }
    let end = reader.run(of: bytes, from: value, bytesMax: bearerBytesMax)
    // A word of prose has no digit.
    guard end - value >= bearerBytesMin, (value..<end).contains(where: { reader.past($0).isDigit }) else {
      return nil
    }
    if end - value == bearerBytesMax { return Match(value, end, tail: .bytes(bytes)) }
    let last = reader.past(end - 1) == UInt8(ascii: ".") ? end - 1 : end
    return Match(value, last)
  }
}
