// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import Hummingbird

/// Whose word counts on where a request came from.
///
/// `X-Forwarded-For` is read from its right end: what a trusted proxy appended was true, what stands before the first
/// address that is no trusted proxy anybody could have written.
struct TrustedProxies: Sendable {
  private let networks: [Network]

  /// - Parameter networks: Addresses, or networks as `10.0.0.0/8`; what is neither is left out.
  init(_ networks: [String]) { self.networks = networks.compactMap(Network.init) }

  /// Where the request came from, as far as that is known.
  ///
  /// - Parameter peer: The other end of the connection.
  func client(of request: Request, from peer: String?) -> String? {
    guard !networks.isEmpty, let peer, trusts(peer) else { return peer }
    let hops = request.headers[values: .forwardedFor].flatMap { $0.split(separator: ",") }
    var client = peer
    for hop in hops.reversed() {
      guard let address = IPAddress(hop.trimmed) else { return client }
      client = address.text
      if !networks.contains(where: { $0.contains(address) }) { return client }
    }
    return client
  }

  func trusts(_ peer: String) -> Bool {
    guard let address = IPAddress(peer) else { return false }
    return networks.contains { $0.contains(address) }
  }

  private struct Network {
    let address: IPAddress
    let bits: Int

    init?(_ text: String) {
      let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
      guard let address = IPAddress(parts[0]) else { return nil }
      self.address = address
      guard parts.count == 2 else {
        bits = 8 * address.bytes.count
        return
      }
      guard let bits = Int(parts[1]), (0...8 * address.bytes.count).contains(bits) else { return nil }
      self.bits = bits
    }

    func contains(_ other: IPAddress) -> Bool {
      guard other.bytes.count == address.bytes.count else { return false }
      let (whole, rest) = (bits / 8, bits % 8)
      guard other.bytes.prefix(whole) == address.bytes.prefix(whole) else { return false }
      return rest == 0 || (other.bytes[whole] ^ address.bytes[whole]) >> (8 - UInt8(rest)) == 0
    }
  }
}

extension Substring {
  fileprivate var trimmed: Substring {
    var text = self
    while text.first == " " || text.first == "\t" { text.removeFirst() }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return text
  }
}
