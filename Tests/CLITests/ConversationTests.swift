// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import Synchronization
import TestSupport
import Testing
import Transport

final class Tally: Sendable {
  private let count = Mutex(0)
  var value: Int { count.withLock { $0 } }

  /// The value before.
  func increment() -> Int {
    count.withLock { count in
      defer { count += 1 }
      return count
    }
  }
}

@Suite("Conversations over HTTP")
struct ConversationTests {
  @Test("the shipped agent keeps a list without a model, and sessions are listed, read, renamed and deleted")
  func stub() async throws {
    try await RunningServer.with { server in
      let added = try await server.chat("todo", "add buy milk", session: "s")
      #expect(added.status == 200)
      #expect(added.json["response"] == "Added: [ ] 1. buy milk")
      #expect(added.json["using_stub"] == true)
      #expect(added.json["session_id"] == "s")
      #expect(added.headers["x-request-id"] != nil)
      let calls = try #require(added.json["tool_calls"]?.array)
      #expect(calls.map { $0["name"] } == ["add_todo"])
      #expect(calls[0]["result"]?["title"] == "buy milk")

      let list = try await server.get("/v1/sessions")
      #expect(list.json["data"]?.array?.first?["title"] == "Chat: add buy milk")
      let messages = try await server.get("/v1/sessions/s/messages")
      #expect(messages.json["data"]?.array?.map { $0["role"] } == ["user", "assistant"])
      let renamed = try await server.send("PATCH", "/v1/sessions/s", body: Array(#"{"title": "Shop"}"#.utf8))
      #expect(renamed.json["title"] == "Shop")
      #expect(try await server.send("DELETE", "/v1/sessions/s", body: nil).status == 204)
      #expect(try await server.get("/v1/sessions/s/messages").status == 404)
      let again = try await server.chat("todo", "show my to-dos", session: "s")
      #expect(again.json["response"] == "You have 1 to-do:\n[ ] 1. buy milk")
      #expect(try await server.get("/v1/sessions/s/messages").json["data"]?.array?.count == 2)
    }
  }

  @Test("an agent that compacts folds old turns into a summary, which the session keeps")
  func compaction() async throws {
    let workspace = try Folder([
      "agents/talker.lua": #"return { prompt = "Talk.", history = 4, compact = true }"#
    ])
    let provider = try ScriptedProvider { request in
      let messages = request.json["messages"]?.array ?? []
      let text = messages.last?["content"]?.string ?? ""
      return messages.first?["content"]?.string?.hasPrefix("Summarize") == true
        ? .completion("SUMMARY of \(text.split(separator: "\n").count) lines") : .completion("ok")
    }
    let data = try Folder()
    let environment = ["OPENAI_BASE_URL": provider.baseURL]
    func contents(_ request: ScriptedProvider.Request?) -> [String] {
      request?.json["messages"]?.array?.compactMap { $0["content"]?.string } ?? []
    }
    let first = try await RunningServer(workspace: workspace.path, data: data.path, environment: environment)
    for number in 1...4 { _ = try await first.chat("talker", "message \(number)", session: "s") }
    await first.stop()
    // The fourth turn finds three before it, of which one stays.
    #expect(
      contents(provider.requests.dropLast().last).last?.hasPrefix("User: message 1\nAssistant: ok\n") == true)
    let fourth = contents(provider.requests.last)
    #expect(
      fourth == [
        "Talk.", "What was said before, in short:\nSUMMARY of 4 lines", "message 3", "ok", "message 4",
      ])

    let second = try await RunningServer(workspace: workspace.path, data: data.path, environment: environment)
    let answer = try await second.chat("talker", "message 5", session: "s")
    #expect(answer.json["response"] == "ok")
    #expect(contents(provider.requests.last).dropFirst(2).first == "message 3")
    #expect(contents(provider.requests.last).count == 7)
    let list = try await second.get("/v1/sessions/s/messages")
    #expect(list.json["data"]?.array?.count == 10)
    await second.stop()
  }

