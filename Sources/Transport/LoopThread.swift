// SPDX-License-Identifier: Apache-2.0
import CCurl
import Glibc
import Synchronization

/// A thread that runs an event loop to its end.
final class LoopThread: Sendable {
  private struct State {
    var hasEnded = false
    var waiting: [CheckedContinuation<Void, Never>] = []
    /// `nil` once it is joined.
    var thread: pthread_t?
  }

  private final class Ending: Sendable {
    let state = Mutex(State())

    func signal() {
      let waiting = state.withLock { state in
        state.hasEnded = true
        defer { state.waiting = [] }
        return state.waiting
      }
      for continuation in waiting { continuation.resume() }
    }
  }

  private final class Start {
    let loop: EventLoop
    let ending: Ending

    init(_ loop: EventLoop, _ ending: Ending) {
      self.loop = loop
      self.ending = ending
    }
  }

  private let ending = Ending()

  init(_ loop: sending EventLoop) throws(TransportError) {
    let start = Unmanaged.passRetained(Start(loop, ending))
    var thread = pthread_t()
    let code = pthread_create(&thread, nil, { LoopThread.main($0) }, start.toOpaque())
    guard code == 0 else {
      start.release()
      throw TransportError(.closed, "no thread is left")
    }
    ending.state.withLock { $0.thread = thread }
  }

  deinit {
    if let thread = ending.state.withLock({ $0.thread.take() }) { pthread_detach(thread) }
  }

  private static func main(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    // OpenSSL writes to sockets whose peer has left: an error of the write, not the end of the process.
    var blocked = sigset_t()
    sigemptyset(&blocked)
    sigaddset(&blocked, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &blocked, nil)
    ccurl_name_thread("perigee-http")
    guard let context else { return nil }
    // SAFETY: the one reference made by `init`; from here on only this thread has the loop.
    let ending: Ending
    do {
      let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
      ending = start.ending
      start.loop.run()
    }
    ending.signal()
    return nil
  }

  /// Returns when the thread has ended.
  func join() async {
    await withCheckedContinuation { continuation in
      let hasEnded = ending.state.withLock { state in
        if !state.hasEnded { state.waiting.append(continuation) }
        return state.hasEnded
      }
      if hasEnded { continuation.resume() }
    }
    // The thread's last act was to say so: there is nothing left to wait for.
    if let thread = ending.state.withLock({ $0.thread.take() }) { pthread_join(thread, nil) }
  }
}
