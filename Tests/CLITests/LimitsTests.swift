// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing
import Transport

/// How often and how much, over a socket.
@Suite("Limits", .timeLimit(.minutes(5)))
struct LimitsTests {
  private static let environment = [
    "PERIGEE_JWT_SECRET": "a secret of more than thirty-two bytes, for HS256"
  ]

  private static func scene(
    _ configuration: String, agent: String = "return 'ok'", _ access: String = "{}"
  ) async throws -> (workspace: Folder, server: RunningServer, data: Folder) {
    let workspace = try Folder([
      "perigee.yaml": configuration,
      "agents/a.lua": "return { access = \(access), run = function() \(agent) end }",
    ])
    let data = try Folder()
    let server = try await RunningServer(
      workspace: workspace.path, data: data.path, environment: environment)
    return (workspace, server, data)
  }

  private static func token(_ user: String, _ workspace: Folder) async throws -> [(
    name: String, value: String
  )] {
    let made = try await perigee(
      "token", "--user", user, "--workspace", workspace.path, environment: environment)
    return [("Authorization", "Bearer " + made.output.trimmingCharacters(in: .newlines))]
  }

  /// The statuses of so many requests at once.
  private static func statuses(
    _ count: Int, _ server: RunningServer, _ headers: [(name: String, value: String)]
  ) async throws -> [Int: Int] {
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<count {
        group.addTask { try await server.send("GET", "/v1/agents", body: nil, headers: headers).status }
      }
      return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }
  }

  @Test("each user is admitted exactly as often as the limit says, and is told what is left")
  func users() async throws {
    let (workspace, server, _) = try await Self.scene(
      "{ auth: { mode: jwt }, limits: { requests_per_minute: 0, requests_per_hour: 10 } }")
    let (ann, bob) = (try await Self.token("ann", workspace), try await Self.token("bob", workspace))
    let first = try await server.send("GET", "/v1/agents", body: nil, headers: ann)
    #expect(first.headers["ratelimit-limit"] == "10" && first.headers["ratelimit-remaining"] == "9")
    #expect(first.headers["ratelimit-reset"] == "360")
    #expect(try await Self.statuses(40, server, ann) == [200: 9, 429: 31])
    let refused = try await server.send("GET", "/v1/agents", body: nil, headers: ann)
    #expect(refused.json["code"] == "rate_limited" && refused.headers["ratelimit-remaining"] == "0")
    let wait = try #require(refused.headers["retry-after"].flatMap { Int($0) })
    #expect((1...360).contains(wait))
    // What fails counts, too, and says so; another user has their own.
    let missing = try await server.send("GET", "/v1/runs/none", body: nil, headers: bob)
    #expect(missing.status == 404 && missing.headers["ratelimit-remaining"] == "9")
    let metrics = try await server.get("/metrics").text
    #expect(metrics.contains(#"perigee_requests_limited_total{by="user"} 32"#), "\(metrics)")
    #expect(try await server.get("/health/live").status == 200)
    await server.stop()
  }

  @Test("an address is limited over all its users, those included that nobody knows")
  func addresses() async throws {
    let (workspace, server, _) = try await Self.scene(
      "{ auth: { mode: jwt }, server: { trusted_proxies: [127.0.0.1] }, limits: { requests_per_hour: 6 } }")
    let from = [(name: "X-Forwarded-For", value: "2001:db8::7")]
    let ann = try await Self.token("ann", workspace) + from
    #expect(try await Self.statuses(3, server, ann) == [200: 3])
    // A neighbour in the network that one subscriber has.
    let guess = [
      (name: "Authorization", value: "Bearer guess"), (name: "X-Forwarded-For", value: "2001:db8::8"),
    ]
    #expect(try await Self.statuses(5, server, guess) == [401: 3, 429: 2])
    #expect(try await server.send("GET", "/v1/agents", body: nil, headers: ann).status == 429)
    let elsewhere = try await Self.token("ann", workspace) + [(name: "X-Forwarded-For", value: "192.0.2.1")]
    #expect(try await Self.statuses(4, server, elsewhere) == [200: 3, 429: 1])
    await server.stop()
  }

  @Test("a user has as many runs at once as the limit says")
  func runs() async throws {
    let gate = Gate()
    let slow = try ScriptedProvider { $0.path == "/slow" ? .pieces([(gate: gate, bytes: [])]) : .json([:]) }
    let (workspace, server, _) = try await Self.scene(
      "{ auth: { mode: jwt }, http: { private_addresses: true }, limits: { runs_concurrent: 2 } }",
      agent: "return tostring(http.get('\(slow.origin)/slow').status)",
      "{ http = { '127.0.0.1:\(slow.port)' } }")
    let (ann, bob) = (try await Self.token("ann", workspace), try await Self.token("bob", workspace))
    func chat(_ headers: [(name: String, value: String)]) async throws -> RunningServer.Answer {
      try await server.send(
        "POST", "/v1/agents/a/chat", body: Array(#"{"message":"x"}"#.utf8), headers: headers)
    }
    async let first = chat(ann)
    async let second = chat(ann)
    await slow.requests(atLeast: 2)
    let third = try await chat(ann)
    #expect(
      third.status == 429 && third.json["code"] == "rate_limited" && third.headers["retry-after"] == "1")
    async let other = chat(bob)
    await slow.requests(atLeast: 3)
    gate.open()
    #expect(try await [first.status, second.status, other.status] == [200, 200, 200])
    #expect(try await chat(ann).status == 200)
    await server.stop()
  }

  @Test("whoever works on this machine without authentication is not limited")
  func local() async throws {
    let (_, server, _) = try await Self.scene("limits: { requests_per_minute: 1, runs_concurrent: 1 }")
    #expect(try await Self.statuses(30, server, []) == [200: 30])
    await server.stop()
  }
}
