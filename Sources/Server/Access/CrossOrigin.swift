// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import Hummingbird

/// What pages of other origins may do. No cookie says who asks here, so that none is ever allowed.
///
/// Source: Fetch standard, 3.2 (CORS protocol).
struct CrossOrigin: Sendable {
  /// How long a browser may keep the answer to a preflight.
  private static let maxAgeSeconds = 600
  private static let methods = "GET, HEAD, POST, PATCH, DELETE"
  private static let requestFields =
    "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-API-Key, X-Request-Id, traceparent, tracestate"
  private static let answerFields =
    "X-Request-Id, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Location, WWW-Authenticate"

  private let origins: Set<String>
  private let allowsAll: Bool

  /// - Parameter origins: As browsers write them, `https://app.example.com`; `*` = all.
  init(_ origins: [String]) {
    self.origins = Set(origins.map { $0.lowercased() })
    allowsAll = origins.contains("*")
  }

  /// Whether it is one of those that are named: `*` is no reason to let a page be the user of this machine.
  func names(_ origin: String) -> Bool { origins.contains(origin.lowercased()) && origin != "*" }

  func allows(_ origin: String) -> Bool { allowsAll || origins.contains(origin.lowercased()) }

  /// Adds what a browser wants to know before it shows an answer to the page that asked.
  func mark(_ headers: inout HTTPFields, for request: Request) {
    guard !origins.isEmpty else { return }
    // Whoever keeps answers may not hand one out to another origin.
    if !allowsAll { headers[values: .vary].append("Origin") }
    guard let origin = request.headers[.origin], allows(origin) else { return }
    headers[.accessControlAllowOrigin] = allowsAll ? "*" : origin
    headers[.accessControlExposeHeaders] = Self.answerFields
  }

  /// The answer to a browser that asks whether it may send a request; `nil` = it does not ask that.
  func preflight(_ request: Request) -> Reply? {
    guard request.method == .options, !origins.isEmpty, let origin = request.headers[.origin],
      request.headers[.accessControlRequestMethod] != nil
    else { return nil }
    var reply = Reply.noContent
    guard allows(origin) else { return reply }
    reply.headers[.accessControlAllowMethods] = Self.methods
    reply.headers[.accessControlAllowHeaders] = Self.requestFields
    reply.headers[.accessControlMaxAge] = String(Self.maxAgeSeconds)
    return reply
  }
}
