// SPDX-License-Identifier: Apache-2.0
import Core
import NIOCore
import NIOHTTPTypes
import Synchronization

/// What one connection is doing: lets a client that goes away cancel its run, and a stopping server close politely.
final class Connection: ChannelInboundHandler, RemovableChannelHandler, Sendable {
  typealias InboundIn = HTTPRequestPart

  /// The connection whose request this task answers.
  @TaskLocal static var current: Connection?

  /// How long a client gets to read the last answer before its unread bytes reset the connection.
  static let lingering = TimeAmount.seconds(2)
  /// How long cancelled requests get to answer before their connection is cut.
  static let cancellation = TimeAmount.seconds(1)

  private struct State {
    var isAnswering = false
    var hasReadBody = false
    /// Requests whose answers have begun, and requests that have come to their end.
    var begun = 0
    var received = 0
    var isClosing = false
    var hasPeerLeft = false
    var cancel: (@Sendable () -> Void)?
    var quiesce: (@Sendable () -> Void)?
  }

  let channel: any Channel
  /// Of the other end; `nil` = it is no IP address.
  let address: String?
  private let drain: Drain
  private let metrics: ServerMetrics
  let wire: WireEnd
  private let state = Mutex(State())
  /// Whether any request has come this far.
  private let hasRequests = Atomic(false)

  init(channel: any Channel, requestTime: Duration, drain: Drain, metrics: ServerMetrics) {
    self.channel = channel
    address = channel.remoteAddress?.ipAddress
    self.drain = drain
    self.metrics = metrics
    wire = WireEnd(limit: TimeAmount(requestTime))
  }

  /// Closes a connection that a stopping server has accepted: it was told to stop before it could listen.
  func isReady() {
    wire.onLate { [weak self] lateness in self?.cutOff(lateness) ?? true }
    if drain.isOn { quiesce(channel) }
  }

  // MARK: The request under way

  /// Begins a request; false when the connection is being closed and answers no more.
  func begin() -> Bool {
    let begins = state.withLock { state in
      if state.isClosing { return false }
      state.isAnswering = true
      state.begun += 1
      state.hasReadBody = false
      return true
    }
    if begins { drain.enter() }
    return begins
  }

  /// Ends a request whose answer has been written.
  func end(on channel: any Channel) {
    let closes = state.withLock { state in
      state.isAnswering = false
      state.cancel = nil
      state.quiesce = nil
      return state.isClosing
    }
    if closes { linger(channel) }
    drain.leave()
    // Asked after `isAnswering` is false: a stop that saw it true leaves the closing to this place. The answer did
    // not say that it is the last one, so the next request is still told why.
    if !closes, drain.isOn { closeWhenIdle(channel) }
  }

  /// Whether the request's body, if it has one, has been read to its end.
  var hasReadBody: Bool {
    get { state.withLock { $0.hasReadBody } }
    set { state.withLock { $0.hasReadBody = newValue } }
  }

  /// Whether the server is stopping.
  var isDraining: Bool { drain.isOn }

  /// Makes the answer that is being written the last one.
  func closeAfterAnswer() { state.withLock { $0.isClosing = true } }

  /// Calls `cancel` when the client goes away before the request ends, or at once if it already has.
  func onDeparture(_ cancel: @escaping @Sendable () -> Void) {
    let hasLeft = state.withLock { state in
      if !state.hasPeerLeft { state.cancel = cancel }
      return state.hasPeerLeft
    }
    if hasLeft { cancel() }
  }

  /// Calls `quiesce` when the server begins to stop: for an answer that goes on until somebody ends it.
  func onQuiesce(_ quiesce: @escaping @Sendable () -> Void) {
    state.withLock { $0.quiesce = quiesce }
    if drain.isOn { quiesce() }
  }

  private func cancelRequest() { state.withLock { $0.cancel }?() }

  private func peerLeft() {
    state.withLock { $0.hasPeerLeft = true }
    cancelRequest()
  }

