// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// Functions among the guardrails, through the real server.
@Suite("Guardrails that are functions", .timeLimit(.minutes(5)))
struct LuaGuardTests {
  private static let library = """
    local M = {}
    function M.no_competitors(ctx, text)
      if text:find("Globex", 1, true) then return (text:gsub("Globex", "[competitor]")) end
    end
    function M.no_orders(ctx, text)
      if text:find("order", 1, true) then return false, "orders are not for " .. ctx.user.id end
    end
    function M.fails(ctx, text)
      if text:find("boom", 1, true) then error("a fault of its own") end
    end
    return M
    """

  private static func start(
    _ files: [String: String], provider: ScriptedProvider? = nil
  ) async throws -> (server: RunningServer, keep: [Folder]) {
    let (workspace, data) = (try Folder(files.merging(["lib/guards.lua": library]) { $1 }), try Folder())
    var environment: [String: String] = [:]
    if let provider { environment = ["OPENAI_API_KEY": "sk-secret", "OPENAI_BASE_URL": provider.baseURL] }
    let server = try await RunningServer(
      workspace: workspace.path, data: data.path, environment: environment)
    return (server, [workspace, data])
  }

  /// A model that says what it was told last.
  private static func echo() throws -> ScriptedProvider {
    try ScriptedProvider { request in
      let last = request.json["messages"]?.array?.last?["content"]?.string ?? ""
      return request.json["stream"] == true
        ? .events(ScriptedProvider.Reply.streamedCompletion(["you said ", last]).map { (nil, $0) })
        : .completion("you said " + last)
    }
  }

  private static func read(_ provider: ScriptedProvider) -> String {
    provider.requests.map { String(decoding: $0.body, as: UTF8.self) }.joined()
  }

  /// What guards decided, run by run, oldest first.
  private static func decisions(_ server: RunningServer) async throws -> [[JSON]] {
    let runs = try await server.get("/v1/runs").json["data"]?.array ?? []
    var decisions: [[JSON]] = []
    for run in runs.reversed() {
      let trace = try await server.get("/v1/runs/\(run["id"]?.string ?? "")/trace").json
      decisions.append(
        (trace["spans"]?.array ?? []).filter { $0["name"] == "guardrail" }.compactMap { $0["result"] })
    }
    return decisions
  }

  private static func replaysAll(_ server: RunningServer, _ keep: [Folder]) async throws {
    let runs = try await server.get("/v1/runs").json["data"]?.array?.compactMap { $0["id"]?.string } ?? []
    await server.stop()
    for run in runs {
      let replay = try await perigee(
        "replay", run, "--workspace", keep[0].path, "--data", keep[1].path)
      #expect(replay.status == 0, "\(replay.output) \(replay.errors)")
    }
  }

