// SPDX-License-Identifier: Apache-2.0
import CCurl
import Glibc

/// The one thread that drives every transfer: libcurl's multi interface on epoll.
///
/// Isolation: everything here happens on that thread, but for `init`.
final class EventLoop {
  private let mailbox: Mailbox
  private let configuration: HTTPClient.Configuration
  private let multi: UnsafeMutableRawPointer
  private let poll: Int32
  /// When libcurl wants to be called without an event, in nanoseconds of the monotonic clock.
  private var timer: UInt64?
  private var active: [EasyHandle] = []
  private var idle: [EasyHandle] = []
  private var isClosing = false

  /// Handles that are kept for reuse; what is beyond is freed.
  private static let idleMax = 512

  init(mailbox: Mailbox, configuration: HTTPClient.Configuration) throws(TransportError) {
    guard Self.isLibraryReady, let multi = curl_multi_init() else {
      throw TransportError(.closed, "libcurl cannot start")
    }
    let poll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard poll >= 0 else {
      curl_multi_cleanup(multi)
      throw TransportError(.closed, "no file descriptor is left")
    }
    self.multi = multi
    self.poll = poll
    self.mailbox = mailbox
    self.configuration = configuration
    var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: mailbox.wakeUp))
    epoll_ctl(poll, EPOLL_CTL_ADD, mailbox.wakeUp, &event)
    ccurl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
    // libcurl's own limit is 100, beyond which every request opens a connection; the server's limit counts.
    ccurl_multi_set_long(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, 1000)
    ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, configuration.idleConnectionsMax)
    ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.connectionsPerHostMax)
    ccurl_multi_set_callbacks(multi, watchSocket, setLoopTimer, Unmanaged.passUnretained(self).toOpaque())
  }

  deinit {
    idle.removeAll()
    curl_multi_cleanup(multi)
    close(poll)
  }

  private static let isLibraryReady = ccurl_global_init() == CURLE_OK

  /// Serves until it is told to shut down.
  func run() {
    var events = [epoll_event](repeating: epoll_event(), count: 256)
    var batch: [Mailbox.Message] = []
    while true {
      repeat {
        mailbox.takeOrSleep(into: &batch)
        for message in batch { handle(message) }
        let isQuiet = batch.isEmpty
        batch.removeAll(keepingCapacity: true)
        fireTimer()
        reap()
        if isClosing { return }
        if isQuiet { break }
      } while true
      let count = epoll_wait(poll, &events, Int32(events.count), millisecondsToTimer)
      for event in events.prefix(Int(max(count, 0))) { handle(event) }
    }
  }

  private func handle(_ message: Mailbox.Message) {
    switch message {
    case .start(let transfer): start(transfer)
    case .cancel(let transfer): cancel(transfer)
    case .resume(let transfer):
      if let handle = transfer.handle { curl_easy_pause(handle.raw, Int32(CURLPAUSE_CONT)) }
    case .job(let job): job.runSynchronously(on: mailbox.asUnownedTaskExecutor())
    case .shutdown:
      isClosing = true
      while let handle = active.last {
        finish(
          handle,
          TransportError(.closed, "the client shut down", mayHaveBeenSent: handle.transfer?.isSent ?? true))
      }
    }
  }

  private func handle(_ event: epoll_event) {
    if event.data.fd == mailbox.wakeUp { return mailbox.drainWakeUp() }
    var actions: Int32 = 0
    if event.events & EPOLLIN.rawValue != 0 { actions |= CURL_CSELECT_IN }
    if event.events & EPOLLOUT.rawValue != 0 { actions |= CURL_CSELECT_OUT }
    // A hang-up shows as readable, or libcurl would not learn of it.
    if event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 {
      actions |= CURL_CSELECT_IN | CURL_CSELECT_ERR
    }
    var running: Int32 = 0
    curl_multi_socket_action(multi, event.data.fd, actions, &running)
  }

  private func start(_ transfer: Transfer) {
    if transfer.isCancelled { return transfer.complete(CancellationError()) }
    guard !isClosing, let handle = idle.popLast() ?? EasyHandle(configuration) else {
      return transfer.complete(TransportError(.closed, "the client shut down"))
    }
    transfer.handle = handle
    handle.begin(transfer)
    handle.index = active.count
    active.append(handle)
    if curl_multi_add_handle(multi, handle.raw) != CURLM_OK {
      finish(handle, TransportError(.broken, "libcurl refused the request"))
    }
  }

  private func cancel(_ transfer: Transfer) {
    transfer.isCancelled = true
    if let handle = transfer.handle { finish(handle, CancellationError()) }
  }

  /// Collects the transfers that have ended.
  private func reap() {
    var left: Int32 = 0
    while let message = curl_multi_info_read(multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE else { continue }
      // The message dies with the handle's removal.
      let code = message.pointee.data.result
      var context: UnsafeMutableRawPointer?
      ccurl_get_private(message.pointee.easy_handle, &context)
      guard let handle = EasyHandle.from(context) else { continue }
      finish(handle, code == CURLE_OK ? nil : TransportError(code, handle))
    }
  }

  private func finish(_ handle: EasyHandle, _ failure: (any Error)?) {
    curl_multi_remove_handle(multi, handle.raw)
    active[handle.index] = active[active.count - 1]
    active[handle.index].index = handle.index
    active.removeLast()
    let transfer = handle.transfer
    handle.end()
    if idle.count < Self.idleMax { idle.append(handle) }
    transfer?.handle = nil
    transfer?.complete(failure)
  }
}

// What libcurl asks of the loop.
extension EventLoop {
  /// - Parameter what: One of `CURL_POLL_…`.
  fileprivate func watch(_ socket: Int32, for what: Int32) {
    var event = epoll_event(events: 0, data: epoll_data_t(fd: socket))
    if what == CURL_POLL_REMOVE {
      epoll_ctl(poll, EPOLL_CTL_DEL, socket, &event)
      return
    }
    if what & CURL_POLL_IN != 0 { event.events |= EPOLLIN.rawValue }
    if what & CURL_POLL_OUT != 0 { event.events |= EPOLLOUT.rawValue }
    if epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event) != 0, errno == EEXIST {
      epoll_ctl(poll, EPOLL_CTL_MOD, socket, &event)
    }
  }

  fileprivate func setTimer(milliseconds: Int) {
    timer = milliseconds < 0 ? nil : Self.now + UInt64(milliseconds) * 1_000_000
  }

  private func fireTimer() {
    // libcurl may set the timer again, to at once, several times on the way to a connection.
    var running: Int32 = 0
    while let due = timer, due <= Self.now {
      timer = nil
      curl_multi_socket_action(multi, -1, 0, &running)
    }
  }

  private var millisecondsToTimer: Int32 {
    guard let timer else { return -1 }
    let now = Self.now
    return timer <= now ? 0 : Int32(clamping: (timer - now + 999_999) / 1_000_000)
  }

  private static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

private func watchSocket(
  _ easy: UnsafeMutableRawPointer?, _ socket: curl_socket_t, _ what: Int32,
  _ context: UnsafeMutableRawPointer?, _ socketContext: UnsafeMutableRawPointer?
) -> Int32 {
  if let context { Unmanaged<EventLoop>.fromOpaque(context).takeUnretainedValue().watch(socket, for: what) }
  return 0
}

private func setLoopTimer(
  _ multi: UnsafeMutableRawPointer?, _ milliseconds: Int, _ context: UnsafeMutableRawPointer?
) -> Int32 {
  if let context {
    Unmanaged<EventLoop>.fromOpaque(context).takeUnretainedValue().setTimer(milliseconds: milliseconds)
  }
  return 0
}