  /// Sends what is written and then an end of stream; reads on for a while, because a reset would destroy the answer.
  private func linger(_ channel: any Channel) {
    let ended = channel.eventLoop.makePromise(of: Void.self)
    channel.close(mode: .output, promise: ended)
    // Only once all of it has left: a client may take long over a large answer, as long as it takes it.
    ended.futureResult.whenComplete { _ in
      channel.eventLoop.scheduleTask(in: Self.lingering) { channel.close(promise: nil) }
    }
  }

  // MARK: Events of the channel

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    hasRequests.store(true, ordering: .relaxed)
    if case .end = unwrapInboundIn(data) {
      state.withLock { $0.received += 1 }
      wire.requestEnded()
    }
    context.fireChannelRead(data)
  }

  /// Answers a first request that is no HTTP; later ones are left to the framework, which knows their turn.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard !(error is IOError), !(error is ChannelError), !hasRequests.load(ordering: .relaxed),
      answer(.malformed(error), on: context.channel)
    else { return context.fireErrorCaught(error) }
  }

  /// Answers what never became a request, as the last answer; false when nothing can be written any more.
  private func answer(_ problem: Problem, on channel: any Channel) -> Bool {
    guard let context = try? channel.pipeline.syncOperations.context(handler: wire) else { return false }
    closeAfterAnswer()
    let requestID = Identifier.randomUUID()
    let reply = problem.reply(requestID: requestID)
    context.writeAndFlush(NIOAny(ByteBuffer(bytes: reply.rawBytes(requestID: requestID))), promise: nil)
    linger(channel)
    return true
  }

  /// Ends the connection of a client that is too slow; on the channel's loop.
  ///
  /// - Returns: False for a client that waits for the answer to what it has sent, and has begun the next request.
  private func cutOff(_ lateness: WireEnd.Lateness) -> Bool {
    if case .sending = lateness, state.withLock({ $0.isAnswering && $0.received >= $0.begun }) {
      return false
    }
    metrics.cutOff(lateness == .sending ? .slowRequest : .slowReader)
    if case .sending = lateness, !state.withLock({ $0.isAnswering || $0.isClosing }),
      answer(.requestTimeout, on: channel)
    {
      return true
    }
    channel.close(promise: nil)
    return true
  }

  func channelInactive(context: ChannelHandlerContext) {
    peerLeft()
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case ChannelEvent.inputClosed:
      // A client that closed its side and waits is rare; one that is gone looks the same, and is not.
      peerLeft()
      if state.withLock({ $0.isClosing && !$0.isAnswering }) { context.close(promise: nil) }
      context.fireUserInboundEventTriggered(event)
    case is ChannelShouldQuiesceEvent:
      // Kept from the framework, which would close a kept connection without a word.
      quiesce(context.channel)
    default:
      context.fireUserInboundEventTriggered(event)
    }
  }

  /// Closes a kept connection once the last request of the server is answered.
  private func closeWhenIdle(_ channel: any Channel) {
    // Later on the loop: the answer of a request that has just ended may still stand in its queue.
    drain.whenIdle { channel.eventLoop.execute { self.closeKept(channel) } }
  }

  /// Closes a connection on which nothing is being answered.
  private func closeKept(_ channel: any Channel) {
    let closes = state.withLock { state in
      if state.isAnswering || state.isClosing { return false }
      state.isClosing = true
      return true
    }
    guard closes else { return }
    if hasRequests.load(ordering: .relaxed) { linger(channel) } else { channel.close(promise: nil) }
  }

  private func quiesce(_ channel: any Channel) {
    drain.begin()
    state.withLock { $0.quiesce }?()
    if !state.withLock({ $0.isAnswering }) { closeWhenIdle(channel) }
    let limit = TimeAmount(drain.limit)
    channel.eventLoop.scheduleTask(in: limit) { self.cancelRequest() }
    channel.eventLoop.scheduleTask(in: limit + Self.cancellation) { channel.close(promise: nil) }
  }
}
