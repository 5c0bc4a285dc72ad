// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import JSONCodec
import Testing

@testable import Server

@Suite("Problems", .timeLimit(.minutes(5)))
struct ProblemTests {
  static let failures: [(Failure, status: Int, code: String, retryAfter: String?)] = [
    (Failure(.invalidArguments, "m"), 400, "invalid_arguments", nil),
    (Failure(.denied, "m"), 403, "denied", nil), (Failure(.notFound, "m"), 404, "not_found", nil),
    (Failure(.conflict, "m"), 409, "conflict", nil), (Failure(.rejected, "m"), 422, "rejected", nil),
    (Failure(.rateLimited, "m"), 429, "rate_limited", "1"),
    (Failure(.rateLimited, "m", retryAfterSeconds: 2.1), 429, "rate_limited", "3"),
    (Failure(.timeout, "m"), 504, "timeout", nil), (Failure(.cancelled, "m"), 499, "cancelled", nil),
    (Failure(.limit, "m"), 500, "limit", nil), (Failure(.limit, "m", retryable: true), 503, "limit", "1"),
    (Failure(.upstream, "m"), 502, "upstream", nil),
    (Failure(.upstream, "m", detail: ["kind": "timeout"]), 504, "upstream", nil),
    (Failure(.upstream, "m", detail: ["kind": "rateLimited"]), 503, "upstream", "1"),
    (
      Failure(.upstream, "m", detail: ["kind": "unavailable"], retryAfterSeconds: 4.2), 503, "upstream", "5"
    ), (Failure(.upstream, "m", retryAfterSeconds: 20), 503, "upstream", "20"),
    (Failure(.init(rawValue: "out_of_stock"), "m"), 422, "out_of_stock", nil),
    (Failure(.init(rawValue: "Bad Code!"), "m"), 500, "internal", nil),
    (Failure(.internal, "m"), 500, "internal", nil),
  ]

  @Test("each code has its status and its retry time", arguments: failures.indices)
  func statuses(index: Int) throws {
    let (failure, status, code, retryAfter) = Self.failures[index]
    let reply = Problem(failure).reply(requestID: "r")
    let document = try JSON(parsing: reply.bytes)
    #expect(reply.status.code == status)
    #expect(document["status"] == .integer(Int64(status)) && document["code"] == .string(code))
    #expect(document["type"] == .string("urn:perigee:problem:\(code)"))
    #expect(reply.headers[.retryAfter] == retryAfter)
  }

  @Test("a run that is cancelled because the server stops may be tried again")
  func stopping() {
    let problem = Problem(CancellationError(), isDraining: true)
    #expect(problem.status.code == 503)
  }

  @Test("what went wrong inside goes to the log and not to the caller")
  func secrets() async throws {
    let failure = Failure(.internal, "password is hunter2", diagnostic: "agents/x.lua:3: traceback")
    try await TestServer.run(agents: [.failing(failure)]) { server in
      let reply = try await server.chat("failing")
      #expect(reply.status == 500)
      #expect(!reply.text.contains("hunter2") && !reply.text.contains("traceback"))
      let id = try #require(reply.headers["x-request-id"])
      #expect(try reply.json["request_id"] == .string(id))
      #expect(server.log.text.contains("agents/x.lua:3: traceback") && server.log.text.contains(id))
    }
  }

  @Test("what a script raised reaches the caller as its code and message, without the diagnostic")
  func scriptError() async throws {
    let failure = Failure(.init(rawValue: "out_of_stock"), "no apples", diagnostic: "tools/shop.lua:9")
    try await TestServer.run(agents: [.failing(failure)]) { server in
      let reply = try await server.chat("failing")
      #expect(reply.status == 422)
      #expect(try reply.keys == ["type", "title", "status", "detail", "code", "request_id"])
      #expect(try reply.json["detail"] == "no apples")
      #expect(!reply.text.contains("shop.lua"))
    }
  }
}
