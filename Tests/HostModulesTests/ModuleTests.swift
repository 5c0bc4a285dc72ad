// SPDX-License-Identifier: Apache-2.0
import Core
import HostModules
import JSONCodec
import Storage
import TestSupport
import Testing
import Workspace

@Suite("Host calls")
struct ModuleTests {
  private static let todos = """
    return {
      schema = [[create table if not exists items (id integer primary key, name text unique, n real, blob blob)]],
      put = { description = "d", parameters = { name = "string" }, access = { db = "write" },
        run = function(ctx, args)
          local change = db.exec("insert into items (name, n) values (?, ?)", args.name, 1.5)
          return { id = change.last_insert_id, changes = change.changes }
        end },
      all = { description = "d", access = { db = "read" }, effect = "read",
        run = function() return db.query("select name, n, blob from items order by id") end },
      two = { description = "d", parameters = { fail = "boolean" }, access = { db = "write" },
        run = function(ctx, args)
          local ok, err = pcall(db.transaction, function()
            db.exec("insert into items (name) values ('x')")
            if args.fail then error("no") end
            return "done"
          end)
          return { ok = ok, count = db.query("select count(*) as n from items")[1].n }
        end },
      snoop = { description = "d", run = function() return db.query("select 1") end },
      boom = { description = "d", run = function() error({ code = "teapot", message = "short and stout" }) end },
    }
    """

  @Test("db keeps rows, gives them back by column, and rolls a failed transaction back")
  func database() async throws {
    let text = try await TestWorkspace.answer(
      """
      local put = tools.call("put", { name = "a" })
      local rows = tools.call("all")
      local failed = tools.call("two", { fail = true })
      local done = tools.call("two", { fail = false })
      local ok, err = pcall(tools.call, "put", { name = "a" })
      return json.encode{ put, rows, failed, done, err.code }
      """, tools: Self.todos, lists: #""put", "all", "two""#)
    #expect(
      text
        == #"[{"changes":1,"id":1},[{"n":1.5,"name":"a"}],{"count":1,"ok":false},{"count":2,"ok":true},"conflict"]"#
    )
  }

  @Test("what access does not name is denied with what to add")
  func capabilities() async throws {
    let text = try await TestWorkspace.answer(
      """
      local seen = {}
      for _, call in ipairs{
        function() db.query("select 1") end, function() kv.get("a") end, function() http.get("http://a.example") end,
        function() tools.call("snoop") end,
      } do
        local ok, err = pcall(call)
        seen[#seen + 1] = err.code .. ": " .. err.message
      end
      return table.concat(seen, "\\n")
      """, tools: Self.todos, lists: #""snoop""#)
    #expect(
      text == """
        denied: db.query is not allowed here: add access = { db = "read" } to agent 'probe'
        denied: kv.get is not allowed here: add access = { kv = "read" } to agent 'probe'
        denied: http.get is not allowed here: add access = { http = { "HOST" } } to agent 'probe'
        denied: db.query is not allowed here: add access = { db = "read" } to tool 'snoop'
        """)
  }