  @Test("a tool's long result is cut, and the model reads on, also in the next turn")
  func longResult() async throws {
    let workspace = try Folder([
      "agents/reader.lua": #"return { prompt = "Read.", tools = { "book" } }"#,
      "tools/book.lua": """
      return { book = { description = "The book.", parameters = {}, effect = "read",
        run = function() return ("0123456789"):rep(3000) .. "the end" end } }
      """,
    ])
    let turn = Tally()
    let provider = try ScriptedProvider { _ in
      switch turn.increment() {
      case 0: .toolCalls([("c1", "book", "{}")])
      case 1: .toolCalls([("c2", "read_more", #"{"handle":"c1","offset":20000}"#)])
      case 2: .completion("First.")
      case 3: .toolCalls([("c3", "read_more", #"{"handle":"c1","offset":30000}"#)])
      case 4: .toolCalls([("c4", "read_more", #"{"handle":"nothing","offset":0}"#)])
      default: .completion("Second.")
      }
    }
    try await RunningServer.with(
      workspace: workspace.path, environment: ["OPENAI_BASE_URL": provider.baseURL]
    ) { server in
      let first = try await server.chat("reader", "read", session: "s")
      #expect(first.json["response"] == "First.")
      let calls = try #require(first.json["tool_calls"]?.array)
      // The caller gets the whole, the model its beginning.
      #expect(calls[0]["result"]?.string?.utf8.count == 30_007)
      #expect(calls[1]["result"]?["next_offset"] == 30_000)
      func tools(_ request: Int) -> [String?] {
        provider.requests[request].json["tools"]?.array?.map { $0["function"]?["name"]?.string } ?? []
      }
      #expect(tools(0) == ["book"])
      #expect(tools(1) == ["book", "read_more"])
      let seen = provider.requests[1].json["messages"]?.array?.last?["content"]?.string ?? ""
      #expect(seen.utf8.count < 20_300 && seen.contains(#""handle": "c1", "offset": 20000"#))

      let second = try await server.chat("reader", "and the end?", session: "s")
      #expect(second.json["response"] == "Second.")
      let more = try #require(second.json["tool_calls"]?.array)
      #expect(more[0]["result"]?["text"]?.string?.hasSuffix("the end\"") == true)
      #expect(more[0]["result"]?["next_offset"] == .null)
      #expect(more[1]["error"]?["code"] == "not_found")
    }
  }

  @Test("a request that is repeated after a crash is answered, and its message is there once")
  func crash() async throws {
    let asked = Tally()
    let provider = try ScriptedProvider { _ in asked.increment() == 0 ? .silence : .completion("Here I am.") }
    let environment = ["OPENAI_BASE_URL": provider.baseURL, "OPENAI_API_KEY": "sk-secret"]
    let data = try Folder()
    func ask(_ server: RunningServer) async throws -> RunningServer.Answer {
      try await server.send(
        "POST", "/v1/agents/todo/chat", body: Array(#"{"message":"hello","session_id":"s"}"#.utf8),
        headers: [("Idempotency-Key", "order-1")])
    }
    let first = try await RunningServer(
      workspace: PerigeeBinary.repository, data: data.path, environment: environment)
    async let lost = ask(first)
    await provider.requests(atLeast: 1)
    await first.stop(signal: SIGKILL)
    _ = try? await lost

    let second = try await RunningServer(
      workspace: PerigeeBinary.repository, data: data.path, environment: environment)
    let answer = try await ask(second)
    #expect(answer.json["response"] == "Here I am.")
    #expect(try await ask(second).text == answer.text)
    let messages = try await second.get("/v1/sessions/s/messages").json["data"]?.array ?? []
    #expect(messages.map { $0["content"]?.string } == ["hello", "Here I am."])
    await second.stop()
    #expect(provider.requests.count == 2)
  }

  @Test("a tool that has answered is not called again after a crash")
  func crashAfterWrite() async throws {
    let turn = Tally()
    let provider = try ScriptedProvider { _ in
      switch turn.increment() {
      case 0: .toolCalls([("c1", "add_todo", #"{"title":"milk"}"#)])
      case 1: .silence
      case 3: .toolCalls([("c3", "list_todos", "{}")])
      default: .completion("Done.")
      }
    }
    let environment = ["OPENAI_BASE_URL": provider.baseURL, "OPENAI_API_KEY": "sk-secret"]
    let data = try Folder()
    func ask(_ server: RunningServer) async throws -> RunningServer.Answer {
      try await server.send(
        "POST", "/v1/agents/todo/chat", body: Array(#"{"message":"add milk","session_id":"s"}"#.utf8),
        headers: [("Idempotency-Key", "order-2")])
    }
    let first = try await RunningServer(
      workspace: PerigeeBinary.repository, data: data.path, environment: environment)
    async let lost = ask(first)
    await provider.requests(atLeast: 2)
    // What was written before is on the disk when this is.
    _ = try await first.send("POST", "/v1/sessions", body: Array("{}".utf8))
    await first.stop(signal: SIGKILL)
    _ = try? await lost

    let second = try await RunningServer(
      workspace: PerigeeBinary.repository, data: data.path, environment: environment)
    let again = try await ask(second)
    #expect(again.json["tool_calls"]?.array?.first?["result"]?["id"] == 1, "\(again.text)")
    let list = try await second.chat("todo", "show them", session: "s")
    #expect(list.json["tool_calls"]?.array?.first?["result"]?["pagination"]?["total"] == 1, "\(list.text)")
    await second.stop()
  }

  @Test("a model drives the tools: its calls run, their results go back, and the next turn sees them")
  func model() async throws {
    let turn = Tally()
    let provider = try ScriptedProvider { request in
      switch turn.increment() {
      case 0:
        return .toolCalls([
          ("c1", "add_todo", #"{"title":"milk"}"#), ("c2", "add_todos", "{}"),
          ("c3", "list_todos", #"{"limit":"x"}"#),
        ])
      case 1: return .completion("Added milk.")
      default: return .completion("Again: \(request.json["messages"]?.array?.count ?? 0)")
      }
    }
    try await RunningServer.with(environment: [
      "OPENAI_BASE_URL": provider.baseURL, "OPENAI_API_KEY": "sk-secret",
    ]) {
      server in
      let answer = try await server.chat("todo", "please add milk", session: "s")
      #expect(answer.json["response"] == "Added milk.")
      #expect(answer.json["using_stub"] == false)
      #expect(answer.json["usage"]?["input_tokens"] == 20)
      let calls = try #require(answer.json["tool_calls"]?.array)
      #expect(calls[0]["result"]?["id"] == 1)
      #expect(calls[1]["error"]?["code"] == "not_found")
      #expect(calls[2]["error"]?["code"] == "invalid_arguments")

      let second = try #require(provider.requests.dropFirst().first)
      let messages = try #require(second.json["messages"]?.array)
      #expect(messages.map { $0["role"]?.string } == ["system", "user", "assistant", "tool", "tool", "tool"])
      #expect(messages.suffix(3).map { $0["tool_call_id"] } == ["c1", "c2", "c3"])
      #expect(messages[4]["content"]?.string?.contains("list_todos") == true)
      #expect(second.header("authorization") == "Bearer sk-secret")

      // system, user, assistant with calls, three results, assistant, user
      #expect(try await server.chat("todo", "and?", session: "s").json["response"] == "Again: 8")
    }
  }

  @Test("agents that code drives hand over to their stubs, too, until they have done something")
  func codeWithoutModel() async throws {
    let chat = "llm.chat{ messages = { { role = 'user', content = 'x' } } }"
    let stub = "stub = function(ctx, message) return 'stub: ' .. message end"
    let workspace = try Folder([
      "agents/coded.lua": "return { run = function() return \(chat).text end, \(stub) }",
      "agents/stepped.lua":
        "return { steps = { a = { run = function() return \(chat).text end } }, \(stub) }",
      "agents/acted.lua":
        "return { access = { kv = 'write' }, run = function() kv.incr('a') return \(chat).text end, \(stub) }",
      "agents/called.lua":
        "return { run = function(ctx, input) agents.run('writer', 'x') return \(chat).text end, \(stub) }",
      "agents/writer.lua":
        "return { access = { kv = 'write' }, run = function() kv.incr('a') return 'written' end }",
      "agents/flow.lua": """
      return { tools = { "write" }, steps = {
        write = { tool = "write" },
        say = { agent = "leaf", needs = { "write" } },
      } }
      """,
      "agents/leaf.lua": "return { prompt = 'p', \(stub) }",
      "agents/asks.lua":
        "return { run = function() agents.run('writer', 'x') approval.request{ title = 'ok?' } return \(chat).text end, \(stub) }",
      "tools/write.lua": """
      return { write = { description = "d", access = { kv = "write" }, run = function() return kv.incr("b") end } }
      """,
      "agents/careful.lua":
        "return { run = function() return tostring(pcall(function() \(chat) end)) end, \(stub) }",
      "agents/wrong.lua": "return { run = function() error('mine') end, \(stub) }",
      "agents/chief.lua": """
      return { run = function()
        local reply = agents.run("coded", "deep")
        return reply.text .. " " .. tostring(reply.using_stub)
      end }
      """,
    ])
    for provider in [nil, try ScriptedProvider { _ in .failure(400) }] {
      var environment: [String: String] = [:]
      if let provider { environment["OPENAI_BASE_URL"] = provider.baseURL }
      try await RunningServer.with(workspace: workspace.path, environment: environment) { server in
        for agent in ["coded", "stepped"] {
          let reply = try await server.chat(agent, "hi")
          #expect(reply.json["response"] == "stub: hi" && reply.json["using_stub"] == true)
        }
        for agent in ["acted", "called"] {
          #expect(try await server.chat(agent, "hi").status == 502)
        }
        let careful = try await server.chat("careful", "hi")
        #expect(careful.json["response"] == "false" && careful.json["using_stub"] == false)
        #expect(try await server.chat("wrong", "hi").status == 500)
        // What its caller did before is not what a stub would do again.
        let flow = try await server.chat("flow", "hi")
        #expect(
          flow.status == 200 && flow.json["response"]?.string?.contains("stub: ") == true, "\(flow.text)")
        // What a called agent did is known after the run has left memory, too.
        let asked = try await server.chat("asks", "hi", session: "asked")
        let approval = try #require(asked.json["approval"]?["id"]?.string, "\(asked.text)")
        _ = try await server.send(
          "POST", "/v1/approvals/\(approval)", body: Array(#"{"decision":"approve"}"#.utf8))
        let id = try #require(asked.json["run_id"]?.string)
        try await waitWhile {
          !["failed", "completed"].contains(try await server.get("/v1/runs/\(id)").json["status"])
        }
        #expect(try await server.get("/v1/runs/\(id)").json["status"] == "failed")
        let chief = try await server.chat("chief", "hi")
        #expect(chief.json["response"] == "stub: deep true" && chief.json["using_stub"] == true)
      }
    }
  }

  @Test(
    "a provider that is down hands over to the stub; without a stub the caller gets 502 and the session goes on"
  )
  func providerFails() async throws {
    let isUp = Tally()
    let provider = try ScriptedProvider { _ in
      isUp.value == 0 ? .failure(400, message: "secret details") : .completion("back")
    }
    let workspace = try Folder([
      "agents/plain.lua": "return { prompt = 'p' }",
      "agents/stubbed.lua":
        "return { prompt = 'p', stub = function(ctx, message) return 'stub: ' .. message end }",
    ])
    try await RunningServer.with(
      workspace: workspace.path, environment: ["OPENAI_BASE_URL": provider.baseURL]
    ) {
      server in
      let stubbed = try await server.chat("stubbed", "hi")
      #expect(stubbed.json["response"] == "stub: hi")
      #expect(stubbed.json["using_stub"] == true)
      let failed = try await server.chat("plain", "hi", session: "s")
      #expect(failed.status == 502)
      #expect(failed.json["code"] == "upstream")
      #expect(!failed.text.contains("secret details"))
      #expect(failed.headers["content-type"]?.hasPrefix("application/problem+json") == true)
      _ = isUp.increment()
      #expect(try await server.chat("plain", "hi again", session: "s").json["response"] == "back")
      let roles = try #require(provider.requests.last?.json["messages"]?.array).map { $0["role"]?.string }
      #expect(roles == ["system", "user", "assistant", "user"])
    }
  }

  @Test(
    "what a provider must not answer becomes a clear error",
    arguments: [
      "not json", #"{"choices":[]}"#, "[]", #"{"choices":[{"message":{"role":"assistant","content":5}}]}"#,
    ])
  func rubbish(body: String) async throws {
    let provider = try ScriptedProvider(
      .status(200, headers: [("content-type", "application/json")], body: body))
    let workspace = try Folder(["agents/plain.lua": "return { prompt = 'p' }"])
    try await RunningServer.with(
      workspace: workspace.path, environment: ["OPENAI_BASE_URL": provider.baseURL]
    ) {
      server in
      let failed = try await server.chat("plain", "hi")
      #expect(failed.status == 502)
      #expect(failed.json["code"] == "upstream")
    }
  }

  @Test("bad input is refused with a fault for each field, before anything is written")
  func badInput() async throws {
    try await RunningServer.with { server in
      let path = "/v1/agents/todo/chat"
      let long = String(repeating: "x", count: 10_001)
      let cases: [(String, Int)] = [
        ("", 400), ("{", 400), ("[]", 400), (#"{"message": ""}"#, 400), (#"{"message": 5}"#, 400),
        ("{}", 400),
        (#"{"message": "\#(long)"}"#, 400), (#"{"message": "x", "session_id": "a b"}"#, 400),
        (#"{"message": "x", "input": []}"#, 400), (#"{"message": "a\u0000b"}"#, 400),
        (String(repeating: "[", count: 5000), 400), (#"{"message": "x", "stream": 1}"#, 400),
        ("\"\u{FFFD}\"", 400), (String(repeating: " ", count: 1 << 20) + "{}", 413),
      ]
      for (body, status) in cases {
        let answer = try await server.send("POST", path, body: Array(body.utf8))
        #expect(answer.status == status, "\(body.prefix(60))")
        #expect(answer.json["code"] != nil && answer.json["request_id"] != nil, "\(body.prefix(60))")
      }
      #expect(try await server.send("POST", path, body: [0x22, 0xFF, 0x22]).status == 400)
      #expect(
        try await server.send("POST", path, body: Array("{}".utf8), contentType: "text/plain").status == 415)
      #expect(try await server.post("/v1/agents/nobody/chat", ["message": "x"]).status == 404)
      #expect(try await server.get("/v1/nothing").status == 404)
      #expect(try await server.get(path).status == 405)
      #expect(try await server.get("/v1/sessions").json["data"] == [])
      #expect(try await server.get("/v1/sessions?after=zzz").status == 400)
      #expect(try await server.chat("todo", "show my to-dos").status == 200)
    }
  }

  @Test("another user's session is not found, whatever is done with it")
  func strangers() async throws {
    let data = try Folder()
    _ = try await perigee([
      "run", "todo", "--workspace", PerigeeBinary.repository, "--data", data.path, "--as", "bob", "--session",
      "bobs",
      "--input", "add secret plan",
    ])
    let server = try await RunningServer(workspace: PerigeeBinary.repository, data: data.path)
    #expect(try await server.get("/v1/sessions/bobs").status == 404)
    #expect(try await server.get("/v1/sessions/bobs/messages").status == 404)
    #expect(try await server.send("DELETE", "/v1/sessions/bobs", body: nil).status == 404)
    #expect(
      try await server.chat("todo", "show my to-dos", session: "bobs").json["response"]
        == "Your list is empty.")
    #expect(try await server.get("/v1/sessions/bobs/messages").json["data"]?.array?.count == 2)
    await server.stop()
  }

  @Test("scripts that fail, hang or are reloaded wrong hurt nobody else")
  func hostileScripts() async throws {
    let workspace = try Folder([
      "perigee.yaml": "scripts: { cpu_ms: 200 }\n",
      "agents/bad.lua": """
      return { run = function(ctx, input)
        if input.message == "loop" then while true do end end
        if input.message == "error" then error("a secret path") end
        return tools.call("hang")
      end, tools = { "hang" } }
      """,
      "agents/good.lua": "return { run = function() return 'good' end }",
      "tools/hang.lua":
        "return { hang = { description = 'd', timeout = 0.05, run = function() time.sleep(60) return 'x' end } }",
    ])
    try await RunningServer.with(workspace: workspace.path) { server in
      async let loop = server.chat("bad", "loop")
      for _ in 0..<5 { #expect(try await server.chat("good", "x").json["response"] == "good") }
      #expect(try await loop.json["code"] == "limit")
      let error = try await server.chat("bad", "error")
      #expect(error.status == 500)
      #expect(!error.text.contains("secret path") && !error.text.contains("bad.lua"))
      let hang = try await server.chat("bad", "hang")
      #expect(hang.status == 504)
      #expect(hang.json["code"] == "timeout")

      // A wrong version is not taken; a right one is.
      try workspace.write("agents/good.lua", "return { run = ")
      server.send(SIGHUP)
      #expect(try await server.chat("good", "x").json["response"] == "good")
      try workspace.write("agents/good.lua", "return { run = function() return 'better' end }")
      let version = try await server.get("/v1/agents/good").json["version"]
      server.send(SIGHUP)
      var now = version
      while now == version { now = try await server.get("/v1/agents/good").json["version"] }
      #expect(try await server.chat("good", "x").json["response"] == "better")
    }
  }

  @Test(
    "a server that is killed keeps what it acknowledged, and the next one goes on with the run that it was in"
  )
  func killed() async throws {
    let provider = try ScriptedProvider(.silence, .completion("late"))
    let data = try Folder()
    let workspace = try Folder([
      "agents/plain.lua": "return { prompt = 'p' }",
      "agents/quick.lua": "return { run = function() return 'q' end }",
    ])
    let environment = ["OPENAI_BASE_URL": provider.baseURL]
    let server = try await RunningServer(workspace: workspace.path, data: data.path, environment: environment)
    #expect(try await server.chat("quick", "kept", session: "a").status == 200)
    let lost = Task { try await server.chat("plain", "never answered", session: "b") }
    await provider.requests(atLeast: 1)
    await server.stop(signal: SIGKILL)
    _ = await lost.result
    let next = try await RunningServer(workspace: workspace.path, data: data.path, environment: environment)
    #expect(
      try await next.get("/v1/sessions/a/messages").json["data"]?.array?.map { $0["content"] } == [
        "kept", "q",
      ])
    // A message to the same session waits for the run that goes on.
    #expect(try await next.chat("quick", "again", session: "b").status == 200)
    let runs = try await next.get("/v1/runs").json["data"]?.array?.map { $0["status"]?.string }
    #expect(runs == ["completed", "completed", "completed"])
    #expect(
      try await next.get("/v1/sessions/b/messages").json["data"]?.array?.map { $0["content"] } == [
        "never answered", "late", "again", "q",
      ])
    await next.stop()
  }

  @Test("SIGTERM lets the turn under way finish")
  func drains() async throws {
    let gate = Gate()
    let body = #"{"choices":[{"message":{"role":"assistant","content":"done"},"finish_reason":"stop"}]}"#
    let provider = try ScriptedProvider(.pieces([(gate: gate, bytes: Array(body.utf8))]))
    let data = try Folder()
    let workspace = try Folder(["agents/plain.lua": "return { prompt = 'p' }"])
    let server = try await RunningServer(
      workspace: workspace.path, data: data.path, environment: ["OPENAI_BASE_URL": provider.baseURL])
    let turn = Task { try await server.chat("plain", "hi") }
    await provider.requests(atLeast: 1)
    server.send(SIGTERM)
    gate.open()
    #expect(try await turn.value.json["response"] == "done")
    let end = await server.stop()
    #expect(end.status == 0, "\(end.log)")
  }

  @Test("readiness, metrics and the description of the API are there")
  func operations() async throws {
    try await RunningServer.with { server in
      #expect(try await server.get("/health/live").status == 200)
      #expect(try await server.get("/health/ready").json["parts"]?["store"]?["status"] == "ok")
      _ = try await server.chat("todo", "show my to-dos")
      let metrics = try await server.get("/metrics").text
      #expect(metrics.contains(#"perigee_turns_total{agent="todo""#))
      let paths = try await server.get("/openapi.json").json["paths"]?.object?.keys
      #expect(paths?.contains("/v1/agents/{agent}/chat") == true)
    }
  }
}
