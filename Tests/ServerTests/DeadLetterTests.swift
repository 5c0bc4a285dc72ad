// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Testing

@testable import Server

@Suite("Dead letters", .timeLimit(.minutes(5)))
struct DeadLetterTests {
  @Test("they are listed in pages, shown, queued again and thrown away")
  func routes() async throws {
    try await TestServer.run { server in
      for id in ["a", "b", "c"] { try await server.store.kill(id) }
      let first = try await server.send("GET", "/v1/dead-letters?limit=2").json
      #expect(first["data"]?.array?.map { $0["id"]?.string } == ["c", "b"])
      let next = try #require(first["next"]?.string)
      let second = try await server.send("GET", "/v1/dead-letters?limit=2&after=\(next)").json
      #expect(second["data"]?.array?.map { $0["id"]?.string } == ["a"])
      #expect(second["next"] == .null)

      let letter = try await server.send("GET", "/v1/dead-letters/a")
      #expect(try letter.json["error"] == ["code": "denied", "message": "no", "retryable": false])
      #expect(try letter.json["payload"] == ["n": 1] && letter.json["user_id"] == "ann")
      // Where in which script is for the log.
      #expect(!letter.text.contains("mail.lua"))

      let retried = try await server.send("POST", "/v1/dead-letters/a/retry")
      #expect(retried.status == 202)
      #expect(try await server.store.jobCounts() == JobCounts(queued: 1, dead: 2))
      #expect(try await server.send("DELETE", "/v1/dead-letters/b").status == 204)
      #expect(try await server.store.jobCounts() == JobCounts(queued: 1, dead: 1))
      for (method, path) in [("GET", "a"), ("POST", "a/retry"), ("DELETE", "b")] {
        let reply = try await server.send(method, "/v1/dead-letters/\(path)")
        #expect(reply.status == 404)
      }
      #expect(try await server.send("GET", "/v1/dead-letters?after=r1").status == 400)
    }
  }

  @Test("the metrics say how many jobs there are")
  func metrics() async throws {
    try await TestServer.run { server in
      try await server.store.kill("a")
      try await server.store.publish([.sample("b"), .sample("c")])
      _ = try await server.store.takeJob(
        runID: "r", lease: Timestamp(milliseconds: .max), at: SystemTime().now)
      let text = try await server.send("GET", "/metrics").text
      for line in [
        #"perigee_jobs{state="queued"} 1"#, #"perigee_jobs{state="running"} 1"#,
        #"perigee_jobs{state="dead"} 1"#,
      ] {
        #expect(text.contains(line + "\n"), "\(line)")
      }
    }
  }
}

extension Job {
  static func sample(_ id: String) -> Job {
    let now = SystemTime().now
    return Job(
      id: id, action: "send", payload: RawJSON(["n": 1]), user: Principal(id: "ann"), publisher: "run",
      publishedAt: now, dueAt: now)
  }
}

extension SQLiteStore {
  /// Publishes a job that fails for good.
  func kill(_ id: String) async throws {
    try await publish([.sample(id)])
    let now = SystemTime().now
    let taken = try #require(try await takeJob(runID: "run-\(id)", lease: now + .seconds(30), at: now))
    let ending = JobEnding(
      jobID: taken.job.id, outcome: .dead(Failure(.denied, "no", diagnostic: "tools/mail.lua:3: no")))
    #expect(try await endAttempt(runID: taken.runID, ending, at: SystemTime().now))
  }
}
