// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Addresses and networks as an operator writes them.
enum Network {
  /// Whether the text is an IPv4 or IPv6 address, with or without a prefix length.
  static func isValid(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, let bits = addressBits(String(parts[0])) else { return false }
    guard parts.count == 2 else { return true }
    return Int(parts[1]).map { (0...bits).contains($0) && !parts[1].hasPrefix("+") } ?? false
  }

  /// Whether nothing beyond this machine reaches a listener on `host`.
  static func isLoopback(_ host: String) -> Bool {
    if host == "localhost" || host == "::1" || host == "[::1]" { return true }
    return host.hasPrefix("127.") && addressBits(host) == 32
  }

  /// Whether what is fetched there is what its owner says: over TLS, or from this machine.
  static func isTrustworthy(url: String) -> Bool {
    if url.hasPrefix("https://") { return url.utf8.count > 8 }
    guard url.hasPrefix("http://") else { return false }
    let authority = url.dropFirst(7).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    let host = authority.first == "[" ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
    return isLoopback(String(host))
  }

  private static func addressBits(_ text: String) -> Int? {
    var storage = in6_addr()
    if inet_pton(AF_INET, text, &storage) == 1 { return 32 }
    return inet_pton(AF_INET6, text, &storage) == 1 ? 128 : nil
  }
}
