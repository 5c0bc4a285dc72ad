// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

#if canImport(Glibc)
  import Glibc
#endif

/// The framework's HTTP/1.1 channel, with a ``Connection`` in its pipeline.
struct ConnectionChannel: ServerChildChannel {
  /// One accepted connection.
  struct Value: ServerChildChannelValue {
    let http: HTTP1Channel
    let inner: HTTP1Channel.Value
    let connection: Connection
    fileprivate let acceptance: Acceptance
    var channel: any Channel { inner.channel }
  }

  /// Closes its connection when nobody has it any more: a server that stops drops what it has just accepted.
  fileprivate final class Acceptance: Sendable {
    private let channel: any Channel
    init(of channel: any Channel) { self.channel = channel }
    deinit { channel.close(promise: nil) }
  }

  let responder: HTTPChannelHandler.Responder
  let configuration: Server.Configuration
  let certificate: TLSCertificate?
  let limits: ConnectionLimits
  let metrics: ServerMetrics
  let drain: Drain

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    guard let place = limits.admit(from: channel.remoteAddress?.ipAddress) else {
      metrics.cutOff(.tooMany)
      channel.close(promise: nil)
      return channel.eventLoop.makeFailedFuture(ChannelError.alreadyClosed)
    }
    channel.closeFuture.whenComplete { [limits] _ in limits.leave(place) }
    let connection = Connection(
      channel: channel, requestTime: configuration.requestTime, drain: drain, metrics: metrics)
    let http = HTTP1Channel(
      responder: { [responder, bodyBytesMax = configuration.bodyBytesMax] request, writer, channel in
        guard connection.begin() else { throw ChannelError.alreadyClosed }
        defer { connection.end(on: channel) }
        if request.wantsContinue(bodyBytesMax: bodyBytesMax) {
          try await writer.writeInformationalHead(HTTPResponse(status: .continue))
        }
        try await responder(request, writer, channel)
      },
      configuration: HTTP1Channel.Configuration(
        additionalChannelHandlers: [connection],
        idleTimeout: TimeAmount(configuration.idleTimeout),
        httpDecoderConfiguration: .init(
          maxHeaderFieldSize: configuration.headerBytesMax, maxHeaderListSize: configuration.headerBytesMax,
          maxHeaderFieldCount: configuration.headersMax)))
    return channel.eventLoop.makeCompletedFuture { [certificate] in
      let pipeline = channel.pipeline.syncOperations
      try pipeline.addHandler(connection.wire, position: .first)
      if let certificate { try pipeline.addHandler(certificate.handler(), position: .first) }
      try channel.watchForDeadPeer()
    }.flatMap {
      http.setup(channel: channel, logger: logger)
    }.map { inner in
      // What is dropped must not go before its connection does.
      channel.closeFuture.whenComplete { _ in withExtendedLifetime(inner) {} }
      connection.isReady()
      return Value(http: http, inner: inner, connection: connection, acceptance: Acceptance(of: channel))
    }
  }

  func handle(value: Value, logger: Logger) async {
    await Connection.$current.withValue(value.connection) {
      await value.http.handle(value: value.inner, logger: logger)
    }
    withExtendedLifetime(value.acceptance) {}
  }
}

extension Channel {
  /// Lets the system find out that the other end is gone without having said so: it asks after two minutes of
  /// silence, and gives up after two minutes without an answer.
  fileprivate func watchForDeadPeer() throws {
    guard let options = syncOptions, remoteAddress?.ipAddress != nil else { return }
    try options.setOption(.socketOption(.so_keepalive), value: 1)
    #if os(Linux)
      // Seconds, seconds, how often; and milliseconds for what was sent and is not confirmed. Source: RFC 5482.
      for (option, value) in [
        (TCP_KEEPIDLE, 120), (TCP_KEEPINTVL, 30), (TCP_KEEPCNT, 4), (TCP_USER_TIMEOUT, 120_000),
      ] {
        try options.setOption(.tcpOption(.init(rawValue: CInt(option))), value: Int(value))
      }
    #endif
  }
}

extension Request {
  /// Bytes of the body that its sender announced; `nil` when it comes in chunks, or not at all.
  var declaredBodyBytes: Int? { headers.first { $0.name == .contentLength }.flatMap { Int($0.value) } }

  /// Whether the client waits to be told that its body is wanted; one that is too large is not.
  ///
  /// Source: RFC 9110, 10.1.1.
  fileprivate func wantsContinue(bodyBytesMax: Int) -> Bool {
    guard let expectation = headers[.expect] else { return false }
    return expectation.lowercased() == "100-continue" && declaredBodyBytes ?? 0 <= bodyBytesMax
  }
}
