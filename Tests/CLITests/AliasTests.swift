// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import Testing

/// Agents in the shapes of other systems, as the configuration lists them.
@Suite("Routes of other systems", .timeLimit(.minutes(5)))
struct AliasTests {
  private static let routes = """
    routes:
      - { path: "/api/{user_id}/chat", agent: todo, shape: todo }
      - { path: "/agents/{agent}/chat", shape: agents }
      - { path: /short, agent: todo, shape: agents, message_chars_max: 5 }
    limits: { requests_per_minute: 0, requests_per_hour: 0 }

    """
  private static let files = [
    "agents/todo.lua": """
    return {
      tools = { "remember" },
      run = function(ctx)
        local before = tools.call("remember", { text = ctx.input.message })
        return ctx.user.id .. ": " .. table.concat(before.all, ",")
      end,
    }
    """,
    "agents/advisors/alpha.lua": "return { run = function(ctx) return tostring(ctx.input.mood) end }",
    "agents/asks.lua":
      "return { run = function(ctx) approval.request({ title = 'may I?' }) return 'done' end }",
    "tools/memory.lua": """
    return {
      remember = {
        description = "Keeps a text.",
        parameters = { text = "string" },
        access = { kv = "write" },
        run = function(ctx, args)
          local all = kv.get("all") or {}
          all[#all + 1] = args.text
          kv.set("all", all)
          return { all = all }
        end,
      },
    }
    """,
  ]

  private static func chat(
    _ server: RunningServer, _ path: String, _ body: JSON, token: String? = nil
  ) async throws -> RunningServer.Answer {
    try await server.send(
      "POST", path, body: RawJSON(body).bytes,
      headers: token.map { [(name: "Authorization", value: "Bearer \($0)")] } ?? [])
  }

