// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOWebSocket
import Synchronization

/// Takes a connection over from HTTP: frames go between the socket and one task, and nothing reaches HTTP any more.
final class FrameBridge: ChannelDuplexHandler, Sendable {
  typealias InboundIn = WebSocketFrame
  typealias OutboundIn = Any
  typealias OutboundOut = Any

  /// Frames that may wait to be read; then the socket is left alone.
  private static let waitingMax = 8
  private static let fragmentsMax = 1024

  /// Why no more frames come.
  enum End: Sendable {
    /// The connection is gone.
    case departed
    /// The server stops.
    case goingAway
    /// What came is not WebSocket, or too large.
    case failed(WebSocketErrorCode)
  }

  /// How long a client gets to answer a close.
  private static let closing = TimeAmount.seconds(2)

  private struct State {
    var isClosing = false
    var frames: [WebSocketFrame] = []
    var end: End?
    var isReadHeld = false
    var waiting: CheckedContinuation<Void, Never>?
  }

  private let channel: any Channel
  private let messageBytesMax: Int
  private let state = Mutex(State())

  init(channel: any Channel, messageBytesMax: Int) {
    self.channel = channel
    self.messageBytesMax = messageBytesMax
  }

  /// Takes over what comes in; must happen before the client is told that it may send frames.
  func takeInput() async throws {
    let decoder = (frameBytes: messageBytesMax, fragments: Self.fragmentsMax)
    try await channel.eventLoop.submit {
      let pipeline = self.channel.pipeline.syncOperations
      let wire = try pipeline.handler(type: WireEnd.self)
      wire.takeOver()
      try pipeline.addHandlers(
        [
          ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: decoder.frameBytes)), MaskCheck(),
          NIOWebSocketFrameAggregator(
            minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: decoder.fragments,
            maxAccumulatedFrameSize: decoder.frameBytes),
          self,
        ], position: .after(wire))
    }.get()
  }

  /// Takes over what goes out; HTTP may write nothing after this.
  func takeOutput() async throws {
    try await channel.eventLoop.submit {
      let pipeline = self.channel.pipeline.syncOperations
      try pipeline.addHandler(
        WebSocketFrameEncoder(), position: .after(pipeline.handler(type: WireEnd.self)))
    }.get()
  }

  // MARK: The task's side

  /// The next frame; `nil` when none will come, see ``end``. For one task.
  func next() async -> WebSocketFrame? {
    while true {
      let (frame, isOver, wasHeld) = state.withLock { state -> (WebSocketFrame?, Bool, Bool) in
        if case .goingAway = state.end { return (nil, true, false) }
        guard !state.frames.isEmpty else { return (nil, state.end != nil, false) }
        defer { state.isReadHeld = false }
        return (state.frames.removeFirst(), false, state.isReadHeld)
      }
      if wasHeld { channel.read() }
      if frame != nil || isOver { return frame }
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          let isReady = !state.frames.isEmpty || state.end != nil
          if !isReady { state.waiting = continuation }
          return isReady
        }
        if isReady { continuation.resume() }
      }
    }
  }

  var end: End? { state.withLock { $0.end } }

  /// Ends the frames that come in; the first reason counts.
  func finish(_ end: End) { change { $0.end = $0.end ?? end } }

  /// Returns when the frame has been handed to the system.
  func write(_ opcode: WebSocketOpcode, _ data: ByteBuffer) async throws {
    try await channel.eventLoop.flatSubmit { () -> EventLoopFuture<Void> in
      do {
        let context = try self.channel.pipeline.syncOperations.context(handler: self)
        return context.writeAndFlush(NIOAny(WebSocketFrame(fin: true, opcode: opcode, data: data)))
      } catch {
        return self.channel.eventLoop.makeFailedFuture(error)
      }
    }.get()
  }

  /// Says why, and returns when the connection is closed, which waits for the client's word unless this answers it.
  func close(_ code: WebSocketErrorCode, isAnswer: Bool) async {
    change { state in
      state.isClosing = true
      state.frames = []
    }
    var data = ByteBuffer()
    data.write(webSocketErrorCode: code)
    channel.eventLoop.scheduleTask(in: Self.closing) { self.channel.close(promise: nil) }
    try? await write(.connectionClose, data)
    if isAnswer { channel.close(promise: nil) } else { channel.read() }
    try? await channel.closeFuture.get()
  }

  /// Hands a frame to the system and does not wait: a client that reads nothing holds nobody up.
  func writeSoon(_ opcode: WebSocketOpcode) {
    channel.eventLoop.execute {
      let context = try? self.channel.pipeline.syncOperations.context(handler: self)
      let frame = WebSocketFrame(fin: true, opcode: opcode, data: ByteBuffer())
      context?.writeAndFlush(NIOAny(frame), promise: nil)
    }
  }

  private func change(_ body: (inout State) -> Void) {
    let waiting = state.withLock { state in
      body(&state)
      return state.waiting.take()
    }
    waiting?.resume()
  }

  // MARK: The channel's side

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = Self.unwrapInboundIn(data)
    if state.withLock({ $0.isClosing }) {
      if frame.opcode == .connectionClose { context.close(promise: nil) }
    } else {
      change { $0.frames.append(frame) }
    }
  }

  func read(context: ChannelHandlerContext) {
    let isFull = state.withLock { state in
      state.isReadHeld = state.frames.count >= Self.waitingMax
      return state.isReadHeld
    }
    if !isFull { context.read() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error {
    case NIOWebSocketError.invalidFrameLength,
      NIOWebSocketFrameAggregator.Error.accumulatedFrameSizeIsTooLarge,
      NIOWebSocketFrameAggregator.Error.tooManyFragments:
      finish(.failed(.messageTooLarge))
    case is NIOWebSocketError, is NIOWebSocketFrameAggregator.Error, is MaskCheck.Missing:
      finish(.failed(.protocolError))
    default: finish(.departed)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    finish(.departed)
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed = event { finish(.departed) }
    context.fireUserInboundEventTriggered(event)
  }
}

/// Refuses frames that are not masked, as a client's must be. Source: RFC 6455, 5.1.
private final class MaskCheck: ChannelInboundHandler {
  struct Missing: Error {}

  typealias InboundIn = WebSocketFrame
  typealias InboundOut = WebSocketFrame

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if Self.unwrapInboundIn(data).maskKey == nil {
      context.fireErrorCaught(Missing())
    } else {
      context.fireChannelRead(data)
    }
  }
}
