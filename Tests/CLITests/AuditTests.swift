// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// The audit trail, by the command line and over HTTP.
@Suite("Audit trail of a server", .timeLimit(.minutes(5)))
struct AuditTests {
  private static let scripts = [
    "tools/notes.lua": """
    return { note = { description = "Notes.", parameters = { text = "string" },
      run = function(ctx, args) if args.text == "bad" then error("no") end return 1 end } }
    """,
    "agents/a.lua": """
    return { tools = { "note" }, run = function(ctx, input)
      pcall(tools.call, "note", { text = input.message })
      if input.message == "ask" then return tostring(approval.request{ title = "Go?" }.approved) end
      return "done"
    end }
    """,
  ]

  @Test("what a run did, who decided and who looked stands in it, without what was said")
  func trail() async throws {
    let (workspace, data) = (try Folder(Self.scripts), try Folder())
    let server = try await RunningServer(workspace: workspace.path, data: data.path)
    let run = try #require(try await server.chat("a", "very private", session: "s").json["run_id"]?.string)
    _ = try await server.chat("a", "bad", session: "s")
    let waiting = try await server.chat("a", "ask", session: "t")
    let approval = try #require(waiting.json["approval"]?["id"]?.string)
    let decision = Array(#"{"decision":"approve","comment":"so private"}"#.utf8)
    #expect(try await server.send("POST", "/v1/approvals/\(approval)", body: decision).status == 200)
    while try await server.get("/v1/runs/\(waiting.json["run_id"]?.string ?? "")").json["finished_at"]
      == .null
    {}
    #expect(try await server.send("DELETE", "/v1/sessions/s", body: []).status == 204)

    let list = try await server.get("/v1/audit?limit=200")
    let entries = list.json["data"]?.array ?? []
    let actions = entries.reversed().compactMap { $0["action"]?.string }
    #expect(
      actions == [
        "version.activated", "tool.called", "run.ended", "tool.called", "run.ended", "tool.called",
        "approval.decided", "run.ended", "session.deleted", "audit.read",
      ], "\(actions)")
    #expect(!list.text.contains("private"))
    let mine = try await server.get("/v1/audit?run_id=\(run)&actions=tool.called,run.ended").json["data"]?
      .array
    #expect(mine?.count == 2)
    #expect(
      mine?[1]["target"] == "tool:note" && mine?[1]["user_id"] == "local" && mine?[1]["agent"] == "a"
        && mine?[1]["version"]?.string?.hasPrefix("sha256:") == true
        && mine?[1]["detail"]?["status"] == "completed")
    #expect(entries.contains { $0["action"] == "tool.called" && $0["detail"]?["status"] == "failed" })
    #expect(try await server.get("/v1/audit?actions=nothing").status == 400)
    #expect(try await server.get("/v1/audit/verification").json["intact"] == true)
    await server.stop()
  }

  @Test("a call that was cut off is in it, and one that is only led past again is not in it twice")
  func honest() async throws {
    let gate = Gate()
    let slow = try ScriptedProvider { $0.path == "/slow" ? .pieces([(gate: gate, bytes: [])]) : .json([:]) }
    let host = "127.0.0.1:\(slow.port)"
    let (workspace, data) = (
      try Folder([
        "perigee.yaml": "http: { private_addresses: true }",
        "tools/t.lua": """
        return {
          schema = "create table notes (text text)",
          slow = { description = "d", access = { http = { "\(host)" } }, run = function()
            return http.post("http://\(host)/slow", {}).status
          end },
          note = { description = "d", access = { db = "write" }, run = function()
            return db.exec("insert into notes values ('x')").changes
          end },
        }
        """,
        "agents/a.lua": """
        return { tools = { "slow", "note" }, access = { db = "write" }, run = function(ctx, input)
          if input.message == "slow" then return tostring(tools.call("slow")) end
          db.transaction(function() tools.call("note") end)
          approval.request{ title = "One?" }
          approval.request{ title = "Two?" }
          return "done"
        end }
        """,
      ]), try Folder()
    )
    let server = try await RunningServer(workspace: workspace.path, data: data.path)
    let cut = Task { try await server.chat("a", "slow", session: "s") }
    await slow.requests(atLeast: 1)
    let run = try #require(try await server.get("/v1/runs").json["data"]?.array?.first?["id"]?.string)
    #expect(try await server.post("/v1/runs/\(run)/cancel", [:]).status == 202)
    _ = try await cut.value
    #expect(try await server.post("/v1/runs/\(run)/cancel", [:]).status == 409)
    gate.open()
    var waiting = try await server.chat("a", "note", session: "t")
    let noted = try #require(waiting.json["run_id"]?.string)
    for _ in 1...2 {
      var id: String?
      while id == nil {
        id = try await server.get("/v1/approvals?limit=1").json["data"]?.array?.first {
          $0["status"] == "pending"
        }?["id"]?.string
      }
      #expect(try await server.post("/v1/approvals/\(id ?? "")", ["decision": "approve"]).status == 200)
    }
    repeat { waiting = try await server.get("/v1/runs/\(noted)") } while waiting.json["finished_at"] == .null
    let calls = try await server.get("/v1/audit?actions=tool.called,run.cancelled").json["data"]?.array ?? []
    let seen = Set(calls.compactMap { $0["detail"]?["status"]?.string ?? $0["action"]?.string })
    #expect(calls.count == 3 && seen == ["completed", "cut_off", "run.cancelled"], "\(calls)")
    await server.stop()
  }

  @Test("the command lists it, and says where it was changed")
  func command() async throws {
    let (workspace, data) = (try Folder(Self.scripts), try Folder())
    let place = ["--workspace", workspace.path, "--data", data.path]
    for text in ["one", "bad"] {
      #expect(
        try await perigee(["run", "a", "--input", "{\"message\": \"\(text)\"}"] + place).status == 0)
    }
    let list = try await perigee(["audit", "--action", "tool.called"] + place)
    #expect(list.status == 0)
    #expect(list.output.split(separator: "\n").count == 3, "\(list.output)")
    let json = try JSON(parsing: try await perigee(["audit", "--json", "--limit", "1"] + place).output)
    #expect(json["data"]?.array?.count == 1 && json["data"]?.array?[0]["action"] == "run.ended")
    #expect(try await perigee(["audit", "--action", "x"] + place).status == 2)

    let intact = try await perigee(["audit", "verify"] + place)
    #expect(intact.status == 0 && intact.output.contains("intact"))
    let hash = try #require(intact.output.split(separator: " ").last).trimmingCharacters(
      in: .whitespacesAndNewlines)
    #expect(try await perigee(["audit", "verify", "--hash", hash] + place).status == 0)
    let cut = try await perigee(["audit", "verify", "--hash", String(hash.reversed())] + place)
    #expect(cut.status == 1 && cut.output.contains("taken away"))

    // Who can write the file can change it, and is found out.
    let file = URL(filePath: data.path + "/perigee.sqlite")
    var bytes = try Data(contentsOf: file)
    let name = try #require(bytes.range(of: Data("tool:note".utf8)))
    bytes.replaceSubrange(name, with: Data("tool:nose".utf8))
    try bytes.write(to: file)
    let changed = try await perigee(["audit", "verify"] + place)
    #expect(changed.status == 1 && changed.output.contains("has been changed"), "\(changed.output)")
  }
}
