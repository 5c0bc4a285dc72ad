// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// What the commands show of runs that have been, and do with them.
@Suite("runs, trace, replay, approvals") struct TraceTests {
  /// A workspace, its data, and a provider that calls the tool once and then answers.
  private static func scene(
    _ body: (_ workspace: Folder, _ provider: ScriptedProvider, _ server: RunningServer) async throws -> Void
  ) async throws {
    let provider = try ScriptedProvider { request in
      let isAnswered = request.json["messages"]?.array?.last?["role"] == "tool"
      return isAnswered ? .completion("Done.") : .toolCalls([("c1", "look", #"{"at":"here"}"#)])
    }
    let workspace = try Folder([
      "tools/t.lua": """
      return { look = {
        description = "Looks.", parameters = { at = "string" }, effect = "read",
        run = function(ctx, args) return { seen = args.at } end,
      } }
      """,
      "agents/a.lua": "return { prompt = 'p', tools = { 'look' } }",
      "agents/asks.lua":
        "return { run = function() return approval.request{ title = 'Well?' }.decision end }",
      "agents/many.lua": """
      return { tools = { "look" }, run = function()
        local first = parallel.race{
          slow = function() time.sleep(5) return tools.call("look", { at = "slow" }).seen end,
          quick = function() return agents.run("a", "hi").text end,
        }
        local settled = parallel.settle{
          function() return tools.call("look", { at = uuid() }).seen ~= nil end, function() error("no") end,
        }
        return first .. tostring(settled[1].value) .. os.date("%Y", os.time())
      end }
      """,
      "agents/graph.lua": """
      return { tools = { "look" }, steps = {
        see = { tool = "look", input = function() return { at = "there" } end },
        fail = { needs = { "see" }, run = function() error("no") end, on_error = "continue" },
        say = { needs = { "fail" }, run = function(ctx, r) return "saw " .. r.see.seen end },
      } }
      """,
      "agents/machine.lua": """
      return { initial = "a", states = {
        a = { run = function() error("no") end, on = { ok = "c", error = "b" } },
        b = { agent = "a", input = function() return { message = "hi" } end }, c = { run = function() return "never" end },
      } }
      """,
      "agents/sleepy.lua": "return { run = function() time.sleep(29) return 'rested' end }",
      "agents/fails.lua": """
      return { run = function(ctx, input)
        if kv.incr("n") == 1 then error("not yet") end
        return "at last"
      end, access = { kv = "write" } }
      """,
    ])
    let server = try await RunningServer(
      workspace: workspace.path, data: workspace.path + "/.perigee",
      environment: ["OPENAI_BASE_URL": provider.baseURL, "OPENAI_API_KEY": "sk-secret"])
    do {
      try await body(workspace, provider, server)
    } catch {
      await server.stop()
      throw error
    }
    await server.stop()
  }

  private static func run(_ workspace: Folder, _ arguments: String...) async throws -> Outcome {
    try await perigee(arguments + ["--workspace", workspace.path])
  }

  @Test("a run is listed, its calls are shown with tokens, over HTTP as in the terminal")
  func trace() async throws {
    try await Self.scene { workspace, _, server in
      let answer = try await server.chat("a", "hi", session: "s")
      let id = try #require(answer.json["run_id"]?.string)
      let list = try await Self.run(workspace, "runs")
      #expect(list.status == 0 && list.output.contains(id) && list.output.contains("completed"))
      let shown = try await Self.run(workspace, "trace", id)
      #expect(shown.status == 0)
      let lines = shown.output.split(separator: "\n")
      #expect(lines[0].hasPrefix("run \(id)  a  completed"), "\(shown.output)")
      #expect(lines.dropFirst(2).map { $0.contains("model ") } == [true, false, true], "\(shown.output)")
      #expect(lines[3].contains("tool look") && lines[3].contains(#"{"seen":"here"}"#))
      let document = try await server.get("/v1/runs/\(id)/trace").json
      #expect(document["spans"]?.array?.map { $0["key"] } == ["model.1", "tool.0.0", "model.2"])
      #expect(document["spans"]?.array?[0]["usage"]?["input_tokens"]?.integer ?? 0 > 0)
      let command = try JSON(parsing: try await Self.run(workspace, "trace", id, "--json").output)
      #expect(command["spans"] == document["spans"])
      #expect(try await Self.run(workspace, "trace", "nothing").status == 2)
    }
  }

  @Test("a run is replayed without asking anybody, and other scripts show where they part from it")
  func replay() async throws {
    try await Self.scene { workspace, provider, server in
      let id = try #require(try await server.chat("a", "hi", session: "s").json["run_id"]?.string)
      let asked = provider.requests.count
      let same = try await Self.run(workspace, "replay", id)
      #expect(same.status == 0 && same.output == "the same: Done.\n", "\(same.output)\(same.errors)")
      let other = try Folder([
        "tools/t.lua": try workspace.read("tools/t.lua"),
        "agents/a.lua": "return { prompt = 'another', tools = { 'look' } }",
      ])
      let parted = try await Self.run(workspace, "replay", id, "--with", other.path)
      #expect(parted.status == 1 && parted.output.contains("at model.1"), "\(parted.output)\(parted.errors)")
      try other.write(
        "agents/a.lua",
        "return { prompt = 'p', tools = { 'look' }, after = function(ctx, r) return r.text .. '!' end }")
      let longer = try await Self.run(workspace, "replay", id, "--with", other.path, "--json")
      let document = try JSON(parsing: longer.output)
      #expect(longer.status == 1 && document["answer"] == "Done.!" && document["earlier_answer"] == "Done.")
      #expect(document["divergence"]?.isNull == true)
      #expect(provider.requests.count == asked)
      // Agents, races and branches are handed back as they were.
      let many = try #require(try await server.chat("many", "hi", session: "m").json["run_id"]?.string)
      let again = try await Self.run(workspace, "replay", many)
      #expect(
        again.status == 0 && again.output.hasPrefix("the same: Done.true20"), "\(again.output)\(again.errors)"
      )
      // Steps and states as well, those that failed among them.
      for (agent, said) in [("graph", "saw there"), ("machine", "Done.")] {
        let answer = try await server.chat(agent, "hi", session: agent).json
        let run = try #require(answer["run_id"]?.string)
        #expect(answer["response"]?.string?.contains(said) == true, "\(answer)")
        let replayed = try await Self.run(workspace, "replay", run)
        #expect(
          replayed.status == 0 && replayed.output.hasPrefix("the same: "),
          "\(replayed.output)\(replayed.errors)")
      }
      // A run that waits has no end to come to, and nobody waits for it.
      let waiting = try #require(try await server.chat("asks", "hi", session: "w").json["run_id"]?.string)
      let open = try await Self.run(workspace, "replay", waiting)
      #expect(open.status == 1 && open.output.contains("has not seen the end of approval"), "\(open.output)")
      #expect(try await server.get("/v1/sessions/s/messages").json["data"]?.array?.count == 2)
    }
  }

  @Test("a question is listed and answered in the terminal, and the server's run goes on")
  func approvals() async throws {
    try await Self.scene { workspace, _, server in
      let waiting = try await server.chat("asks", "hi", session: "s")
      let id = try #require(waiting.json["approval"]?["id"]?.string)
      let run = try #require(waiting.json["run_id"]?.string)
      let list = try await Self.run(workspace, "approvals")
      #expect(list.output.contains(id) && list.output.contains("Well?"))
      #expect(try await Self.run(workspace, "approve", id, "--decision", "maybe").status == 2)
      let answer = try await Self.run(workspace, "reject", id, "--comment", "no")
      #expect(answer.status == 0 && answer.output == "reject: Well?\n", "\(answer.errors)")
      #expect(try await Self.run(workspace, "approve", id).status == 1)
      try await waitWhile { try await server.get("/v1/runs/\(run)").json["status"] != "completed" }
      let messages = try await server.get("/v1/sessions/s/messages").json["data"]?.array
      #expect(messages?.last?["content"] == "reject")
      #expect(try await Self.run(workspace, "approvals").output == "")
    }
  }

  @Test("a run that failed is done again under its name, its message once")
  func retry() async throws {
    try await Self.scene { _, _, server in
      #expect(try await server.chat("fails", "hi", session: "s").status == 500)
      let id = try #require(try await server.get("/v1/runs").json["data"]?.array?.first?["id"]?.string)
      #expect(try await server.send("POST", "/v1/runs/\(id)/retry", body: []).status == 202)
      try await waitWhile { try await server.get("/v1/runs/\(id)").json["status"] != "completed" }
      let messages = try await server.get("/v1/sessions/s/messages").json["data"]?.array
      #expect(messages?.map { $0["content"] } == ["hi", "at last"])
      #expect(try await server.send("POST", "/v1/runs/\(id)/retry", body: []).status == 409)
    }
  }

  @Test("in the terminal, too, where the server does it; and so are runs cancelled that work or wait")
  func commands() async throws {
    try await Self.scene { workspace, _, server in
      #expect(try await server.chat("fails", "hi", session: "s").status == 500)
      let id = try #require(try await server.get("/v1/runs").json["data"]?.array?.first?["id"]?.string)
      #expect(try await Self.run(workspace, "cancel", id).status == 1)
      let again = try await Self.run(workspace, "retry", id)
      #expect(again.status == 0, "\(again.errors)")
      try await waitWhile { try await server.get("/v1/runs/\(id)").json["status"] != "completed" }
      let messages = try await server.get("/v1/sessions/s/messages").json["data"]?.array
      #expect(messages?.map { $0["content"] } == ["hi", "at last"])
      #expect(try await Self.run(workspace, "retry", id).status == 1)

      let waiting = try #require(try await server.chat("asks", "hi", session: "w").json["run_id"]?.string)
      #expect(try await Self.run(workspace, "cancel", waiting).status == 0)
      #expect(try await server.get("/v1/runs/\(waiting)").json["status"] == "cancelled")
      #expect(try await Self.run(workspace, "approvals").output == "")

      async let slow = server.chat("sleepy", "hi", session: "z")
      var working: String?
      while working == nil {
        working = try await server.get("/v1/runs").json["data"]?.array?
          .first { $0["agent"] == "sleepy" && $0["status"] == "running" }?["id"]?.string
      }
      #expect(try await Self.run(workspace, "cancel", working ?? "").status == 0)
      #expect(try await slow.json["code"] == "cancelled")
      #expect(try await server.get("/v1/runs/\(working ?? "")").json["status"] == "cancelled")
      #expect(try await Self.run(workspace, "cancel", "nobody").status != 0)
    }
  }
}