  @Test("a tool's own error keeps its code, and a tool that the agent does not list is not found")
  func toolErrors() async throws {
    let text = try await TestWorkspace.answer(
      """
      local _, own = pcall(tools.call, "boom")
      local _, unknown = pcall(tools.call, "put", { name = "a" })
      local _, wrong = pcall(tools.call, "boom", { x = 1 })
      return own.code .. "/" .. own.message .. "/" .. unknown.code .. "/" .. wrong.code
      """, tools: Self.todos, lists: #""boom""#)
    #expect(text == "teapot/short and stout/not_found/invalid_arguments")
  }

  @Test("kv keeps values by scope, counts, and forgets")
  func keyValue() async throws {
    let text = try await TestWorkspace.answer(
      """
      kv.set("a", { n = 1, list = json.array{} })
      kv.set("a", "session's", { scope = "session" })
      local sum = kv.incr("count", 2) + kv.incr("count")
      local before = json.encode(kv.get("a")) .. kv.get("a", { scope = "session" })
      local had, has = kv.delete("a"), kv.delete("a")
      local _, err = pcall(kv.set, "b", function() end)
      local _, scope = pcall(kv.get, "b", { scope = "world" })
      return json.encode{ sum, before, had, has, kv.get("a") == nil, err.code or tostring(err), scope.code }
      """, access: #"kv = "write""#)
    #expect(text.hasPrefix(#"[5,"{\"list\":[],\"n\":1}session's",true,false,true,"#))
    #expect(text.hasSuffix(#""invalid_arguments"]"#))
  }

  @Test("parallel branches run beside each other and answer in their places")
  func parallel() async throws {
    let text = try await TestWorkspace.answer(
      """
      local order = {}
      local function branch(name, seconds) return function()
        time.sleep(seconds); order[#order + 1] = name; return name
      end end
      local function after(other, name) return function()
        while order[#order] ~= other do time.sleep(0.001) end
        order[#order + 1] = name; return name
      end end
      local all = parallel{ after("fast", "slow"), b = branch("fast", 0) }
      local settled = parallel.settle{ ok = function() return 1 end, no = function() error({ code = "x", message = "y" }) end }
      local mapped = parallel.map({ 3, 1, 2 }, function(n, i) time.sleep(n / 200); return n * 10 + i end, { limit = 2 })
      local first, name = parallel.race{ a = branch("a", 5), b = branch("b", 0) }
      local ok, err = pcall(parallel, { function() error({ code = "bad", message = "m" }) end, branch("never", 5) })
      return json.encode{ all[1], all.b, order[1], settled.ok.value, settled.no.error.code, mapped, first, name, err.code }
      """)
    #expect(text == #"["slow","fast","fast",1,"x",[31,12,23],"b","b","bad"]"#)
  }

  @Test("guard.same passes what agrees and stops what does not")
  func guardSame() async throws {
    let text = try await TestWorkspace.answer(
      """
      local same = guard.same("id", parallel{ a = function() return { id = 7 } end, b = function() return { id = 7 } end })
      local _, err = pcall(guard.same, "id", { { id = 7 }, { id = 8 } })
      local _, none = pcall(guard.same, "id", { { id = 7 }, {} })
      return json.encode{ same, err.code, none.code }
      """)
    #expect(text == #"[7,"conflict","conflict"]"#)
  }

  @Test("text, time, crypto and uuid do what they say")
  func pureModules() async throws {
    let text = try await TestWorkspace.answer(
      """
      local moment = time.parse("2026-11-21T09:30:00.250+01:00")
      local _, missing = pcall(text.template, "{a}", {})
      return table.concat({
        text.template("{a} {{b} {n}", { a = "x", n = 3 }), missing.code,
        text.truncate("héllo wörld", 6), text.truncate("hi", 6), text.truncate("abcdef", 3, "..."),
        time.format(moment), time.format(moment, "%Y/%m/%d"), tostring(time.now() > moment - 1e9),
        crypto.sha256("abc"), crypto.hmac("key", "The quick brown fox jumps over the lazy dog"),
        tostring(#crypto.random(8)), tostring(#uuid()), tostring(uuid() ~= uuid()),
      }, "|")
      """)
    #expect(
      text
        == [
          "x {b} 3", "invalid_arguments", "héllo…", "hi", "...", "2026-11-21T08:30:00.250Z", "2026/11/21",
          "true",
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
          "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8", "16", "36", "true",
        ].joined(separator: "|"))
  }

  @Test(
    "personal data is found by its shape and checksum, and nothing else is",
    arguments: [
      ("write to ada.l@example.co.uk.", "write to [email]."), ("a@b", "a@b"),
      ("4111 1111 1111 1111!", "[card]!"),
      ("4111 1111 1111 1112", "4111 1111 1111 1112"),
      ("IBAN DE89 3704 0044 0532 0130 00 ok", "IBAN [iban] ok"),
      ("DE89370400440532013001", "DE89370400440532013001"),
      ("call +49 (30) 901820-0 now", "call [phone] now"),
      ("0532 123 45 67", "[phone]"), ("order 123456789", "order 123456789"), ("20000 TL", "20000 TL"),
      ("ş@x", "ş@x"),
    ])
  func redaction(text: String, redacted: String) async throws {
    let answer = try await TestWorkspace.answer("return text.redact([==[\(text)]==])")
    #expect(answer == redacted)
  }

  @Test("http reaches listed hosts only, and answers with status, headers and JSON")
  func http() async throws {
    let server = try ScriptedProvider { request in
      .json(["path": .string(request.path), "method": .string(request.method)], status: 201)
    }
    let text = try await TestWorkspace.answer(
      """
      local response = http.post("\(server.origin)/x", { json = { a = 1 }, query = { q = "a b", n = 2 } })
      local _, other = pcall(http.get, "http://localhost:\(server.port)/")
      local _, option = pcall(http.get, "\(server.origin)", { tiemout = 1 })
      return json.encode{ response.status, response.ok, response.json, other.code, option.code }
      """, access: #"http = { "127.0.0.1:\#(server.port)" }"#)
    #expect(text == #"[201,true,{"method":"POST","path":"/x?n=2&q=a%20b"},"denied","invalid_arguments"]"#)
    #expect(server.requests.first?.json == ["a": 1])
  }

  @Test("http sends only the methods that are listed for the host, after a redirect too")
  func httpMethods() async throws {
    let read = try ScriptedProvider(.json([:]))
    let write = try ScriptedProvider(.status(303, headers: [("Location", read.origin + "/made")]))
    let text = try await TestWorkspace.answer(
      """
      local got = http.get("\(read.origin)/").status
      local _, posted = pcall(http.post, "\(read.origin)/")
      local _, fetched = pcall(http.get, "\(write.origin)/")
      local made = http.post("\(write.origin)/").status
      local _, deleted = pcall(http.request, { method = "delete", url = "\(write.origin)/" })
      return json.encode{ got, posted.code, fetched.code, made, deleted.message }
      """, access: #"http = { "GET,HEAD 127.0.0.1:\#(read.port)", "post 127.0.0.1:\#(write.port)" }"#)
    #expect(
      text.hasPrefix(#"[200,"denied","denied",200,"DELETE to 127.0.0.1:\#(write.port) is not on the list"#))
    #expect(read.requests.map(\.method) == ["GET", "GET"])
    #expect(write.requests.map(\.method) == ["POST"])
  }

  @Test("http refuses private addresses unless the configuration allows them")
  func httpPrivate() async throws {
    let server = try ScriptedProvider(.json([:]))
    let text = try await TestWorkspace.answer(
      """
      local _, err = pcall(http.get, "\(server.origin)/")
      return err.code
      """, access: #"http = { "127.0.0.1:\#(server.port)" }"#, policy: HTTPPolicy())
    #expect(text == "denied")
    #expect(server.requests.isEmpty)
  }

  @Test("llm.chat asks the model and gives its answer with its usage")
  func llm() async throws {
    let provider = try ScriptedProvider(.completion("Bonjour"))
    let text = try await TestWorkspace.answer(
      """
      local answer = llm.chat{ messages = { { role = "user", content = "Hi" } }, temperature = 0 }
      return answer.text .. " " .. answer.finish_reason .. " " .. type(answer.usage.input_tokens)
      """, provider: provider.baseURL)
    #expect(text == "Bonjour stop number")
  }

  @Test("llm.embed gives a vector for each text, on the run's budget")
  func embeddings() async throws {
    let provider = try ScriptedProvider(
      .json([
        "data": [["index": 1, "embedding": [3, 4]], ["index": 0, "embedding": [1, 2.5]]],
        "usage": ["prompt_tokens": 7],
      ]))
    let text = try await TestWorkspace.answer(
      """
      local answer = llm.embed{ model = "embed-1", input = { "a", "b" }, dimensions = 2 }
      local first, second = answer.vectors[1], answer.vectors[2]
      local faults = {}
      for _, request in ipairs{ { input = "a" }, { model = "m" }, { model = "m", input = { 1 } },
        { model = "m", input = "a", dimensions = 0 } } do
        faults[#faults + 1] = select(2, pcall(llm.embed, request)).code
      end
      return ("%s %g %g %g %g %d %s"):format(answer.model, first[1], first[2], second[1], second[2],
        answer.usage.input_tokens, table.concat(faults, ","))
      """, provider: provider.baseURL)
    let faults = Array(repeating: "invalid_arguments", count: 4).joined(separator: ",")
    #expect(text == "embed-1 1 2.5 3 4 7 " + faults)
    #expect(provider.requests.map { $0.json["input"] } == [["a", "b"]])
  }

  @Test("an agent runs another one, for the same user")
  func agents() async throws {
    try await TestWorkspace.with([
      "agents/outer.lua":
        #"return { run = function(ctx, input) return agents.run("inner.one", { message = "m", extra = 1 }).text end }"#,
      "agents/inner/one.lua":
        #"return { run = function(ctx, input) return ctx.user.id .. input.message .. input.extra .. ctx.run.agent end }"#,
      "agents/endless.lua": #"return { run = function() return agents.run("endless").text end }"#,
    ]) { (workspace: TestWorkspace) async throws -> Void in
      let reply = try await workspace.chat("outer", as: Principal(id: "ada"))
      #expect(reply.text == "adam1inner.one")
      let failure = await #expect(throws: Failure.self) { try await workspace.chat("endless") }
      #expect(failure?.code == .limit)
    }
  }

  @Test("ctx is read-only but for the session's state, which is kept")
  func context() async throws {
    try await TestWorkspace.with([
      "agents/a.lua": """
      return { run = function(ctx, input)
        local seen = {}
        for name, write in pairs{ user = function() ctx.user.id = "x" end, new = function() ctx.y = 1 end,
          claims = function() ctx.user.claims.z = 1 end, raw = function() rawset(ctx.user, "id", "x") end } do
          seen[#seen + 1] = name .. "=" .. tostring(pcall(write))
        end
        table.sort(seen)
        ctx.session.state.count = (ctx.session.state.count or 0) + 1
        return ctx.session.state.count .. " " .. table.concat(seen, " ") .. " " .. ctx.user.id
      end }
      """
    ]) { (workspace: TestWorkspace) async throws -> Void in
      let first = try await workspace.chat("a", session: "s")
      #expect(first.text == "1 claims=false new=false raw=false user=false local")
      let second = try await workspace.chat("a", session: "s")
      #expect(second.text.hasPrefix("2 "))
      let stranger = try await workspace.chat("a", session: "s", as: Principal(id: "bob"))
      #expect(stranger.text.hasPrefix("1 "))
    }
  }

  @Test("before may change or reject a message, after may change the answer")
  func guards() async throws {
    try await TestWorkspace.with([
      "agents/a.lua": """
      return {
        before = function(ctx, message) if message == "no" then reject("not that") end return message:upper() end,
        run = function(ctx, input) return { text = "t", data = { n = 1 } } end,
        after = function(ctx, reply) reply.text = reply.text .. "!" return reply end,
      }
      """
    ]) { (workspace: TestWorkspace) async throws -> Void in
      let reply = try await workspace.chat("a", "yes", session: "s")
      #expect(reply.text == "t!")
      #expect(reply.data?.text == #"{"n":1}"#)
      let messages = try await workspace.store.messages(sessionID: "s", userID: "local", page: PageRequest())
      #expect(messages.items.map(\.text) == ["YES", "t!"])
      let failure = await #expect(throws: Failure.self) { try await workspace.chat("a", "no", session: "s") }
      #expect(failure?.code == .rejected)
      #expect(failure?.message == "not that")
    }
  }

  @Test(
    "a script's fault fails its run with a safe message, its position is for the log, and the session goes on"
  )
  func scriptFaults() async throws {
    try await TestWorkspace.with(
      [
        "agents/a.lua": """
        return { run = function(ctx, input)
          if input.message == "nil" then local x = nil; return x.y end
          if input.message == "loop" then while true do pcall(function() while true do end end) end end
          if input.message == "memory" then local t = {} while true do t[#t + 1] = ("x"):rep(1e5) .. #t end end
          if input.message == "result" then return 5 end
          return "fine"
        end }
        """
      ], settings: LuaScriptHost.Settings(cpu: .milliseconds(200))
    ) { (workspace: TestWorkspace) async throws -> Void in
      for (message, code) in [
        ("nil", Failure.Code.internal), ("loop", .limit), ("memory", .limit), ("result", .internal),
      ] {
        let failure = await #expect(throws: Failure.self) {
          try await workspace.chat("a", message, session: "s")
        }
        #expect(failure?.code == code, "\(message)")
        #expect(failure?.message.contains("agents/a.lua") == false)
        if message == "nil" { #expect(failure?.diagnostic?.contains("agents/a.lua:2") == true) }
        let next = try await workspace.chat("a", "x", session: "s")
        #expect(next.text == "fine")
      }
    }
  }

  @Test(
    "a transaction is its function's own: what it calls works in it, other branches and what was stopped do not"
  )
  func transactions() async throws {
    let tools = """
      local function count() return db.query("select count(*) as n from items")[1].n end
      return {
        schema = [[create table if not exists items (name text)]],
        branches = { description = "d", access = { db = "write" }, run = function()
          local results = parallel.settle{
            a = function() db.transaction(function()
              db.exec("insert into items values ('a')"); time.sleep(0.1); error("no")
            end) end,
            b = function() time.sleep(0.02); db.exec("insert into items values ('b')") end,
          }
          return { a = results.a.ok, b = results.b.ok, count = count() }
        end },
        stopped = { description = "d", access = { db = "write" }, run = function()
          parallel.race{
            function() db.transaction(function() db.exec("insert into items values ('lost')"); time.sleep(5) end) end,
            function() time.sleep(0.05) return 1 end,
          }
          db.exec("insert into items values ('kept')")
          return count()
        end },
        add = { description = "d", access = { db = "write" }, run = function()
          db.exec("insert into items values ('added')")
          return count()
        end },
        inside = { description = "d", access = { db = "write" }, run = function()
          return db.transaction(function()
            local added = tools.call("add")
            local _, again = pcall(db.transaction, function() end)
            local inner = coroutine.wrap(function() db.exec("insert into items values ('inner')") return count() end)()
            local both = parallel{ function() db.exec("insert into items values ('p')") return 1 end, function() return count() end }
            return { added = added, again = again.code, inner = inner, outer = count() }
          end)
        end },
      }
      """
    let text = try await TestWorkspace.answer(
      """
      return json.encode{ tools.call("branches"), tools.call("stopped"), tools.call("inside") }
      """, tools: tools, lists: #""branches", "stopped", "add", "inside""#)
    #expect(
      text
        == #"[{"a":false,"b":true,"count":1},2,{"added":3,"again":"invalid_arguments","inner":4,"outer":5}]"#
    )
  }

  @Test("calls of a script each have a key of their own")
  func idempotencyKeys() async throws {
    let text = try await TestWorkspace.answer(
      """
      local keys = parallel{ function() return tools.call("key") end, function() return tools.call("key") end }
      return tostring(keys[1] ~= keys[2])
      """,
      tools:
        "return { key = { description = 'd', run = function(ctx) time.sleep(0.01) return ctx.call.key end } }",
      lists: #""key""#)
    #expect(text == "true")
  }

  @Test(
    "a script's own mistake is not called its caller's",
    arguments: [
      "db.query(nil)", #"db.query("select nothing from nowhere")"#, #"agents.run("nope")"#,
      #"http.get("http://a.example")"#,
    ])
  func ownFaults(lua: String) async throws {
    let failure = await #expect(throws: Failure.self) {
      try await TestWorkspace.answer(lua, access: #"db = "read""#)
    }
    #expect(failure?.code == .internal)
    #expect(failure?.message == "the script of agent 'probe' failed")
  }

  @Test("redaction takes time in proportion to the text")
  func redactionIsLinear() async throws {
    let text = try await TestWorkspace.answer(
      """
      local hard = ("("):rep(20000) .. ("A1 "):rep(2000) .. ("a@"):rep(2000)
      return tostring(#text.redact(hard) == #hard)
      """)
    #expect(text == "true")
  }

  @Test("a run's tokens bound the models that its script calls")
  func budget() async throws {
    let provider = try ScriptedProvider(.completion("x"))
    try await TestWorkspace.with(
      [
        "agents/a.lua": """
        return { limits = { tokens = 40 }, run = function()
          local count = 0
          while pcall(llm.chat, { messages = { { role = "user", content = "x" } } }) do count = count + 1 end
          return tostring(count)
        end }
        """
      ], provider: provider.baseURL
    ) { (workspace: TestWorkspace) async throws -> Void in
      #expect(try await workspace.chat("a").text == "2")
    }
  }

  private final class Token: Sendable {}

  @Test("a finished run is gone, with all that it held")
  func runsAreReleased() async throws {
    try await TestWorkspace.with([
      "agents/a.lua": "return { tools = { 't' }, run = function() return { data = tools.call('t') } end }",
      "tools/t.lua": "return { t = { description = 'd', run = function() return agents.run('b').text end } }",
      "agents/b.lua": "return { run = function() return 'b' end }",
    ]) { (workspace: TestWorkspace) async throws -> Void in
      weak var weakToken: Token?
      do {
        let token = Token()
        weakToken = token
        let reply = try await workspace.runner.chat(ChatRequest(agent: "a", message: "x"), as: .local) { _ in
          _ = token
        }
        #expect(try reply.reply().data?.text == "\"b\"")
      }
      #expect(weakToken == nil)
    }
  }

  @Test("messages to a busy session wait, are refused or interrupt, as the agent says")
  func busySessions() async throws {
    let agent = { (policy: String) in
      """
      return { busy = "\(policy)", run = function(ctx, input)
        if input.message == "slow" then time.sleep(\(policy == "queue" ? 0.05 : 3)) end
        ctx.session.state.n = (ctx.session.state.n or 0) + 1
        return input.message .. ctx.session.state.n
      end }
      """
    }
    try await TestWorkspace.with([
      "agents/queue.lua": agent("queue"), "agents/reject.lua": agent("reject"),
      "agents/interrupt.lua": agent("interrupt"),
    ]) { (workspace: TestWorkspace) async throws -> Void in
      for policy in ["queue", "reject", "interrupt"] {
        let (started, hasStarted) = AsyncStream.makeStream(of: Void.self)
        let slow = Task {
          try await workspace.runner.chat(
            ChatRequest(agent: policy, message: "slow", sessionID: policy), as: .local
          ) { if case .started = $0 { hasStarted.yield() } }
        }
        for await _ in started { break }
        let quick = await Task { try await workspace.chat(policy, "quick", session: policy).text }.result
        let first = await slow.result
        switch policy {
        case "queue":
          #expect(try first.get().reply().text == "slow1")
          #expect(try quick.get() == "quick2")
        case "reject":
          #expect(try first.get().reply().text == "slow1")
          #expect((quick.failure as? Failure)?.code == .conflict)
        default:
          #expect((first.failure as? Failure)?.code == .cancelled)
          #expect(try quick.get() == "quick1")
        }
      }
    }
  }

  @Test("a run over its time is stopped, and what its tools did is kept")
  func timeLimit() async throws {
    try await TestWorkspace.with([
      "agents/a.lua": """
      return { limits = { seconds = 1.5 }, tools = { "t" }, run = function(ctx)
        tools.call("t")
        while true do time.sleep(0.05) end
      end }
      """,
      "tools/t.lua": "return { t = { description = 'd', run = function() return 7 end } }",
    ]) { (workspace: TestWorkspace) async throws -> Void in
      let failure = await #expect(throws: Failure.self) { try await workspace.chat("a", session: "s") }
      #expect(failure?.code == .timeout)
      let messages = try await workspace.store.messages(sessionID: "s", userID: "local", page: PageRequest())
      #expect(messages.items.last?.failure == .timeout)
      #expect(messages.items.last?.steps.first?.calls.first?.outcome == .result(RawJSON(7)))
    }
  }
}

extension Result {
  fileprivate var failure: Failure? {
    if case .failure(let failure) = self { failure } else { nil }
  }
}

@Suite("Budgets of called agents", .timeLimit(.minutes(5)))
struct CalledAgentTests {
  @Test("agents that call one another use up one budget of processor time")
  func sharedProcessorTime() async throws {
    let burn = """
      return { run = function() local stop = os.clock() + 0.05 while os.clock() < stop do end return "burnt" end }
      """
    let outer = """
      return { run = function() for _ = 1, 40 do pcall(agents.run, "burn", {}) end return "free" end }
      """
    let settings = LuaScriptHost.Settings(cpu: .milliseconds(200))
    try await TestWorkspace.with(
      ["agents/burn.lua": burn, "agents/outer.lua": outer], settings: settings
    ) { (workspace: TestWorkspace) async throws -> Void in
      let failure = await #expect(throws: Failure.self) { try await workspace.chat("outer") }
      #expect(failure?.code == .limit)
    }
  }

  @Test("a turn calls so many agents and no more, however deep")
  func countedCalls() async throws {
    let leaf = "return { run = function() return 'x' end }"
    let middle = "return { run = function() for _ = 1, 20 do agents.run('leaf', {}) end return 'x' end }"
    let outer = """
      return { run = function()
        local ok, err = pcall(function() for _ = 1, 20 do agents.run("middle", {}) end end)
        return err.code .. ": " .. err.message
      end }
      """
    try await TestWorkspace.with(
      ["agents/leaf.lua": leaf, "agents/middle.lua": middle, "agents/outer.lua": outer]
    ) { (workspace: TestWorkspace) async throws -> Void in
      let reply = try await workspace.chat("outer")
      #expect(reply.text == "limit: more than 256 agents were called in this run")
    }
  }

  @Test("calling a tool that the agent does not list is the script's fault, not its caller's")
  func unlistedTool() async throws {
    try await TestWorkspace.with(
      ["agents/a.lua": "return { run = function() return tools.call('nope', {}) end }"]
    ) { (workspace: TestWorkspace) async throws -> Void in
      let failure = await #expect(throws: Failure.self) { try await workspace.chat("a") }
      #expect(failure?.code == .internal)
    }
  }
}
