// SPDX-License-Identifier: Apache-2.0
import CCurl

/// A libcurl multi handle: some transfers, and the connections that they leave; belongs to the loop thread.
///
/// libcurl looks for a free connection among all that a handle has to the host, one after the other. So transfers are
/// spread: with 8,000 at once in one handle, looking took more than half of the server's processor time.
final class MultiHandle {
  /// Transfers at once, before the next handle gets some.
  static let transfersMax = 128

  private(set) var raw: UnsafeMutableRawPointer
  /// Place among the loop's handles.
  let index: Int
  private(set) var transfers = 0
  /// When libcurl wants to be called without an event, in nanoseconds of the monotonic clock.
  private var timer: UInt64?
  /// When the connections are closed that its last transfers have left.
  private var closesAt: UInt64?
  private let configuration: HTTPClient.Configuration
  // The loop owns it, and is there as long as its handles are: at its end, too, when libcurl may call once more.
  private unowned(unsafe) let loop: EventLoop

  init?(_ configuration: HTTPClient.Configuration, at index: Int, in loop: EventLoop) {
    guard let raw = curl_multi_init() else { return nil }
    self.raw = raw
    self.index = index
    self.loop = loop
    self.configuration = configuration
    configure()
  }

  private func configure() {
    ccurl_multi_set_long(raw, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
    // libcurl's own limit is 100, beyond which every request opens a connection; the server's limit counts.
    ccurl_multi_set_long(raw, CURLMOPT_MAX_CONCURRENT_STREAMS, 1000)
    let countMax = Self.countMax(configuration)
    ccurl_multi_set_long(raw, CURLMOPT_MAXCONNECTS, max(1, configuration.idleConnectionsMax / countMax))
    ccurl_multi_set_long(raw, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.connectionsPerHostMax / countMax)
    ccurl_multi_set_callbacks(raw, watchSocket, setLoopTimer, Unmanaged.passUnretained(self).toOpaque())
  }

  deinit { curl_multi_cleanup(raw) }

  /// Of one loop. Each has its share of the connections that a host may have.
  static func countMax(_ configuration: HTTPClient.Configuration) -> Int {
    configuration.connectionsPerHostMax == 0 ? 64 : max(1, configuration.connectionsPerHostMax / transfersMax)
  }

  func add(_ handle: EasyHandle) -> Bool {
    handle.multi = self
    transfers += 1
    closesAt = nil
    return curl_multi_add_handle(raw, handle.raw) == CURLM_OK
  }

  func remove(_ handle: EasyHandle) {
    curl_multi_remove_handle(raw, handle.raw)
    handle.multi = nil
    transfers -= 1
    // The first has the next request, and its idle connections are looked at then; libcurl looks at no others.
    if transfers == 0, index > 0 {
      closesAt = EventLoop.now + UInt64(configuration.idleTime / .nanoseconds(1))
    }
  }

  /// When it wants to be called, whatever happens; `nil` = not at all.
  var due: UInt64? {
    guard let timer, let closesAt else { return timer ?? closesAt }
    return min(timer, closesAt)
  }

  /// Does what is due.
  func fireTimer() {
    // libcurl may set the timer again, to at once, several times on the way to a connection.
    while let due = timer, due <= EventLoop.now {
      timer = nil
      act(on: -1)
    }
    if let due = closesAt, due <= EventLoop.now { closeConnections() }
  }

  private func closeConnections() {
    closesAt = nil
    guard let fresh = curl_multi_init() else { return }
    curl_multi_cleanup(raw)
    timer = nil
    raw = fresh
    configure()
  }

  /// Lets libcurl do what there is to do with a socket; -1 = what is due.
  func act(on socket: Int32, _ actions: Int32 = 0) {
    var running: Int32 = 0
    curl_multi_socket_action(raw, socket, actions, &running)
  }

  /// The next transfer that has ended.
  func ended() -> (handle: EasyHandle, code: CURLcode)? {
    var left: Int32 = 0
    while let message = curl_multi_info_read(raw, &left) {
      guard message.pointee.msg == CURLMSG_DONE else { continue }
      // The message dies with the handle's removal.
      let code = message.pointee.data.result
      var context: UnsafeMutableRawPointer?
      ccurl_get_private(message.pointee.easy_handle, &context)
      if let handle = EasyHandle.from(context) { return (handle, code) }
    }
    return nil
  }

  fileprivate static func from(_ context: UnsafeMutableRawPointer?) -> MultiHandle? {
    context.map { Unmanaged<MultiHandle>.fromOpaque($0).takeUnretainedValue() }
  }

  fileprivate func watch(_ socket: Int32, for what: Int32) { loop.watch(socket, of: self, for: what) }

  fileprivate func setTimer(milliseconds: Int) {
    timer = milliseconds < 0 ? nil : EventLoop.now + UInt64(milliseconds) * 1_000_000
  }
}

private func watchSocket(
  _ easy: UnsafeMutableRawPointer?, _ socket: curl_socket_t, _ what: Int32,
  _ context: UnsafeMutableRawPointer?, _ socketContext: UnsafeMutableRawPointer?
) -> Int32 {
  MultiHandle.from(context)?.watch(socket, for: what)
  return 0
}

private func setLoopTimer(
  _ multi: UnsafeMutableRawPointer?, _ milliseconds: Int, _ context: UnsafeMutableRawPointer?
) -> Int32 {
  MultiHandle.from(context)?.setTimer(milliseconds: milliseconds)
  return 0
}
