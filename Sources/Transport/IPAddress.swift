// SPDX-License-Identifier: Apache-2.0
import CCurl
import Glibc

/// A numeric address, as a socket is about to be connected to it.
enum IPAddress: Equatable {
  case v4(UInt32)
  case v6(high: UInt64, low: UInt64)

  /// Reads the address of a socket; `nil` for other families than the internet's.
  init?(_ address: UnsafePointer<sockaddr>) {
    switch Int32(address.pointee.sa_family) {
    case AF_INET:
      let bits = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_addr.s_addr }
      self = .v4(UInt32(bigEndian: bits))
    case AF_INET6:
      self.init(address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { $0.pointee.sin6_addr })
    default: return nil
    }
  }

  /// Reads the text that `inet_pton` reads.
  init?(_ text: UnsafePointer<CChar>) {
    var four = in_addr()
    var six = in6_addr()
    if inet_pton(AF_INET, text, &four) == 1 {
      self = .v4(UInt32(bigEndian: four.s_addr))
    } else if inet_pton(AF_INET6, text, &six) == 1 {
      self.init(six)
    } else {
      return nil
    }
  }

  private init(_ address: in6_addr) {
    let (high, low) = withUnsafeBytes(of: address) {
      ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
    self = .v6(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low))
  }

  /// Whether the address belongs to a host of the public internet.
  ///
  /// Source: IANA IPv4 and IPv6 Special-Purpose Address Registries, RFC 6890.
  var isPublic: Bool {
    switch self {
    case .v4(let bits):
      !Self.specialV4.contains { range in bits >> (32 - range.length) == range.prefix >> (32 - range.length) }
    case .v6(let high, _):
      // Only 2000::/3 is global unicast: no loopback, mapped, NAT64, local or multicast address.
      high >> 61 == 1
        && !Self.specialV6.contains { range in
          high >> (64 - range.length) == range.prefix >> (64 - range.length)
        }
    }
  }

  private static let specialV4: [(prefix: UInt32, length: UInt32)] = [
    (0x0000_0000, 8),  // 0.0.0.0/8, this network
    (0x0A00_0000, 8),  // 10.0.0.0/8, private
    (0x6440_0000, 10),  // 100.64.0.0/10, carrier-grade NAT
    (0x7F00_0000, 8),  // 127.0.0.0/8, loopback
    (0xA83F_8110, 32),  // 168.63.129.16, the platform services of Azure
    (0xA9FE_0000, 16),  // 169.254.0.0/16, link-local and instance metadata
    (0xAC10_0000, 12),  // 172.16.0.0/12, private
    (0xC000_0000, 24),  // 192.0.0.0/24, protocol assignments
    (0xC000_0200, 24),  // 192.0.2.0/24, documentation
    (0xC058_6300, 24),  // 192.88.99.0/24, 6to4 relays
    (0xC0A8_0000, 16),  // 192.168.0.0/16, private
    (0xC612_0000, 15),  // 198.18.0.0/15, benchmarks
    (0xC633_6400, 24),  // 198.51.100.0/24, documentation
    (0xCB00_7100, 24),  // 203.0.113.0/24, documentation
    (0xE000_0000, 3),  // 224.0.0.0 and up, multicast, reserved and broadcast
  ]

  private static let specialV6: [(prefix: UInt64, length: UInt64)] = [
    (0x2001_0000_0000_0000, 23),  // 2001::/23, protocol assignments, Teredo among them
    (0x2001_0DB8_0000_0000, 32),  // 2001:db8::/32, documentation
    (0x2002_0000_0000_0000, 16),  // 2002::/16, 6to4: carries an IPv4 address
    (0x3FFF_0000_0000_0000, 20),  // 3fff::/20, documentation
  ]
}
