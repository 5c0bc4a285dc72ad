// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import TestSupport
import Testing

/// Tools that some users may call, and others not, with tokens of both.
@Suite("Permissions of tools", .timeLimit(.minutes(5)))
struct ToolPermissionTests {
  private static let scripts = [
    "tools/t.lua": """
    return {
      look = { description = "Looks.", effect = "read", run = function() return "seen" end },
      refund = { description = "Refunds.", allow = { roles = { "clerk", "chief" } }, action = true,
        parameters = { amount = "integer" },
        run = function(ctx, args) return "refunded " .. args.amount end },
    }
    """,
    "agents/model.lua": "return { prompt = 'p', tools = { 'look', 'refund' } }",
    "agents/chief.lua": "return { prompt = 'p', agents = { 'code' } }",
    "agents/code.lua": """
    return { tools = { "refund" }, run = function(ctx, input)
      local ok, result = pcall(tools.call, "refund", { amount = 5 })
      return ok and result or result.code
    end }
    """,
    "agents/outer.lua": """
    return { agents = { "code" }, run = function() return agents.run("code", { message = "m" }).text end }
    """,
    "agents/flow.lua": """
    return { steps = { pay = { tool = "refund", input = function() return { amount = 5 } end } } }
    """,
    "agents/later.lua": """
    return { access = { queue = true }, run = function()
      local ok, result = pcall(function() return queue.publish("refund", { amount = 5 }) end)
      return ok and "published" or result.code
    end }
    """,
    "agents/asking.lua": """
    return { run = function() return llm.chat{ messages = { { role = "user", content = "m" } },
      tools = { "look", "refund" } }.text end }
    """,
  ]

  private static func offered(_ request: ScriptedProvider.Request) -> [String] {
    request.json["tools"]?.array?.compactMap { $0["function"]?["name"]?.string } ?? []
  }

  @Test("who has none of its roles is not offered a tool, and is refused it however it is called")
  func permissions() async throws {
    let provider = try ScriptedProvider { request in
      request.json["messages"]?.array?.contains { $0["role"] == "tool" } == true
        ? .completion("done")
        : .toolCalls([(id: "c", name: "refund", arguments: #"{"amount":"nonsense"}"#)])
    }
    let scene = try await TokenScene(
      Self.scripts,
      environment: ["OPENAI_API_KEY": "k", "OPENAI_BASE_URL": provider.baseURL])
    let (clerk, eve) = (try await scene.token("cleo", "user", "clerk"), try await scene.token("eve", "user"))

    // By the model: it is not told of it, and names it in vain; nor is it told what it would take.
    let refused = try await scene.chat("model", "m", as: eve)
    #expect(refused.status == 200, "\(refused.text)")
    #expect(refused.json["tool_calls"]?.array?.first?["error"]?["code"] == "denied", "\(refused.text)")
    #expect(Self.offered(provider.requests[0]) == ["look"])
    let seen = try await scene.chat("model", "m", as: clerk)
    #expect(seen.json["tool_calls"]?.array?.first?["error"]?["code"] == "invalid_arguments", "\(seen.text)")
    #expect(Self.offered(provider.requests[2]) == ["look", "refund"])

    // By scripts, workflows and agents that were delegated to.
    for (agent, mine, theirs) in [
      ("code", "refunded 5", "denied"), ("outer", "refunded 5", "denied"), ("later", "published", "denied"),
    ] {
      let right = try await scene.chat(agent, "m", as: clerk, session: agent)
      let wrong = try await scene.chat(agent, "m", as: eve, session: agent)
      #expect(right.json["response"] == .string(mine), "\(agent): \(right.text)")
      #expect(wrong.json["response"] == .string(theirs), "\(agent): \(wrong.text)")
    }
    #expect(try await scene.chat("flow", "m", as: clerk, session: "flow").status == 200)
    let flow = try await scene.chat("flow", "m", as: eve, session: "flow")
    #expect(flow.status == 403 && flow.json["code"] == "denied", "\(flow.text)")

    // Each refusal stands in the trail, once, and the trail holds.
    let admin = try await scene.token("root", "admin")
    let list = try await scene.send("GET", "/v1/audit?actions=tool.refused&limit=50", as: admin)
    let entries = list.json["data"]?.array ?? []
    #expect(entries.count == 5, "\(list.text)")
    #expect(entries.allSatisfy { $0["user_id"] == "eve" && $0["target"] == "tool:refund" })
    #expect(!list.text.contains("nonsense"))
    #expect(try await scene.run("audit", "verify").status == 0)
    await scene.server.stop()
  }

  @Test("a job is refused to who may not do it any more when it is done")
  func job() async throws {
    var scripts = Self.scripts
    scripts["tools/t.lua"] = scripts["tools/t.lua"]?.replacing("\"clerk\", \"chief\"", with: "\"user\"")
    let scene = try await TokenScene(scripts, arguments: ["--workers", "0"])
    let eve = try await scene.token("eve", "user")
    #expect(try await scene.chat("later", "m", as: eve).json["response"] == "published")
    await scene.server.stop()
    try scene.workspace.write("tools/t.lua", Self.scripts["tools/t.lua"] ?? "")
    let server = try await RunningServer(
      workspace: scene.workspace.path, data: scene.data.path,
      environment: ["PERIGEE_JWT_SECRET": TokenScene.secret], arguments: ["--workers", "1"])
    var letters = try await scene.run("dead-letters", "--json")
    while !letters.output.contains("denied") { letters = try await scene.run("dead-letters", "--json") }
    let audit = try await scene.run("audit", "--action", "tool.refused", "--json")
    #expect(try JSON(parsing: audit.output)["data"]?.array?.first?["user_id"] == "eve", "\(audit.output)")
    await server.stop()
  }
}