  @Test("a function changes what goes on of a message, or refuses it: no model reads it, then or later")
  func input() async throws {
    let provider = try Self.echo()
    let (server, keep) = try await Self.start(
      [
        "agents/a.lua": """
        local guards = require("lib.guards")
        return { prompt = "p", guardrails = { input = {
          "email", guards.no_competitors, { name = "no-orders", run = guards.no_orders }, guards.fails,
          function(ctx, text) return #text < 60 end,
        } } }
        """,
        "agents/b.lua": """
        return { guardrails = { input = { function(ctx, text) return text:upper() end } },
          run = function(ctx, input) return input.message .. ctx.input.message end }
        """,
      ], provider: provider)
    #expect(try await server.chat("a", "hello", session: "s").json["response"] == "you said hello")
    let masked = try await server.chat("a", "is Globex good", session: "s")
    #expect(masked.json["response"] == "you said is [competitor] good")
    let refused = try await server.chat("a", "my order 7", session: "s")
    #expect(refused.status == 422 && refused.json["code"] == "rejected", "\(refused.text)")
    #expect(refused.json["detail"] == "orders are not for local")
    let plain = try await server.chat("a", String(repeating: "wordy ", count: 20), session: "s")
    #expect(plain.json["detail"] == "the message is not taken: lua:agents/a.lua:4", "\(plain.text)")
    // What a function raises ends the run, and the text does not go on.
    let failed = try await server.chat("a", "boom", session: "s")
    #expect(failed.status == 500 && failed.json["code"] == "internal", "\(failed.text)")
    // A rule of the same list still refuses before there is a run.
    #expect(try await server.chat("a", "jane@example.com", session: "s").status == 422)
    #expect(try await server.chat("a", "bye", session: "s").json["response"] == "you said bye")
    let read = Self.read(provider)
    #expect(provider.requests.count == 3 && !read.contains("Globex") && !read.contains("order 7"))
    #expect(!read.contains("wordy") && read.contains("is [competitor] good"))
    #expect(try await server.chat("b", "hi").json["response"] == "HIHI")

    let messages = try await server.get("/v1/sessions/s/messages").text
    #expect(!messages.contains("Globex") && messages.contains("is [competitor] good"))
    func decision(_ action: String, _ rule: String) -> [JSON] {
      [["stage": "input", "action": .string(action), "rules": [.string(rule)]]]
    }
    #expect(
      try await Self.decisions(server) == [
        [], decision("masked", "lua:lib/guards.lua:2"), decision("refused", "no-orders"),
        decision("refused", "lua:agents/a.lua:4"), [], [], decision("masked", "lua:agents/b.lua:1"),
      ])
    let trail = try await server.get("/v1/audit?actions=guardrail.refused").json["data"]?.array
    #expect(trail?.compactMap { $0["detail"]?["rules"]?.array?.first?.string }.contains("no-orders") == true)
    try await Self.replaysAll(server, keep)
  }

  @Test("no model reads a message that its agent has not let in, however its run ended")
  func unchecked() async throws {
    let provider = try ScriptedProvider { request in
      let last = request.json["messages"]?.array?.last
      if last?["content"]?.string?.contains("ask") == true { return .toolCalls([("c1", "ask", "{}")]) }
      return .completion("you said " + (last?["content"]?.string ?? ""))
    }
    let gate = Gate()
    let door = try ScriptedProvider(.json(["ok": true]).held(by: gate))
    let (server, _) = try await Self.start(
      [
        "perigee.yaml": "http: { private_addresses: true }",
        "agents/a.lua": """
        local guards = require("lib.guards")
        return { prompt = "p", tools = { "ask" }, access = { http = { "127.0.0.1:\(door.port)" } },
          guardrails = { input = { guards.no_competitors, guards.no_orders, guards.fails,
            function(ctx, text)
              if text:find("wait") then http.get("http://127.0.0.1:\(door.port)/") end
            end } } }
        """,
        "agents/b.lua": "return { prompt = 'p' }",
        "agents/c.lua": """
        return { prompt = "p", before = function(ctx, message)
          if message:find("bad") then error("no") end
          return (message:gsub("Globex", "[x]"))
        end }
        """,
        "agents/d.lua": """
        return { run = function(ctx)
          local said = {}
          for _, message in ipairs(ctx.session.messages()) do said[#said + 1] = message.content end
          return table.concat(said, "|")
        end }
        """,
        "tools/ask.lua": """
        return { ask = { description = "d", approve = true, run = function() return "yes" end } }
        """,
      ], provider: provider)
    // Refused, failed, cancelled in the guard, failed in `before`.
    #expect(try await server.chat("a", "my order 7 Globex", session: "s").status == 422)
    #expect(try await server.chat("a", "boom Globex", session: "s").status == 500)
    let waits = Task { try await server.chat("a", "wait Globex", session: "s") }
    _ = await door.requests(atLeast: 1)
    let run = try await server.get("/v1/runs").json["data"]?.array?.first?["id"]?.string ?? ""
    #expect(try await server.post("/v1/runs/\(run)/cancel", [:]).status == 202)
    #expect(try await waits.value.json["code"] == "cancelled")
    gate.open()
    #expect(try await server.chat("c", "bad Globex", session: "s").status == 500)
    #expect(try await server.chat("c", "fine Globex", session: "s").json["response"] == "you said fine [x]")
    // One that waits, as other agents see it; and when it was cancelled.
    #expect(try await server.chat("a", "ask Globex", session: "s").status == 202)
    #expect(try await server.chat("b", "hello", session: "s").json["response"] == "you said hello")
    let waiting = try await server.get("/v1/runs").json["data"]?.array?.first { $0["status"] == "waiting" }
    let cancel = try await server.post("/v1/runs/\(waiting?["id"]?.string ?? "")/cancel", [:])
    #expect(cancel.status == 202, "\(cancel.text)")
    try await waitWhile {
      let runs = try await server.get("/v1/runs").json["data"]?.array ?? []
      return runs.contains { $0["status"] == "waiting" }
    }
    #expect(try await server.chat("b", "bye", session: "s").json["response"] == "you said bye")
    let history = try await server.chat("d", "x", session: "s").json["response"]?.string ?? ""
    #expect(
      history == "fine [x]|you said fine [x]|ask [competitor]||hello|you said hello|bye|you said bye",
      "\(history)")
    #expect(!Self.read(provider).contains("Globex"))
    let messages = try await server.get("/v1/sessions/s/messages?limit=200").json["data"]?.array ?? []
    #expect(messages.contains { $0["content"] == "ask [competitor]" })
    // People see what they wrote; what happened tells nothing of it.
    #expect(messages.contains { $0["content"] == "my order 7 Globex" })
    #expect(try await !server.get("/v1/events?limit=200").text.contains("Globex"))
    #expect(try await server.get("/v1/sessions/s").json["title"] == "New chat")
    _ = try await server.chat("a", "is Globex good", session: "t")
    #expect(try await server.get("/v1/sessions/t").json["title"] == "Chat: is [competitor] good")
    await server.stop()
  }

  @Test("of runs that wait in one session each goes on with what it had read, whichever ends first")
  func twoWait() async throws {
    let provider = try ScriptedProvider { request in
      let messages = request.json["messages"]?.array ?? []
      let words = messages.last?["content"]?.string ?? ""
      if words == "fails" { return .failure(400) }
      let plain = ["old", "one", "two", "three", "four", "five"]
      return messages.last?["role"] == "tool" || plain.contains(words)
        ? .completion("done") : .toolCalls([("c1", "ask", "{}")])
    }
    let (server, _) = try await Self.start(
      [
        "agents/f.lua": "return { prompt = 'p' }",
        "agents/s.lua": """
        return { prompt = "p", tools = { "ask" }, history = 4,
          compact = function(ctx, messages) return "in short: " .. #messages end }
        """,
        "agents/a.lua": """
        local guards = require("lib.guards")
        return { prompt = "p", tools = { "ask" }, guardrails = { input = { guards.no_competitors, guards.no_orders } } }
        """, "agents/b.lua": "return { prompt = 'p', tools = { 'ask' } }",
        "tools/ask.lua": """
        return { ask = { description = "d", approve = true, run = function() return "yes" end } }
        """,
      ], provider: provider)
    for (session, agents) in [("1", ["a", "a"]), ("2", ["a", "b"]), ("3", ["b", "a"])] {
      for agent in agents { #expect(try await server.chat(agent, "Globex", session: session).status == 202) }
      for _ in agents {
        // The first that asked.
        let pending = try await server.get("/v1/approvals").json["data"]?.array?.filter {
          $0["status"] == "pending"
        }
        let run = pending?.last?["run_id"]?.string ?? ""
        _ = try await server.post(
          "/v1/approvals/\(pending?.last?["id"]?.string ?? "")", ["decision": "approve"])
        var status: JSON?
        repeat {
          status = try await server.get("/v1/runs/\(run)").json["status"]
        } while status == "waiting"
          || status == "running"
        #expect(status == "completed", "\(session)")
      }
    }
    // One that failed before is not done again meanwhile: what the later one has read would be otherwise.
    #expect(try await server.chat("f", "fails", session: "q").status == 502)
    let failed = try await server.get("/v1/runs").json["data"]?.array?.first?["id"]?.string ?? ""
    #expect(try await server.chat("b", "asks", session: "q").status == 202)
    let retry = try await server.post("/v1/runs/\(failed)/retry", [:])
    #expect(retry.status == 409 && retry.text.contains("a later run of this session waits"), "\(retry.text)")
    // A summary that others make while it waits is none that it has read.
    _ = try await server.chat("s", "old", session: "u")
    #expect(try await server.chat("s", "ask", session: "u").status == 202)
    for word in ["one", "two", "three", "four", "five"] {
      _ = try await server.chat("s", word, session: "u")
    }
    for id in try await server.get("/v1/approvals").json["data"]?.array?.filter({
      $0["status"] == "pending"
    }).compactMap({ $0["id"]?.string }) ?? [] {
      #expect(try await server.post("/v1/approvals/\(id)", ["decision": "approve"]).status == 200)
    }
    try await waitWhile {
      let runs = try await server.get("/v1/runs?limit=200").json["data"]?.array ?? []
      return runs.contains { $0["status"] == "waiting" || $0["status"] == "running" }
    }
    let ended = try await server.get("/v1/runs?limit=200").json["data"]?.array ?? []
    #expect(ended.filter { $0["status"] == "failed" }.map { $0["id"] } == [.string(failed)])
    // What nobody may read takes no place of what is remembered.
    #expect(try await server.chat("b", "remember 77", session: "r").status == 202)
    for _ in 0..<12 { #expect(try await server.chat("a", "my order", session: "r").status == 422) }
    _ = try await server.chat("b", "which?", session: "r")
    let last = provider.requests.last?.json["messages"]?.array?.compactMap { $0["content"]?.string } ?? []
    #expect(last.contains("remember 77") && last.contains("which?") && !last.contains("my order"))
    await server.stop()
  }

  @Test(
    "an answer is held back until a function has seen it whole: plain, streamed, in OpenAI's words, and in data"
  )
  func output() async throws {
    let provider = try Self.echo()
    let (server, keep) = try await Self.start(
      [
        "agents/a.lua": """
        local guards = require("lib.guards")
        return { prompt = "p", guardrails = { output = { "email", guards.no_competitors, guards.no_orders } } }
        """,
        "agents/d.lua": """
        local guards = require("lib.guards")
        return { guardrails = { output = { guards.no_competitors } }, run = function()
          return { text = "of Globex", data = { list = { "Globex", 1.0, json.null }, none = json.array{} } }
        end }
        """,
      ], provider: provider)
    let text = "Globex jane@example.com"
    let masked: JSON = "you said [competitor] j***@example.com"
    #expect(try await server.chat("a", text).json["response"] == masked)
    let refused = try await server.chat("a", "order 7")
    #expect(refused.status == 422 && refused.json["detail"] == "orders are not for local", "\(refused.text)")
    #expect(!refused.text.contains("order 7"))

    func stream(_ path: String, _ body: JSON) async throws -> (text: String, pieces: [String]) {
      let answer = try await server.send(
        "POST", path, body: RawJSON(body).bytes, headers: [("Accept", "text/event-stream")])
      let events = answer.text.split(separator: "\n").compactMap { line in
        line.hasPrefix("data: ") ? try? JSON(parsing: String(line.dropFirst(6))) : nil
      }
      return (
        answer.text,
        events.compactMap { $0["text"]?.string ?? $0["choices"]?.array?.first?["delta"]?["content"]?.string }
          .filter { !$0.isEmpty }
      )
    }
    func ask(_ text: String, isStreamed: Bool) -> JSON {
      ["model": "a", "stream": .bool(isStreamed), "messages": [["role": "user", "content": .string(text)]]]
    }
    let native = try await stream("/v1/agents/a/chat", ["message": .string(text)])
    #expect(native.pieces == [masked.string] && !native.text.contains("Globex"), "\(native.text)")
    let events = try await stream("/v1/agents/a/chat", ["message": "order 7"])
    #expect(events.pieces.isEmpty && events.text.contains("orders are not for local"), "\(events.text)")
    #expect(!events.text.contains("you said"))
    let chunks = try await stream("/v1/chat/completions", ask(text, isStreamed: true))
    #expect(chunks.pieces == [masked.string] && !chunks.text.contains("Globex"), "\(chunks.text)")
    let completion = try await server.post("/v1/chat/completions", ask(text, isStreamed: false))
    #expect(completion.json["choices"]?.array?[0]["message"]?["content"] == masked)
    let withheld = try await server.post("/v1/chat/completions", ask("order 7", isStreamed: false))
    #expect(withheld.status == 422 && !withheld.text.contains("you said"), "\(withheld.text)")

    let data = try await server.chat("d", "x")
    #expect(data.json["response"] == "of [competitor]")
    #expect(data.json["data"] == ["list": ["[competitor]", 1.0, nil], "none": []], "\(data.text)")
    let decisions = try await Self.decisions(server)
    #expect(
      decisions.first == [
        ["stage": "output", "action": "masked", "rules": ["email", "lua:lib/guards.lua:2"]]
      ])
    #expect(
      decisions[1] == [["stage": "output", "action": "refused", "rules": ["lua:lib/guards.lua:5"]]])
    await server.stop()
    _ = keep
  }

  @Test("a function sees each text that a tool brings before the model does; one that fails ends the run")
  func tools() async throws {
    let provider = try ScriptedProvider { request in
      let last = request.json["messages"]?.array?.last
      if last?["role"] == "tool" { return .completion("read: " + (last?["content"]?.string ?? "")) }
      return .toolCalls([("c1", last?["content"]?.string ?? "", "{}")])
    }
    let tool = """
      return {
        mixed = { description = "d", run = function() return { Globex = { "Globex", 1 }, mail = "a@example.com" } end },
        order = { description = "d", run = function() return { "x", { "order 7" } } end },
        fail = { description = "d", run = function() error({ code = "denied", message = "Globex" }) end },
        boom = { description = "d", run = function() return "boom" end },
        fine = { description = "d", run = function() return { ok = true } end },
      }
      """
    let names = #"tools = { "mixed", "order", "fail", "boom", "fine" }"#
    let (server, keep) = try await Self.start(
      [
        "agents/a.lua": """
        local guards = require("lib.guards")
        return { prompt = "p", \(names), guardrails = { tools = {
          mask = { "email" }, check = { guards.no_competitors, { name = "orders", run = guards.no_orders }, guards.fails },
        } } }
        """,
        "agents/b.lua": """
        local guards = require("lib.guards")
        return { prompt = "p", \(names), guardrails = { tools = { guards.no_competitors } } }
        """, "tools/t.lua": tool,
      ], provider: provider)
    let mixed = try JSON(
      parsing: String(
        (try await server.chat("a", "mixed").json["response"]?.string ?? "").dropFirst("read: ".count)))
    #expect(mixed == ["[competitor]": ["[competitor]", 1], "mail": "a***@example.com"], "\(mixed)")
    let order = try await server.chat("a", "order").json["response"]?.string ?? ""
    #expect(order.contains(#""code":"rejected""#) && order.contains("orders are not for local"), "\(order)")
    let fail = try await server.chat("a", "fail").json["response"]?.string ?? ""
    #expect(fail.contains(#""message":"[competitor]""#), "\(fail)")
    #expect(try await server.chat("a", "fine").json["response"] == #"read: {"ok":true}"#)
    #expect(try await server.chat("b", "fail").json["response"]?.string?.contains("[competitor]") == true)
    let count = provider.requests.count
    let boom = try await server.chat("a", "boom")
    #expect(boom.status == 500 && provider.requests.count == count + 1, "\(boom.text)")
    let read = Self.read(provider)
    #expect(!read.contains("Globex") && !read.contains("order 7") && !read.contains(#""boom\""#))
    let decisions = try await Self.decisions(server)
    #expect(
      decisions == [
        [
          [
            "stage": "tool", "action": "masked", "rules": ["email", "lua:lib/guards.lua:2"],
            "tool": "mixed",
          ]
        ], [["stage": "tool", "action": "refused", "rules": ["orders"], "tool": "order"]],
        [["stage": "tool", "action": "masked", "rules": ["lua:lib/guards.lua:2"], "tool": "fail"]], [],
        [["stage": "tool", "action": "masked", "rules": ["lua:lib/guards.lua:2"], "tool": "fail"]], [],
      ])
    try await Self.replaysAll(server, keep)
  }

  @Test("what a guard asks of the host is handed back to a run that is done again")
  func hostCalls() async throws {
    let provider = try Self.echo()
    let (server, keep) = try await Self.start(
      [
        "agents/a.lua": """
        return { prompt = "p", access = { kv = "write" }, guardrails = {
          input = { function(ctx, text) return text .. " " .. kv.incr("heard") end },
          output = { function(ctx, text) return text .. " " .. kv.incr("said") .. " " .. uuid() end },
        } }
        """
      ], provider: provider)
    let answer = try await server.chat("a", "hi").json["response"]?.string ?? ""
    #expect(answer.hasPrefix("you said hi 1 1 "), "\(answer)")
    let runs = try await server.get("/v1/runs").json["data"]?.array?.compactMap { $0["id"]?.string } ?? []
    let keys = try await server.get("/v1/runs/\(runs.first ?? "")/trace").json["spans"]?.array?.compactMap {
      $0["key"]?.string
    }
    #expect(keys?.contains { $0.hasPrefix("guard.output:") } == true, "\(keys ?? [])")
    try await Self.replaysAll(server, keep)
  }

  @Test("a run that waited goes on with the message as its guards left it, and asks the host nothing twice")
  func waits() async throws {
    let files = [
      "agents/a.lua": """
      return { access = { kv = "write" }, guardrails = {
        input = { function(ctx, text) return text .. " " .. kv.incr("heard") end },
        output = { { name = "loud", run = function(ctx, text) return text:upper() end } },
      }, run = function(ctx, input)
        return input.message .. " " .. approval.request{ title = "Now?" }.decision
      end }
      """
    ]
    let (server, keep) = try await Self.start(files)
    let waiting = try await server.chat("a", "hi", session: "s")
    #expect(waiting.status == 202, "\(waiting.text)")
    await server.stop()
    let next = try await RunningServer(workspace: keep[0].path, data: keep[1].path)
    let approval = try await next.get("/v1/approvals").json["data"]?.array?.first?["id"]?.string ?? ""
    let decided = try await next.post("/v1/approvals/\(approval)", ["decision": "approve"])
    #expect(decided.status == 200, "\(decided.text)")
    try await waitWhile {
      try await next.get("/v1/runs").json["data"]?.array?.first?["status"] != "completed"
    }
    let messages = try await next.get("/v1/sessions/s/messages").json["data"]?.array ?? []
    #expect(messages.compactMap { $0["content"] } == ["hi 1", "HI 1 APPROVE"], "\(messages)")
    #expect(
      try await Self.decisions(next) == [
        [
          ["stage": "input", "action": "masked", "rules": ["lua:agents/a.lua:2"]],
          ["stage": "output", "action": "masked", "rules": ["loud"]],
        ]
      ])
    try await Self.replaysAll(next, keep)
  }

  @Test(
    "an agent that is called has its own functions; what it may not hear or say ends its run, not its caller's"
  )
  func called() async throws {
    let (server, keep) = try await Self.start([
      "agents/a.lua": """
      local guards = require("lib.guards")
      return { guardrails = { input = { guards.no_competitors, guards.no_orders }, output = { guards.fails } },
        run = function(ctx, input) return "heard " .. input.message end }
      """,
      "agents/b.lua": """
      return { agents = { "a" }, run = function(ctx, input)
        local said = {}
        for _, message in ipairs{ "of Globex", "an order", "boom" } do
          local ok, answer = pcall(agents.run, "a", { message = message })
          said[#said + 1] = ok and answer.text or answer.code .. ": " .. answer.message
        end
        return table.concat(said, "; ")
      end }
      """,
    ])
    #expect(
      try await server.chat("b", "go").json["response"]
        == "heard of [competitor]; rejected: orders are not for local; internal: the script of agent 'a' failed"
    )
    #expect(
      try await Self.decisions(server) == [
        [
          ["stage": "input", "action": "masked", "rules": ["lua:lib/guards.lua:2"]],
          ["stage": "input", "action": "refused", "rules": ["lua:lib/guards.lua:5"]],
        ]
      ])
    let told =
      try await server.get("/v1/events").json["data"]?.array?.filter {
        $0["agent_id"] == "a" && $0["execution_id"] != nil
      } ?? []
    #expect(told.map { $0["input_data"] } == [["message": "of [competitor]"], .null, ["message": "boom"]])
    try await Self.replaysAll(server, keep)
  }

  @Test(
    "what before makes of a message is what the rest of the run is told, also when it has waited over a restart"
  )
  func beforeChanges() async throws {
    let workspace = try Folder([
      "agents/a.lua": """
      return { tools = { "heard" }, before = function(_, message) return message .. "!" end,
        run = function(ctx, input)
          local first = input.message
          if first:find("wait") then approval.request{ title = "Go?" } end
          return table.concat({ first, ctx.input.message, tools.call("heard") }, "|")
        end }
      """,
      "tools/t.lua":
        "return { heard = { description = 'd', run = function(ctx) return ctx.input.message end } }",
    ])
    let data = try Folder()
    let first = try await RunningServer(workspace: workspace.path, data: data.path)
    #expect(try await first.chat("a", "hi").json["response"] == "hi!|hi!|hi!")
    let waiting = try await first.chat("a", "wait", session: "s")
    let (id, run) = (
      try #require(waiting.json["approval"]?["id"]?.string), try #require(waiting.json["run_id"]?.string)
    )
    await first.stop()
    let second = try await RunningServer(workspace: workspace.path, data: data.path)
    #expect(try await second.post("/v1/approvals/\(id)", ["decision": "approve"]).status == 200)
    try await waitWhile { try await second.get("/v1/runs/\(run)").json["finished_at"]?.isNull != false }
    let kept = try await second.get("/v1/sessions/s/messages").json["data"]?.array
    #expect(kept?.map { $0["content"] } == ["wait!", "wait!|wait!|wait!"])
    await second.stop()
  }

  @Test("a function that returns what no guard may ends the run; lint tells what cannot be one, and where")
  func wrong() async throws {
    let (server, _) = try await Self.start([
      "agents/a.lua": """
      return { guardrails = { output = { function() return 5 end } }, run = function() return "x" end }
      """
    ])
    let answer = try await server.chat("a", "hi")
    #expect(answer.status == 500 && !answer.text.contains("\"x\""), "\(answer.text)")
    await server.stop()
    let workspace = try Folder([
      "agents/a.lua": """
      return {
        prompt = "p",
        guardrails = {
          input = { "pii", "emial", 5, { name = "x" }, { run = function() end }, { nam = 1, run = 2 } },
          output = { function(ctx, text) return ctx.usr end },
          tools = { "email" },
        },
      }
      """,
      "agents/b.lua": """
      local guards = require("lib.guards")
      return { prompt = "p", guardrails = { input = "pii", tools = { mask = { function() end }, check = { guards.a } } } }
      """, "lib/guards.lua": "return { a = function(ctx, text) return true end }",
    ])
    let lint = try await perigee("lint", "--workspace", workspace.path)
    let found = lint.output.split(separator: "\n").filter { $0.hasPrefix("agents/") }.map(String.init)
    for (place, words) in [
      ("agents/a.lua:4:22:", "'input' has no rule 'emial'"), ("agents/a.lua:4:31:", "element 3 is a number"),
      ("agents/a.lua:4:34:", "a guard needs 'run'"), ("agents/a.lua:4:50:", "a guard needs 'name'"),
      ("agents/a.lua:4:78:", "no field 'nam'"), ("agents/a.lua:4:87:", "'run' must be a function"),
      ("agents/a.lua:5:47:", "no field 'usr'"), ("agents/a.lua:6:15:", "a function or { name =, run = }"),
      ("agents/b.lua:2:39:", "'input' must be a list"), ("agents/b.lua:2:73:", "element 1 is a function"),
    ] {
      #expect(
        found.contains { $0.hasPrefix(place) && $0.contains(words) }, "\(place) \(words)\n\(lint.output)")
    }
  }
}
