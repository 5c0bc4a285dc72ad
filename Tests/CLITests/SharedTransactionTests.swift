// SPDX-License-Identifier: Apache-2.0
import Glibc
import JSONCodec
import TestSupport
import Testing

/// Transactions of which the branches are agents with tools of their own.
@Suite("Transactions across agents", .timeLimit(.minutes(5)))
struct SharedTransactionTests {
  /// Two agents write one draft beside each other; the composer keeps what they agree on.
  private struct Market {
    let service: ScriptedProvider
    let workspace: Folder
    let data: Folder

    init(slow gate: Gate? = nil) throws {
      service = try ScriptedProvider { request in
        if let gate, request.path == "/slow" {
          return .pieces([(gate: gate, bytes: Array(#"{"price":30}"#.utf8))])
        }
        return .json(["price": 30])
      }
      data = try Folder()
      let host = "127.0.0.1:\(service.port)"
      workspace = try Folder([
        "perigee.yaml": "http: { private_addresses: true }",
        "tools/drafts.lua": """
        return {
          schema = [[
            create table drafts (id integer primary key autoincrement, listing integer not null);
            create table texts (listing integer not null, field text not null, value text not null, at real not null);
          ]],
          draft = { description = "d", access = { db = "write" }, run = function()
            return db.exec("insert into drafts (listing) values (0)").last_insert_id
          end },
          write = { description = "d", access = { db = "write" },
            parameters = { listing = "integer", field = "string", value = "string", fails = "boolean?" },
            run = function(ctx, args)
              local ok = pcall(db.transaction, function()
                db.exec("insert into texts values (?, ?, ?, ?)", args.listing, args.field, args.value, time.now())
                if args.fails then error("half") end
              end)
              return { listing_id = args.listing, ok = ok }
            end },
          texts = { description = "d", effect = "read", access = { db = "read" }, run = function()
            local texts, drafts = db.query("select listing, field, value from texts order by field"), db.query("select id from drafts")
            local words = { "drafts " .. #drafts }
            for _, t in ipairs(texts) do words[#words + 1] = ("%s=%s@%d"):format(t.field, t.value, t.listing) end
            return table.concat(words, " ")
          end },
          -- Cut off in its middle: half of it may not be kept.
          cut = { description = "d", access = { db = "write" }, timeout = 0.3, run = function()
            db.transaction(function()
              db.exec("insert into texts values (7, 'half', 'x', 0)")
              time.sleep(5)
            end)
          end },
          late = { description = "d", effect = "read", timeout = 0.3, access = { http = { "\(host)" } }, run = function()
            return http.get("http://\(host)/slow").status
          end },
          ask = { description = "d", run = function() return approval.request{ title = "Go?" }.approved end },
          pay = { description = "d", approve = true, run = function() return 1 end },
          post = { description = "d", access = { http = { "\(host)" } }, run = function()
            return http.post("http://\(host)/post", {}).status
          end },
          price = { description = "d", effect = "read", access = { http = { "\(host)" } }, run = function()
            return http.get("http://\(host)/price").json.price
          end },
        }
        """,
        "agents/title.lua": """
        return { tools = { "write" }, access = { http = { "\(host)" } }, run = function(ctx, input)
          local price = http.get("http://\(host)/first").json.price
          local wrote = tools.call("write", { listing = input.listing, field = "title", value = "lamp " .. price })
          return { text = "ok", data = wrote }
        end }
        """,
        "agents/price.lua": """
        return { tools = { "write", "price" }, access = { http = { "\(host)" } }, run = function(ctx, input)
          local price = input.slow and http.get("http://\(host)/slow").status == 200 and 30 or tools.call("price")
          local wrote = tools.call("write",
            { listing = input.other or input.listing, field = "price", value = tostring(price), fails = input.fails })
          return { text = "ok", data = wrote }
        end }
        """,
        "agents/compose.lua": """
        return { agents = { "title", "price" }, tools = { "draft", "texts", "post", "cut", "late", "ask", "pay" }, access = { db = "write", http = { "\(host)" } }, limits = { seconds = 60 },
          run = function(ctx, input)
            if input.message == "look" then return tools.call("texts") end
            if input.message == "late" then
              local code = db.transaction(function()
                local ok, problem = pcall(tools.call, "late")
                tools.call("draft")
                return ok and "in time" or problem.code
              end)
              return code .. " " .. tostring(approval.request{ title = "Go?" }.approved)
            end
            if input.message == "cut" then
              local seen
              local ok, problem = pcall(db.transaction, function()
                seen = select(2, pcall(tools.call, "cut")).code
              end)
              return seen .. " " .. tostring(ok) .. " " .. problem.code
            end
            if input.message ~= "make" and input.message ~= "disagree" and input.message ~= "then" then
              return select(2, pcall(db.transaction, function() return tools.call(input.message) end)).message
            end
            local composed = db.transaction(function()
              local id = tools.call("draft")
              local made = parallel{
                title = function() return agents.run("title", { listing = id }) end,
                price = function()
                  return agents.run("price", {
                    listing = id, slow = input.slow, fails = input.fails, other = input.message == "disagree" and 99 or nil,
                  })
                end,
              }
              return "draft " .. guard.same("listing_id", made) .. " " .. tools.call("texts")
            end)
            if input.message == "then" then http.get("http://\(host)/slow") end
            return composed
          end }
        """,
      ])
    }

    func start() async throws -> RunningServer {
      try await RunningServer(workspace: workspace.path, data: data.path)
    }

    func count(_ path: String) -> Int { service.requests.filter { $0.path == path }.count }
  }

  /// Waits until no run is under way.
  private static func end(_ server: RunningServer) async throws {
    try await waitWhile {
      let runs = try await server.get("/v1/runs").json["data"]?.array ?? []
      return runs.contains { $0["finished_at"] == .null }
    }
  }

  private static let made = "drafts 1 price=30@1 title=lamp 30@1"

  @Test("what agents in branches write is there together")
  func together() async throws {
    let market = try Market()
    let server = try await market.start()
    let answer = try await server.chat("compose", "make", session: "s")
    #expect(answer.json["response"] == .string("draft 1 \(Self.made)"), "\(answer.text)")
    #expect(try await server.chat("compose", "look", session: "s").json["response"] == .string(Self.made))
    await server.stop()
  }

  @Test("where they disagree nothing is written, the conflict is told, and the caller is to start again")
  func disagree() async throws {
    let market = try Market()
    let server = try await market.start()
    let answer = try await server.chat("compose", "disagree", session: "s")
    #expect(answer.status == 409 && answer.json["code"] == "conflict")
    #expect(
      answer.json["detail"]
        == "the branches disagree on 'listing_id': price says 99, title says 1; start again", "\(answer.text)"
    )
    #expect(try await server.chat("compose", "look", session: "s").json["response"] == "drafts 0")
    let conflict = try #require(
      try await server.get("/v1/events?types=guard.conflict").json["data"]?.array?.first)
    #expect(conflict["field"] == "listing_id" && conflict["values"] == ["price": "99", "title": "1"])
    #expect(conflict["agent_id"] == "compose" && conflict["session_id"] == "s")
    let audited = try await server.get("/v1/audit?actions=guard.conflict").json["data"]?.array
    #expect(audited?.count == 1 && audited?[0]["run_id"] == conflict["execution_id"])
    let runs = try await server.get("/v1/runs").json["data"]?.array
    #expect(audited?[0]["version"] != .null && audited?[0]["version"] == runs?.last?["version"])
    #expect(audited?[0]["detail"]?["values"] == ["price": "99", "title": "1"])
    await server.stop()
  }

  @Test("a transaction within one that is rolled back takes the outer one with it")
  func nested() async throws {
    let market = try Market()
    let server = try await market.start()
    let answer = try await server.chat("compose", "make", session: "s", input: ["fails": true])
    #expect(answer.status == 409, "\(answer.text)")
    #expect(
      answer.json["detail"]?.string?.hasPrefix("a db.transaction of what was called in this one") == true)
    #expect(try await server.chat("compose", "look", session: "s").json["response"] == "drafts 0")
    await server.stop()
  }

