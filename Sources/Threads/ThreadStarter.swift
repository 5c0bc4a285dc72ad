// SPDX-License-Identifier: Apache-2.0
internal import CThreads
import Dispatch
import Glibc
import Synchronization

/// Starts threads that nobody joins.
///
/// All are started by one thread: a new thread inherits the priority of the one that starts it, and that may be low.
final class ThreadStarter: Sendable {
  static let shared = ThreadStarter()

  private struct Request: Sendable {
    let name: String
    let body: @Sendable () -> Void
  }

  private let requests = Mutex<[Request]>([])
  // Only the starting thread waits on it, never one of the pool.
  private let wakeUp = DispatchSemaphore(value: 0)

  private init() {
    Self.start(Request(name: "perigee-starter") { self.work() })
  }

  /// - Parameter name: At most 15 bytes.
  func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
    requests.withLock { $0.append(Request(name: name, body: body)) }
    wakeUp.signal()
  }

  private func work() {
    while true {
      wakeUp.wait()
      for request in requests.withLock({ requests in
        defer { requests = [] }
        return requests
      }) { Self.start(request) }
    }
  }

  /// Waits for as long as the system has no thread left.
  private static func start(_ request: Request) {
    final class Start {
      let request: Request
      init(_ request: Request) { self.request = request }
    }
    let start = Unmanaged.passRetained(Start(request))
    var thread = pthread_t()
    while pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        // SAFETY: the one reference made by the starting thread.
        let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
        cthread_name(start.request.name)
        start.request.body()
        return nil
      }, start.toOpaque()) != 0
    {
      _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(10))
    }
    pthread_detach(thread)
  }
}

/// A thread's share of the processor, as the kernel counts it.
enum Niceness {
  /// About a third of the ordinary share. A thread cannot go back: that takes privileges.
  static let low: Int32 = 5
}
