// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import JSONCodec

/// An error as its caller sees it, and the only place where errors become HTTP.
///
/// Source: RFC 9457.
struct Problem: Error, Sendable {
  /// One thing that is wrong with a request.
  struct Fault: Sendable, Hashable {
    /// The body's field or the query's parameter.
    let field: String
    let message: String
  }

  var status: HTTPResponse.Status
  var code: String
  /// One line that is safe to show.
  var detail: String
  var faults: [Fault] = []
  var retryAfterSeconds: Double?
  var headers = HTTPFields()
  /// For the log only.
  var diagnostic: String?
}

// MARK: What can be wrong with a request

extension Problem {
  static func invalid(_ faults: [Fault]) -> Problem {
    let detail = faults.map { $0.field.isEmpty ? $0.message : "\($0.field) \($0.message)" }
      .joined(separator: "; ")
    return Problem(
      status: .badRequest, code: Failure.Code.invalidArguments.rawValue, detail: detail, faults: faults)
  }

  static func invalid(_ detail: String) -> Problem {
    Problem(status: .badRequest, code: Failure.Code.invalidArguments.rawValue, detail: detail)
  }

  static func noSuchPath(_ path: String) -> Problem {
    Problem(status: .notFound, code: Failure.Code.notFound.rawValue, detail: "there is nothing at \(path)")
  }

  static func wrongMethod(_ method: HTTPRequest.Method, allowed: String) -> Problem {
    Problem(
      status: .methodNotAllowed, code: "method_not_allowed",
      detail: "\(method.rawValue) is not allowed here; allowed: \(allowed)",
      headers: [.allow: allowed])
  }

  static func bodyTooLarge(bytesMax: Int) -> Problem {
    Problem(
      status: .contentTooLarge, code: "too_large", detail: "the body is larger than \(bytesMax) bytes")
  }

  static func wrongType(_ type: String, wanted: String) -> Problem {
    Problem(
      status: .unsupportedMediaType, code: "unsupported_media_type",
      detail: "the body must be \(wanted)\(type.isEmpty ? "" : ", not \(type)")", headers: [.accept: wanted])
  }

  /// Source: RFC 9112, 6.1.
  static let unknownCoding =
    Problem(
      status: .notImplemented, code: "not_implemented",
      detail: "a body may come in chunks, and in no other transfer coding than that")

  /// What came cannot be read as HTTP: a broken line, or a head that is too large.
  static func malformed(_ error: any Error) -> Problem {
    var problem = Problem.invalid("the request is not HTTP/1.1 that this server reads: \(error)")
    problem.headers[.connection] = "close"
    return problem
  }

  static let requestTimeout = Problem(
    status: .requestTimeout, code: Failure.Code.timeout.rawValue,
    detail: "the request did not come to its end in time", headers: [.connection: "close"])

  /// The body broke off: most likely nobody is there to read this.
  static let bodyIncomplete = Problem.invalid("the body ended before it was complete")

  static let draining = Problem(
    status: .serviceUnavailable, code: "shutting_down", detail: "the server is stopping; try again",
    retryAfterSeconds: 1)
}

// MARK: What can go wrong in the server

extension Problem {
  /// - Parameter isDraining: Whether runs are cancelled because the server stops, not because their client left.
  init(_ error: any Error, isDraining: Bool = false) {
    switch error {
    case let problem as Problem: self = problem
    default: self.init(Failure(error), isDraining: isDraining)
    }
  }

  /// Maps a failure by its code.
  ///
  /// | code | status |
  /// |---|---|
  /// | `invalid_arguments` | 400 |
  /// | `denied` | 403 |
  /// | `not_found` | 404 |
  /// | `conflict` | 409 |
  /// | `rejected`, and any code that a script made up | 422: the agent said no, and the code is its word for why |
  /// | `rate_limited` | 429 |
  /// | `cancelled` | 499, 503 while the server stops |
  /// | `limit` | 503 when a retry helps (the server is full), else 500 (the agent is over its budget) |
  /// | `upstream` | 504 after a time-out, 503 when the provider says when to come back, else 502 |
  /// | `timeout` | 504 |
  /// | `internal`, and anything that is no code | 500 with nothing but the request's id |
  init(_ failure: Failure, isDraining: Bool) {
    let isCode = Self.isCode(failure.code.rawValue)
    let status = isCode ? Self.status(of: failure, isDraining: isDraining) : .internalServerError
    let isOurs = status == .internalServerError && failure.code != .limit
    self.init(
      status: status, code: isOurs ? Failure.Code.internal.rawValue : failure.code.rawValue,
      detail: isOurs ? "something went wrong in the server; its log has this request's id" : failure.message,
      faults: failure.code == .invalidArguments ? Self.faults(in: failure.detail) : [],
      retryAfterSeconds: failure.retryAfterSeconds,
      diagnostic: isOurs
        ? [failure.description, failure.diagnostic].compactMap(\.self).joined(separator: "\n")
        : failure.diagnostic)
  }

