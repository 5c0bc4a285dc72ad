// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// An IPv4 or IPv6 address; one of IPv4 that is written as IPv6 is the former.
struct IPAddress: Sendable {
  /// 4 or 16.
  let bytes: [UInt8]
  let text: String

  init?(_ text: some StringProtocol) {
    var text = String(text)
    if text.first == "[", let end = text.firstIndex(of: "]") {
      text = String(text[text.index(after: text.startIndex)..<end])
    }
    if text.hasPrefix("::ffff:"), text.contains(".") { text.removeFirst(7) }
    var storage = in6_addr()
    let count =
      inet_pton(AF_INET, text, &storage) == 1 ? 4 : inet_pton(AF_INET6, text, &storage) == 1 ? 16 : 0
    guard count > 0 else { return nil }
    bytes = withUnsafeBytes(of: storage) { Array($0.prefix(count)) }
    self.text = text
  }

  var isLoopback: Bool {
    bytes.count == 4 ? bytes[0] == 127 : bytes == [UInt8](repeating: 0, count: 15) + [1]
  }

  /// What one subscriber has: an address of IPv4, of IPv6 a network of 64 bits. Source: RFC 6177.
  var subscriber: String {
    bytes.count == 4
      ? text : bytes.prefix(8).map { String($0, radix: 16) }.joined(separator: ".")
  }
}
