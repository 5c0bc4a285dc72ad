// SPDX-License-Identifier: Apache-2.0
import GRDB
import JSONCodec
import TestSupport
import Testing

/// What a server deletes because it is old.
@Suite("Forgetting", .timeLimit(.minutes(2)))
struct ForgettingTests {
  @Test("a session may go sooner than the trail of what was done in it")
  func sessionHours() async throws {
    let workspace = try Folder([
      "agents/echo.lua": "return { run = function(ctx, input) return input.message end }"
    ])
    let data = try Folder()
    let first = try await RunningServer(workspace: workspace.path, data: data.path)
    for session in ["old", "new"] {
      #expect(try await first.chat("echo", "hi", session: session).status == 200)
    }
    await first.stop()
    // Two hours ago, as far as anybody can tell.
    let queue = try DatabaseQueue(path: data.path + "/perigee.sqlite")
    try await queue.write { database in
      try database.execute(sql: "UPDATE sessions SET updated_at = updated_at - 7200000 WHERE name = 'old'")
    }
    try queue.close()

    let second = try await RunningServer(
      workspace: workspace.path, data: data.path, environment: ["PERIGEE_RETENTION_SESSION_HOURS": "1"])
    try await waitWhile { try await second.get("/v1/sessions/old").status == 200 }
    #expect(try await second.get("/v1/sessions/new").status == 200)
    let ended = try await second.get("/v1/audit?actions=run.ended").json["data"]?.array
    #expect(ended?.count == 2)
    let forgotten = try await second.get("/v1/audit?actions=data.forgotten").json["data"]?.array
    #expect(forgotten?.first?["detail"]?["count"] == 1)
    await second.stop()
  }
}