  private static func status(of failure: Failure, isDraining: Bool) -> HTTPResponse.Status {
    switch failure.code {
    case .invalidArguments: .badRequest
    case .denied: .forbidden
    case .notFound: .notFound
    case .conflict: .conflict
    case .rateLimited: .tooManyRequests
    case .cancelled: isDraining ? .serviceUnavailable : .clientClosedRequest
    case .limit: failure.retryable ? .serviceUnavailable : .internalServerError
    case .upstream: upstreamStatus(failure)
    case .timeout: .gatewayTimeout
    case .internal: .internalServerError
    default: .unprocessableContent
    }
  }

  private static func upstreamStatus(_ failure: Failure) -> HTTPResponse.Status {
    switch failure.detail?["kind"]?.string {
    case "timeout": .gatewayTimeout
    case "rateLimited", "unavailable": .serviceUnavailable
    default: failure.retryAfterSeconds == nil ? .badGateway : .serviceUnavailable
    }
  }

  /// Lower-case words with `_`, `.` or `-`, at most 64 bytes: what a script may give as its own code.
  private static func isCode(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): true
        default: false
        }
      }
  }

  private static func faults(in detail: JSON?) -> [Fault] {
    (detail?.array ?? []).compactMap { item in
      guard let field = item["field"]?.string, let message = item["message"]?.string else { return nil }
      return Fault(field: field, message: message)
    }
  }
}

// MARK: The document

extension Problem {
  static let contentType = "application/problem+json"

  func reply(requestID: String) -> Reply {
    var reply = Reply(status: status, contentType: Self.contentType, bytes: document(requestID: requestID))
    reply.headers = headers
    if let seconds = retryAfter { reply.headers[.retryAfter] = String(seconds) }
    return reply
  }

  /// The problem document.
  func document(requestID: String) -> [UInt8] {
    var writer = JSONWriter(reservingCapacity: 256 + detail.utf8.count)
    write(to: &writer, requestID: requestID)
    return writer.bytes
  }

  func write(to writer: inout JSONWriter, requestID: String) {
    writer.object {
      $0.member("type", "urn:perigee:problem:\(code)")
      writeMembers(to: &$0, requestID: requestID)
    }
  }

  /// Writes the members but `type`.
  func writeMembers(to writer: inout JSONWriter, requestID: String) {
    writer.member("title", title)
    writer.member("status", status.code)
    writer.member("detail", detail)
    writer.member("code", code)
    writer.member("request_id", requestID)
    guard !faults.isEmpty else { return }
    writer.key("errors")
    writer.array { list in
      for fault in faults {
        list.object {
          $0.member("field", fault.field)
          $0.member("message", fault.message)
        }
      }
    }
  }

  /// Whole seconds; a 429 and a 503 always say when to come back.
  var retryAfter: Int? {
    let isTemporary = status == .tooManyRequests || status == .serviceUnavailable
    guard let seconds = retryAfterSeconds ?? (isTemporary ? 1 : nil) else { return nil }
    return max(1, Int(min(seconds, 86_400).rounded(.up)))
  }

  /// What all problems of this code have in common.
  private var title: String {
    switch code {
    case "invalid_arguments": "The request is not valid"
    case "denied": "Not allowed"
    case "not_found": "Not found"
    case "conflict": "Conflict"
    case "rejected": "The agent rejected the message"
    case "rate_limited": "Too many requests"
    case "cancelled": "The run was cancelled"
    case "limit": "A limit was reached"
    case "upstream": "The model provider failed"
    case "timeout": "Out of time"
    case "internal": "Internal error"
    case "method_not_allowed": "Method not allowed"
    case "too_large": "The body is too large"
    case "unsupported_media_type": "Unsupported media type"
    case "idempotency_key_reused": "The Idempotency-Key was used for another request"
    case "version_refused": "The version does not load"
    case "upgrade_required": "Upgrade required"
    case "shutting_down": "The server is stopping"
    default: "The agent failed"
    }
  }
}

extension HTTPResponse.Status {
  /// Read by who asked for a run that somebody cancelled, or whose place the next message took. Source: nginx.
  static let clientClosedRequest = HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request")
}