  @Test("the to-do system's chat: its fields in, its fields out, each user's own")
  func todo() async throws {
    let (folder, data) = (
      try Folder(Self.files.merging(["perigee.yaml": Self.routes]) { $1 }), try Folder()
    )
    let server = try await RunningServer(workspace: folder.path, data: data.path)
    let first = try await Self.chat(server, "/api/ann/chat", ["message": "milk"])
    #expect(first.status == 200)
    #expect(
      first.json.object?.keys == [
        "session_id", "message_id", "response", "timestamp", "tool_calls", "tool_results", "using_stub",
      ])
    #expect(first.json["response"] == "local/ann: milk")
    let call = try #require(first.json["tool_calls"]?.array?.first)
    let result = try #require(first.json["tool_results"]?.array?.first)
    #expect(call["name"] == "remember" && call["arguments"] == ["text": "milk"])
    #expect(result["tool_call_id"] == call["id"] && result["result"] == ["all": ["milk"]])
    let second = try await Self.chat(
      server, "/api/ann/chat", ["message": "tea", "conversation_id": first.json["session_id"] ?? .null])
    #expect(second.json["response"] == "local/ann: milk,tea")
    #expect(second.json["session_id"] == first.json["session_id"])
    #expect(try await Self.chat(server, "/api/bob/chat", ["message": "x"]).json["response"] == "local/bob: x")
    #expect(try await Self.chat(server, "/api/local/chat", ["message": "x"]).json["response"] == "local: x")
    for (body, words) in [
      (["message": ""], "message is empty"), (["conversation_id": .null], "message is required"),
      (["message": "x", "conversation_id": "shopping"], "conversation_id must be a UUID"),
      (["message": .string(String(repeating: "x", count: 10_000))], "more than 9999 characters"),
      (["message": "x", "stream": true], "stream is not a field here"),
    ] as [(JSON, String)] {
      let refused = try await Self.chat(server, "/api/ann/chat", body)
      #expect(refused.status == 400)
      #expect(refused.json["detail"]?.string?.contains(words) == true, "\(refused.text)")
    }
    #expect(try await Self.chat(server, "/api/a%2Fb/chat", ["message": "x"]).status == 400)
    await server.stop()
  }

  @Test("the advisors' chat: one conversation for each user and agent, the agent in the path")
  func agents() async throws {
    let (folder, data) = (
      try Folder(Self.files.merging(["perigee.yaml": Self.routes]) { $1 }), try Folder()
    )
    let server = try await RunningServer(workspace: folder.path, data: data.path)
    let answer = try await Self.chat(
      server, "/agents/advisors.alpha/chat",
      ["user_id": "ann", "message": "hi", "context": ["mood": "calm"]])
    #expect(answer.status == 200)
    #expect(answer.json["agent_id"] == "advisors.alpha" && answer.json["user_id"] == "ann")
    #expect(answer.json["response"] == "calm" && answer.json["tokens_used"] == 0)
    let again = try await Self.chat(
      server, "/agents/advisors.alpha/chat", ["user_id": "ann", "message": "hi"])
    #expect(again.json["conversation_id"] == answer.json["conversation_id"])
    #expect(
      try await Self.chat(server, "/agents/nobody/chat", ["user_id": "a", "message": "x"]).status == 404)
    for body in [
      ["message": "x"], ["user_id": "", "message": "x"],
      ["user_id": .string(String(repeating: "u", count: 101)), "message": "x"],
      ["user_id": "ann", "message": .string(String(repeating: "x", count: 4_001))],
    ] as [JSON] { #expect(try await Self.chat(server, "/agents/todo/chat", body).status == 400) }
    #expect(try await Self.chat(server, "/short", ["user_id": "ann", "message": "12345"]).status == 200)
    #expect(try await Self.chat(server, "/short", ["user_id": "ann", "message": "123456"]).status == 400)
    let waiting = try await Self.chat(server, "/agents/asks/chat", ["user_id": "ann", "message": "x"])
    #expect(waiting.status == 202 && waiting.json["status"] == "waiting")
    await server.stop()
  }

  @Test("who is named must be who asks")
  func identity() async throws {
    let configuration = Self.routes + "auth: { mode: jwt }\n"
    let (folder, data) = (
      try Folder(Self.files.merging(["perigee.yaml": configuration]) { $1 }), try Folder()
    )
    let environment = ["PERIGEE_JWT_SECRET": "a secret that is long enough for HS256, known to nobody"]
    let server = try await RunningServer(workspace: folder.path, data: data.path, environment: environment)
    func token(_ arguments: String...) async throws -> String {
      try await perigee(["token", "--workspace", folder.path] + arguments, environment: environment).output
        .trimmingCharacters(in: .newlines)
    }
    let (ann, admin) = (
      try await token("--user", "ann"), try await token("--user", "root", "--role", "admin")
    )
    let body: JSON = ["message": "x"]
    // Who asks comes first: a stranger is told nothing of what is wrong with the rest.
    #expect(try await Self.chat(server, "/api/ann/chat", ["message": ""]).status == 401)
    #expect(try await Self.chat(server, "/api/bob/chat", ["message": ""], token: ann).status == 403)
    #expect(try await Self.chat(server, "/api/ann/chat", body, token: admin).status == 403)
    #expect(try await Self.chat(server, "/api/ann/chat", body, token: ann).json["response"] == "ann: x")
    let advice: JSON = ["user_id": "bob", "message": "x"]
    #expect(try await Self.chat(server, "/agents/todo/chat", advice, token: ann).status == 403)
    #expect(try await Self.chat(server, "/agents/todo/chat", advice).status == 401)
    await server.stop()
  }

  @Test("routes that cannot be are refused with their place, by serve and by doctor")
  func refused() async throws {
    for (route, words) in [
      ("{ path: \"/a/{x}\", agent: todo, shape: todo }", "'{x}' is no parameter"),
      ("{ path: /a, agent: nobody, shape: todo }", "there is no agent 'nobody'"),
      ("{ path: /v1/a, agent: todo, shape: todo }", "paths below /v1 are the server's own"),
      ("{ path: /x/../v1/a, agent: todo, shape: todo }", "it has a segment that clients resolve"),
      ("{ path: \"/a b\", agent: todo, shape: todo }", "it has a character that no address has as it is"),
    ] {
      let folder = try Folder(
        Self.files.merging(["perigee.yaml": "log: { level: error }\nroutes:\n  - \(route)\n"]) { $1 })
      for command in [["serve", "--port", "0"], ["doctor", "--port", "0"]] {
        let outcome = try await perigee(command + ["--workspace", folder.path])
        #expect(outcome.status == (command[0] == "serve" ? 2 : 1))
        let text = outcome.output + outcome.errors
        #expect(text.contains("perigee.yaml:3:") && text.contains(words), "\(text)")
      }
    }
  }
}
