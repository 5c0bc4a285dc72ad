// SPDX-License-Identifier: Apache-2.0

/// Private keys in PEM blocks, in lines or with `\n` written out as in JSON.
///
/// A block that never ends is a finding all the same once it holds as much as a line of a key:
/// an answer may have been cut off. Source: RFC 7468.
enum PrivateKey {
  /// A block is found whole up to this size; RSA keys of 16,384 bits need 13 KB.
  static let bytesMax = 16 * 1024

  private static let body = ByteSet.alphanumerics.union(ByteSet("+/= \t\r\n\\:,-"))

  static func match(in reader: inout Reader, at start: Int) -> Match? {
    guard reader.hasExactly("-----BEGIN ", at: start), reader.past(start - 1) != UInt8(ascii: "-"),
      let header = labelEnd(in: &reader, from: start + 11)
    else { return nil }
    var at = header
    var longest = 0
    var run = 0
    var content = header
    while at - start < bytesMax {
      let byte = reader[at]
      guard body.contains(byte) else { break }
      if byte == UInt8(ascii: "-"), reader.hasExactly("-----", at: at) {
        guard reader.hasExactly("END ", at: at + 5), let end = labelEnd(in: &reader, from: at + 9) else {
          break
        }
        return Match(start, end)
      }
      let isKey = byte.isAlphanumeric || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
      run = isKey ? run + 1 : 0
      // Short runs may be the words of what follows a key that was cut off.
      if run >= 20 || byte == UInt8(ascii: "=") && content == at { content = at + 1 }
      longest = max(longest, run)
      at += 1
    }
    return longest >= 40 ? Match(start, content) : nil
  }

  /// The end of "RSA PRIVATE KEY-----" and the like.
  private static func labelEnd(in reader: inout Reader, from start: Int) -> Int? {
    let end = reader.run(of: ByteSet.upper.union(ByteSet(" ")).union(.digits), from: start, bytesMax: 40)
    guard reader.hasExactly("-----", at: end) else { return nil }
    if end - start >= 17, reader.hasExactly("PRIVATE KEY BLOCK", at: end - 17) { return end + 5 }
    return end - start >= 11 && reader.hasExactly("PRIVATE KEY", at: end - 11) ? end + 5 : nil
  }
}
