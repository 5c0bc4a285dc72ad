// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Lets so many connections in, of all and of each address.
///
/// An address of this machine, or of a proxy that is trusted, may have as many as there are: it stands for many.
final class ConnectionLimits: Sendable {
  private struct State {
    var all = 0
    var addresses: [String: Int] = [:]
  }

  /// 0 = no limit.
  private let max: Int
  private let perAddressMax: Int
  private let proxies: TrustedProxies
  private let state = Mutex(State())

  init(max: Int, perAddressMax: Int, proxies: TrustedProxies) {
    self.max = max
    self.perAddressMax = perAddressMax
    self.proxies = proxies
  }

  /// How many there are.
  var count: Int { state.withLock { $0.all } }

  /// Lets a connection in; ``leave(_:)`` must follow.
  ///
  /// - Returns: What it is counted under; `nil` when it may not come in.
  func admit(from address: String?) -> Place? {
    let address = perAddressMax > 0 ? subscriber(address) : nil
    return state.withLock { state in
      if max > 0, state.all >= max { return nil }
      if let address {
        let count = state.addresses[address] ?? 0
        guard count < perAddressMax else { return nil }
        state.addresses[address] = count + 1
      }
      state.all += 1
      return Place(address: address)
    }
  }

  func leave(_ place: Place) {
    state.withLock { state in
      state.all -= 1
      guard let address = place.address else { return }
      let count = state.addresses[address] ?? 1
      state.addresses[address] = count > 1 ? count - 1 : nil
    }
  }

  /// What a connection that was let in is counted under.
  struct Place: Sendable {
    fileprivate let address: String?
  }

  private func subscriber(_ address: String?) -> String? {
    guard let address, let ip = IPAddress(address), !ip.isLoopback, !proxies.trusts(address) else {
      return nil
    }
    return ip.subscriber
  }
}