  @Test("a tool that writes where nothing can be rolled back is refused in it")
  func refused() async throws {
    let market = try Market()
    let server = try await market.start()
    let answer = try await server.chat("compose", "post", session: "s")
    #expect(
      answer.json["response"]
        == "the tool 'post' may not be called inside db.transaction: what it does over http could not be rolled back"
    )
    #expect(market.count("/post") == 0)
    for tool in ["ask", "pay"] {
      let answer = try await server.chat("compose", tool, session: "s")
      #expect(answer.json["response"]?.string?.contains("wait") == true, "\(answer.text)")
    }
    let cut = try await server.chat("compose", "cut", session: "s")
    #expect(cut.json["response"] == "timeout false conflict", "\(cut.text)")
    #expect(try await server.chat("compose", "look", session: "s").json["response"] == "drafts 0")
    await server.stop()
  }

  @Test("what came too late in it comes too late again, however fast it is by then")
  func late() async throws {
    let gate = Gate()
    let market = try Market(slow: gate)
    let server = try await market.start()
    let waiting = try await server.chat("compose", "late", session: "s")
    let id = try #require(waiting.json["approval"]?["id"]?.string, "\(waiting.text)")
    gate.open()
    let decision = Array(#"{"decision":"approve"}"#.utf8)
    #expect(try await server.send("POST", "/v1/approvals/\(id)", body: decision).status == 200)
    try await Self.end(server)
    let messages = try await server.get("/v1/sessions/s/messages").json["data"]?.array
    #expect(messages?.last?["content"] == "timeout true", "\(String(describing: messages?.last))")
    #expect(try await server.chat("compose", "look", session: "s").json["response"] == "drafts 1")
    #expect(market.count("/slow") == 1)
    await server.stop()
  }

  @Test("a run that is killed in it writes all of it once, and does not fetch again what it has")
  func killed() async throws {
    let gate = Gate()
    let market = try Market(slow: gate)
    let first = try await market.start()
    async let lost = first.chat("compose", "make", session: "s", input: ["slow": true])
    await market.service.requests(atLeast: 2)
    // Who reads sees nothing of it meanwhile.
    #expect(try await first.chat("compose", "look", session: "t").json["response"] == "drafts 0")
    await first.stop(signal: SIGKILL)
    _ = try? await lost
    gate.open()
    let second = try await market.start()
    try await Self.end(second)
    let messages = try await second.get("/v1/sessions/s/messages").json["data"]?.array
    #expect(
      messages?.last?["content"] == .string("draft 1 \(Self.made)"), "\(String(describing: messages?.last))")
    #expect(market.count("/slow") == 2)
    await second.stop()
  }

