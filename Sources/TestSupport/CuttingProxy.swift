// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// Hands on bytes between a client and a server on this machine, and cuts connections as a test tells it to.
///
/// Two threads for each connection. Stops when it is let go of.
public final class CuttingProxy: Sendable {
  /// One connection that is cut, of the first request that fits.
  public struct Cut: Sendable {
    /// Stands in the head of the request.
    let request: String
    /// Stands in the response, after which nothing more of it is handed on; empty = nothing at all is.
    let text: String

    public init(request: String, after text: String = "") {
      self.request = request
      self.text = text
    }
  }

  private struct State {
    var target: Int
    var cuts: [Cut]
    /// What clients sent, a connection each.
    var sent: [Int: [UInt8]] = [:]
    var connections = 0
    var cutCount = 0
    var isStopped = false
    var sockets: Set<Int32> = []
    var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private final class Shared: Sendable {
    let state: Mutex<State>
    init(_ state: State) { self.state = Mutex(state) }
  }

  public let port: Int
  private let listener: Int32
  private let shared: Shared

  /// - Parameter target: Port of the server.
  public init(to target: Int, _ cuts: [Cut] = []) throws {
    let (listener, port) = try Loopback.listen()
    self.listener = listener
    self.port = port
    shared = Shared(State(target: target, cuts: cuts))
    let shared = shared
    Loopback.startThread { Self.accept(listener, shared) }
  }

  deinit { stop() }

  public var origin: String { "http://127.0.0.1:\(port)" }

  /// Heads and bodies that came from clients, one after the other.
  public var sent: String {
    shared.state.withLock { state in
      state.sent.sorted { $0.key < $1.key }.map { String(decoding: $0.value, as: UTF8.self) }.joined()
    }
  }

  /// Connections go to another server from now on.
  public func redirect(to target: Int) { shared.state.withLock { $0.target = target } }

  /// Returns as soon as that many connections were cut.
  public func cuts(atLeast count: Int) async {
    await withCheckedContinuation { continuation in
      let isThere = shared.state.withLock { state in
        if state.cutCount < count { state.waiting.append((count, continuation)) }
        return state.cutCount >= count
      }
      if isThere { continuation.resume() }
    }
  }

  /// Closes the port and all connections.
  public func stop() {
    shared.state.withLock { state in
      if state.isStopped { return }
      state.isStopped = true
      shutdown(listener, Int32(SHUT_RDWR))
      for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
    }
  }
}

extension CuttingProxy {
  private static func accept(_ listener: Int32, _ shared: Shared) {
    while true {
      let client = Glibc.accept(listener, nil, nil)
      guard client >= 0 else { break }
      // Programs that other tests start must not keep it open.
      _ = fcntl(client, F_SETFD, FD_CLOEXEC)
      let (target, number) = shared.state.withLock { state in
        state.connections += 1
        return (state.isStopped ? nil : state.target, state.connections)
      }
      guard let target, let server = Loopback.connect(to: target) else {
        close(client)
        continue
      }
      let pair = Pair(client: client, server: server, number: number, shared: shared)
      Loopback.startThread { pair.handOnRequests() }
      Loopback.startThread { pair.handOnResponses() }
    }
    close(listener)
  }

  /// The two ends of one connection.
  private final class Pair: Sendable {
    private struct State {
      /// Bytes of a head in which a cut may be named.
      var head: [UInt8] = []
      var cut: Cut?
      var threads = 2
    }

    private let client: Int32
    private let server: Int32
    private let number: Int
    private let shared: Shared
    private let state = Mutex(State())

    init(client: Int32, server: Int32, number: Int, shared: Shared) {
      (self.client, self.server, self.number, self.shared) = (client, server, number, shared)
      let isStopped = shared.state.withLock { state in
        state.sockets.formUnion([client, server])
        return state.isStopped
      }
      if isStopped { end() }
    }

    func handOnRequests() {
      while let bytes = Loopback.receive(client) {
        shared.state.withLock { $0.sent[number, default: []] += bytes }
        arm(bytes)
        guard Loopback.send(bytes, to: server) else { break }
      }
      leave()
    }

    func handOnResponses() {
      var seen: [UInt8] = []
      while let bytes = Loopback.receive(server) {
        guard let cut = state.withLock({ $0.cut }) else {
          guard Loopback.send(bytes, to: client) else { break }
          continue
        }
        let before = seen.count
        seen += bytes
        let end = cut.text.isEmpty ? 0 : seen.firstRange(of: Array(cut.text.utf8))?.upperBound
        guard Loopback.send(Array(seen[..<(end ?? seen.count)].dropFirst(before)), to: client) else { break }
        if end != nil {
          noteCut()
          break
        }
      }
      leave()
    }

    /// Takes the first cut whose request has come.
    private func arm(_ bytes: [UInt8]) {
      state.withLock { state in
        guard state.cut == nil else { return }
        state.head += bytes
        let head = state.head
        state.cut = shared.state.withLock { shared in
          guard let cut = shared.cuts.first, head.firstRange(of: Array(cut.request.utf8)) != nil else {
            return nil
          }
          return shared.cuts.removeFirst()
        }
      }
    }

    private func noteCut() {
      let ready = shared.state.withLock { state in
        state.cutCount += 1
        let count = state.cutCount
        defer { state.waiting.removeAll { $0.count <= count } }
        return state.waiting.filter { $0.count <= count }
      }
      for waiting in ready { waiting.continuation.resume() }
    }

    private func end() {
      shutdown(client, Int32(SHUT_RDWR))
      shutdown(server, Int32(SHUT_RDWR))
    }

    /// The last of the two closes: until then the numbers are not given out again.
    private func leave() {
      end()
      let isLast = state.withLock { state in
        state.threads -= 1
        return state.threads == 0
      }
      guard isLast else { return }
      shared.state.withLock { state in
        state.sockets.subtract([client, server])
        close(client)
        close(server)
      }
    }
  }
}
