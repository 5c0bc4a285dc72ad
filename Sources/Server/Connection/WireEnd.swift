// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// The end of the pipeline that is nearest to the socket, or to its TLS: what is written there is sent as it is.
///
/// Sees to it that no client takes for ever: neither to send a request, however steadily its bytes drip, nor to take
/// an answer.
final class WireEnd: ChannelInboundHandler, RemovableChannelHandler, Sendable {
  typealias InboundIn = ByteBuffer

  /// Why a client was cut off.
  enum Lateness: Sendable {
    /// It began a request, and did not end it in time.
    case sending
    /// It takes nothing of what is to be sent to it.
    case receiving
  }

  private struct State {
    /// Bytes of a request have come, and not yet its end.
    var isReceiving = false
    var isHTTP = true
    var request: Scheduled<Void>?
    var answer: Scheduled<Void>?
    var onLate: (@Sendable (Lateness) -> Bool)?
  }

  private let limit: TimeAmount
  private let state = Mutex(State())

  /// - Parameter limit: How long a request may take to come, and how long an answer may wait to be taken.
  init(limit: TimeAmount) { self.limit = limit }

  /// Calls `cutOff` on the channel's loop for a client that takes too long; it says whether it has cut it off.
  func onLate(_ cutOff: @escaping @Sendable (Lateness) -> Bool) { state.withLock { $0.onLate = cutOff } }

  /// Called on the channel's loop when a request has come to its end.
  func requestEnded() {
    let scheduled = state.withLock { state in
      state.isReceiving = false
      return state.request.take()
    }
    scheduled?.cancel()
  }

  /// From here on the connection speaks something else, which has times of its own.
  func takeOver() {
    state.withLock { $0.isHTTP = false }
    requestEnded()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    // Some clients end a body with a line of its own. Source: RFC 9112, 2.2.
    let isBlank = unwrapInboundIn(data).readableBytesView.allSatisfy { $0 == 0x0D || $0 == 0x0A }
    let begins = state.withLock { state in
      if isBlank, !state.isReceiving { return false }
      defer { if state.isHTTP { state.isReceiving = true } }
      return state.isHTTP && !state.isReceiving
    }
    context.fireChannelRead(data)
    // Nearly all requests have come whole by now, and cost no timer.
    guard begins, state.withLock({ $0.isReceiving }) else { return }
    scheduleRequest(on: context.eventLoop)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable {
      state.withLock { $0.answer.take() }?.cancel()
    } else {
      scheduleAnswer(on: context.channel)
    }
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    let (request, answer) = state.withLock { ($0.request.take(), $0.answer.take()) }
    request?.cancel()
    answer?.cancel()
    context.fireChannelInactive()
  }

  private func scheduleRequest(on loop: any EventLoop) {
    let scheduled = loop.scheduleTask(in: limit) { [weak self] in
      guard let self, state.withLock({ $0.isReceiving }) else { return }
      if state.withLock({ $0.onLate })?(.sending) == false { scheduleRequest(on: loop) }
    }
    state.withLock { $0.request = scheduled }
  }

  private func scheduleAnswer(on channel: any Channel) {
    let scheduled = channel.eventLoop.scheduleTask(in: limit) { [weak self] () -> Void in
      self?.look(at: channel)
    }
    state.withLock { state in
      defer { state.answer = scheduled }
      return state.answer
    }?.cancel()
  }

  /// Cuts off a client to whom nothing could be sent for so long; one that takes it slowly is left alone.
  private func look(at channel: any Channel) {
    #if os(Linux)
      guard let socket = channel as? any SocketOptionProvider else { return isLate() }
      // Source: tcp(7), TCP_INFO: milliseconds since data was last sent; probes of a full window do not count.
      socket.getTCPInfo().whenComplete { [weak self, limit] result in
        if case .success(let info) = result, Int64(info.tcpi_last_data_sent) < limit.nanoseconds / 1_000_000 {
          self?.scheduleAnswer(on: channel)
        } else {
          self?.isLate()
        }
      }
    #else
      isLate()
    #endif
  }

  private func isLate() { _ = state.withLock { $0.onLate }?(.receiving) }
}
