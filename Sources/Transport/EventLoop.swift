// SPDX-License-Identifier: Apache-2.0
import CCurl
import Glibc

/// The one thread that drives every transfer: libcurl's multi interface on epoll.
///
/// Isolation: everything here happens on that thread, but for `init`.
final class EventLoop {
  private let mailbox: Mailbox
  private let configuration: HTTPClient.Configuration
  private let poll: Int32
  private var multis: [MultiHandle] = []
  private var active: [EasyHandle] = []
  private var idle: [EasyHandle] = []
  private var isClosing = false

  /// Handles that are kept for reuse; what is beyond is freed.
  private static let idleMax = 512

  init(mailbox: Mailbox, configuration: HTTPClient.Configuration) throws(TransportError) {
    guard Self.isLibraryReady else { throw TransportError(.closed, "libcurl cannot start") }
    let poll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard poll >= 0 else { throw TransportError(.closed, "no file descriptor is left") }
    self.poll = poll
    self.mailbox = mailbox
    self.configuration = configuration
    var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: Self.mailboxMark))
    epoll_ctl(poll, EPOLL_CTL_ADD, mailbox.wakeUp, &event)
    guard addMulti() != nil else { throw TransportError(.closed, "libcurl cannot start") }
  }

  /// Of the event that says that there are messages.
  private static let mailboxMark = UInt64.max

  deinit {
    idle.removeAll()
    multis.removeAll()
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
        fireTimers()
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
    if event.data.u64 == Self.mailboxMark { return mailbox.drainWakeUp() }
    var actions: Int32 = 0
    if event.events & EPOLLIN.rawValue != 0 { actions |= CURL_CSELECT_IN }
    if event.events & EPOLLOUT.rawValue != 0 { actions |= CURL_CSELECT_OUT }
    // A hang-up shows as readable, or libcurl would not learn of it.
    if event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 {
      actions |= CURL_CSELECT_IN | CURL_CSELECT_ERR
    }
    multis[Int(event.data.u64 >> 32)].act(on: Int32(truncatingIfNeeded: event.data.u64), actions)
  }

  private func addMulti() -> MultiHandle? {
    let multi = MultiHandle(configuration, at: multis.count, in: self)
    if let multi { multis.append(multi) }
    return multi
  }

  /// The first one that has room, so that few have all the connections; the emptiest where none has.
  private func multiWithRoom() -> MultiHandle? {
    if let multi = multis.first(where: { $0.transfers < MultiHandle.transfersMax }) { return multi }
    if multis.count < MultiHandle.countMax(configuration), let multi = addMulti() { return multi }
    return multis.min { $0.transfers < $1.transfers }
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
    if multiWithRoom()?.add(handle) != true {
      finish(handle, TransportError(.broken, "libcurl refused the request"))
    }
  }

  private func cancel(_ transfer: Transfer) {
    transfer.isCancelled = true
    if let handle = transfer.handle { finish(handle, CancellationError()) }
  }

  /// Collects the transfers that have ended.
  private func reap() {
    for multi in multis {
      while let (handle, code) = multi.ended() {
        finish(handle, code == CURLE_OK ? nil : TransportError(code, handle))
      }
    }
  }

  private func finish(_ handle: EasyHandle, _ failure: (any Error)?) {
    handle.multi?.remove(handle)
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
  func watch(_ socket: Int32, of multi: MultiHandle, for what: Int32) {
    let mark = UInt64(multi.index) << 32 | UInt64(UInt32(bitPattern: socket))
    var event = epoll_event(events: 0, data: epoll_data_t(u64: mark))
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

  private func fireTimers() { for multi in multis { multi.fireTimer() } }

  private var millisecondsToTimer: Int32 {
    var first: UInt64?
    for multi in multis {
      if let due = multi.due { first = min(due, first ?? due) }
    }
    guard let timer = first else { return -1 }
    let now = Self.now
    return timer <= now ? 0 : Int32(clamping: (timer - now + 999_999) / 1_000_000)
  }

  static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
