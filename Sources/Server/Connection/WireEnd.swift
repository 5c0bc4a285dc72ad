// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Synchronization

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
    var onLate: (@Sendable (Lateness) -> Void)?
  }

  private let limit: TimeAmount
  private let state = Mutex(State())

  /// - Parameter limit: How long a request may take to come, and how long an answer may wait to be taken.
  init(limit: TimeAmount) { self.limit = limit }

  /// Calls `cutOff` on the channel's loop for a client that takes too long.
  func onLate(_ cutOff: @escaping @Sendable (Lateness) -> Void) { state.withLock { $0.onLate = cutOff } }

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
    let begins = state.withLock { state in
      defer { if state.isHTTP { state.isReceiving = true } }
      return state.isHTTP && !state.isReceiving
    }
    context.fireChannelRead(data)
    // Nearly all requests have come whole by now, and cost no timer.
    guard begins, state.withLock({ $0.isReceiving }) else { return }
    let scheduled = schedule(.sending, on: context.eventLoop)
    state.withLock { $0.request = scheduled }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable {
      state.withLock { $0.answer.take() }?.cancel()
    } else {
      let scheduled = schedule(.receiving, on: context.eventLoop)
      state.withLock { state in
        defer { state.answer = scheduled }
        return state.answer
      }?.cancel()
    }
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    let (request, answer) = state.withLock { ($0.request.take(), $0.answer.take()) }
    request?.cancel()
    answer?.cancel()
    context.fireChannelInactive()
  }

  private func schedule(_ lateness: Lateness, on loop: any EventLoop) -> Scheduled<Void> {
    loop.scheduleTask(in: limit) { [weak self] in self?.state.withLock { $0.onLate }?(lateness) }
  }
}
