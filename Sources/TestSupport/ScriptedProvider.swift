// SPDX-License-Identifier: Apache-2.0
import Glibc
public import JSONCodec
import Synchronization

/// A provider of models on a port of this machine that answers as a test tells it to.
///
/// A real HTTP server: one thread for each connection, connections kept alive. Stops when it is let go of.
public final class ScriptedProvider: Sendable {
  /// A request as it came.
  public struct Request: Sendable {
    public let method: String
    public let path: String
    /// Names in lower case, in their order.
    public let headers: [(name: String, value: String)]
    public let body: [UInt8]
    /// Number of its connection, from 0 in the order in which they were opened.
    public let connection: Int

    public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The body; `null` when it is no JSON.
    public var json: JSON { (try? JSON(parsing: body)) ?? .null }
  }

  public let port: Int
  private let server: FakeServer

  /// - Parameter answer: Called on the connection's thread; may block.
  public init(_ answer: @escaping @Sendable (Request) -> Reply) throws {
    server = try FakeServer(answer)
    port = server.port
  }

  /// Answers with each reply in turn, and with the last one from then on.
  public convenience init(_ replies: Reply...) throws {
    precondition(!replies.isEmpty, "a provider without replies")
    let next = Counter()
    try self.init { _ in replies[min(next.increment(), replies.count - 1)] }
  }

  deinit { server.stop() }

  public var origin: String { "http://127.0.0.1:\(port)" }
  /// What a provider's configuration takes.
  public var baseURL: String { origin + "/v1" }

  /// Requests that came so far, in the order in which they were complete.
  public var requests: [Request] { server.log.requests }
  public var connectionsOpened: Int { server.log.opened }

  /// Returns as soon as that many requests have come.
  @discardableResult
  public func requests(atLeast count: Int) async -> [Request] {
    await server.log.wait { $0.requests.count >= count }
    return requests
  }

  /// Returns as soon as that many connections have ended, whoever closed them.
  public func closedConnections(atLeast count: Int) async {
    await server.log.wait { $0.closed >= count }
  }

  /// Closes the port and all connections.
  public func stop() { server.stop() }
}

/// A door that starts closed: who passes waits until it is open.
public final class Gate: Sendable {
  private let door = Door()

  public init() {}

  public func open() { door.open() }

  public func pass() { door.pass() }
}

// SAFETY: the mutex of the C library guards `isOpen`; the memory is this object's own and never moves.
private final class Door: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var isOpen = false

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  func open() {
    pthread_mutex_lock(mutex)
    isOpen = true
    pthread_cond_broadcast(condition)
    pthread_mutex_unlock(mutex)
  }

  func pass() {
    pthread_mutex_lock(mutex)
    while !isOpen { pthread_cond_wait(condition, mutex) }
    pthread_mutex_unlock(mutex)
  }
}

/// Bytes of a flood that the network took so far.
public final class FloodMeter: Sendable {
  private let count = Mutex(0)

  public init() {}

  public var bytes: Int { count.withLock { $0 } }

  func add(_ bytes: Int) { count.withLock { $0 += bytes } }
}

final class Counter: Sendable {
  private let value = Mutex(0)

  /// Returns the value before.
  func increment() -> Int {
    value.withLock { value in
      defer { value += 1 }
      return value
    }
  }
}