  @Test("a run that is killed after it has the same of it again, and writes nothing")
  func killedAfter() async throws {
    let gate = Gate()
    let market = try Market(slow: gate)
    let first = try await market.start()
    async let lost = first.chat("compose", "then", session: "s")
    await market.service.requests(atLeast: 3)
    #expect(try await first.chat("compose", "look", session: "t").json["response"] == .string(Self.made))
    await first.stop(signal: SIGKILL)
    _ = try? await lost
    gate.open()
    let second = try await market.start()
    try await Self.end(second)
    let messages = try await second.get("/v1/sessions/s/messages").json["data"]?.array
    #expect(
      messages?.last?["content"] == .string("draft 1 \(Self.made)"), "\(String(describing: messages?.last))")
    #expect(try await second.chat("compose", "look", session: "t").json["response"] == .string(Self.made))
    #expect(market.count("/first") == 1 && market.count("/price") == 1)
    await second.stop()
  }

  @Test(
    "a transaction that was rolled back is not taken for written by a run that does otherwise on its way back"
  )
  func otherwise() async throws {
    let gate = Gate()
    let service = try ScriptedProvider {
      $0.path == "/slow" ? .pieces([(gate: gate, bytes: [])]) : .json([:])
    }
    let data = try Folder()
    let workspace = try Folder([
      "perigee.yaml": "{ http: { private_addresses: true }, scripts: { env: [MOOD] } }",
      "tools/notes.lua": """
      return { schema = "create table notes (text text)", note = { description = "d", access = { db = "write" },
        run = function() return db.exec("insert into notes values ('x')").changes end } }
      """,
      "agents/a.lua": """
      return { tools = { "note" }, access = { db = "write", http = { "127.0.0.1:\(service.port)" } },
        run = function(ctx, input)
          if input.message == "look" then return tostring(#db.query("select * from notes")) end
          local ok, problem = pcall(db.transaction, function()
            tools.call("note")
            -- The machine's own: a restart may change it.
            if ctx.env.MOOD == "bad" then error("not now") end
          end)
          http.post("\(service.origin)/before", {})
          http.get("\(service.origin)/slow")
          return tostring(problem)
        end }
      """,
    ])
    let first = try await RunningServer(
      workspace: workspace.path, data: data.path, environment: ["MOOD": "bad"])
    async let lost = first.chat("a", "go", session: "s")
    await service.requests(atLeast: 2)
    await first.stop(signal: SIGKILL)
    _ = try? await lost
    gate.open()
    let second = try await RunningServer(
      workspace: workspace.path, data: data.path, environment: ["MOOD": "good"])
    try await Self.end(second)
    let run = try await second.get("/v1/runs").json["data"]?.array?.first
    #expect(run?["status"] == "failed")
    #expect(run?["error"] == "conflict")
    #expect(try await second.chat("a", "look").json["response"] == "0")
    await second.stop()
  }
}
