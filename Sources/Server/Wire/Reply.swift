// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import Hummingbird
import JSONCodec
import NIOCore

/// An answer before it is written: status, headers, and its body, or what writes events as its body.
struct Reply: Sendable {
  var status: HTTPResponse.Status
  /// `nil` without a body.
  var contentType: String?
  var bytes: [UInt8]
  /// Besides `Content-Type`, `Content-Length` and those that every answer has.
  var headers = HTTPFields()
  /// In place of ``bytes``: writes server-sent events, given the request's identifier.
  var stream: Stream?
  /// The run that answered, for the log.
  var run: ChatReply?
  /// Ends HTTP on the connection and speaks something else, given the request's identifier.
  var takeover: (@Sendable (String) async throws -> Void)?

  typealias Stream = @concurrent @Sendable (inout any ResponseBodyWriter, String) async throws -> Void

  init(status: HTTPResponse.Status = .ok, contentType: String?, bytes: [UInt8]) {
    self.status = status
    self.contentType = contentType
    self.bytes = bytes
  }

  static func events(_ events: EventStream) -> Reply { stream(events.write) }

  static func stream(_ stream: @escaping Stream) -> Reply {
    var reply = Reply(contentType: nil, bytes: [])
    reply.headers = EventStream.headers
    reply.stream = stream
    return reply
  }

  static func upgrade(
    _ handshake: WebSocketHandshake, _ takeover: @escaping @Sendable (String) async throws -> Void
  ) -> Reply {
    var reply = Reply(status: .switchingProtocols, contentType: nil, bytes: [])
    reply.headers = handshake.headers
    reply.takeover = takeover
    return reply
  }

  static let noContent = Reply(status: .noContent, contentType: nil, bytes: [])

  static func json(status: HTTPResponse.Status = .ok, _ bytes: [UInt8]) -> Reply {
    Reply(status: status, contentType: "application/json", bytes: bytes)
  }

  static func json(status: HTTPResponse.Status = .ok, _ body: (inout JSONWriter) -> Void) -> Reply {
    var writer = JSONWriter(reservingCapacity: 512)
    writer.object(body)
    return json(status: status, writer.bytes)
  }

  static func text(_ text: String, contentType: String = "text/plain; charset=utf-8") -> Reply {
    Reply(contentType: contentType, bytes: Array(text.utf8))
  }

  /// - Parameters:
  ///   - common: Fields that count where the answer has none of that name.
  ///   - isHead: The head alone is wanted: the length of the body is told, the body is not sent.
  func response(_ common: HTTPFields, requestID: String, isHead: Bool, closes: Bool) -> Response {
    var fields = headers
    fields.reserveCapacity(headers.count + common.count + 4)
    for field in common where headers.isEmpty || !headers.contains(field.name) { fields.append(field) }
    if let contentType { fields.append(HTTPField(name: .contentType, value: contentType)) }
    fields.append(HTTPField(name: .requestID, value: requestID))
    if closes { fields[.connection] = "close" }
    if let takeover, !isHead {
      return Response(
        status: status, headers: fields,
        body: ResponseBody { _ in
          try await takeover(requestID)
          // Not the end of an answer: nothing that HTTP would write may follow.
          throw ChannelError.alreadyClosed
        })
    }
    if let stream, !isHead {
      return Response(
        status: status, headers: fields,
        body: ResponseBody { writer in try await stream(&writer, requestID) })
    }
    guard !isHead, !bytes.isEmpty else {
      if contentType != nil { fields[.contentLength] = String(bytes.count) }
      return Response(status: status, headers: fields, body: ResponseBody())
    }
    return Response(
      status: status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }
}

extension Reply {
  /// The answer as HTTP/1.1, for a request that never became one.
  func rawBytes(requestID: String) -> [UInt8] {
    var text = "HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\n"
    text += "\(HTTPField.Name.requestID.rawName): \(requestID)\r\n"
    if let contentType { text += "Content-Type: \(contentType)\r\n" }
    for field in headers { text += "\(field.name.rawName): \(field.value)\r\n" }
    return Array("\(text)Content-Length: \(bytes.count)\r\n\r\n".utf8) + bytes
  }
}

extension HTTPField.Name {
  /// Ties an answer to its line in the log.
  static let requestID = known("X-Request-Id")
  static let apiKey = known("X-API-Key")
  static let idempotencyKey = known("Idempotency-Key")
  static let lastEventID = known("Last-Event-ID")
  static let forwardedFor = known("X-Forwarded-For")
  static let forwarded = known("Forwarded")
  static let traceparent = known("traceparent")
  static let tracestate = known("tracestate")
  static let referrerPolicy = known("Referrer-Policy")
  // Source: draft-ietf-httpapi-ratelimit-headers-06, 5.
  static let rateLimitLimit = known("RateLimit-Limit")
  static let rateLimitRemaining = known("RateLimit-Remaining")
  static let rateLimitReset = known("RateLimit-Reset")

  static func known(_ name: String) -> HTTPField.Name {
    guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no field name") }
    return name
  }
}
