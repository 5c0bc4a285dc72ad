// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// Workflows as data, in the real server and on the command line.
@Suite("Workflows, from outside", .timeLimit(.minutes(3)))
struct WorkflowTests {
  private static let tools = """
    return {
      schema = "create table booked (id integer primary key, key text)",
      book = {
        description = "Books.", parameters = {}, access = { db = "write" },
        run = function(ctx)
          db.exec("insert into booked (key) values (?)", ctx.call.key)
          return db.query("select count(*) as n from booked")[1].n
        end,
      },
    }
    """

  private static let flow = """
    return {
      description = "Lists.",
      access = { http = { "SERVICE" } },
      steps = {
        book    = { tool = "book" },
        tell    = { webhook = "http://SERVICE/told", needs = { "book" } },
        count   = { run = function(ctx, results) return http.post("http://SERVICE/count").status end,
                    needs = { "book" }, when = function() return true end, on_error = "sorry" },
        sorry   = { sleep = "1s" },
        rest    = { sleep = 0.01, needs = { "tell", "count" } },
        think   = { agent = "thinker", needs = { "rest" }, retry = { attempts = 3, backoff = "2s" }, timeout = "1m" },
        publish = { tool = "book", needs = { "think" } },
      },
    }
    """

  private static func folder(_ service: ScriptedProvider) throws -> Folder {
    try folder(service: "127.0.0.1:\(service.port)")
  }

  private static func folder(service: String) throws -> Folder {
    try Folder([
      "tools/ledger.lua": tools,
      "agents/flow.lua": flow.replacing("SERVICE", with: service),
      "agents/thinker.lua": "return { prompt = 'Think.' }",
      "agents/gate.lua": """
      return {
        tools = {},
        steps = {
          book    = { tool = "book" },
          review  = { approval = "Publish?", needs = { "book" }, timeout = "48h" },
          publish = { tool = "book", needs = { "review" } },
          apology = { run = function(ctx, results) return results.ask.error.code end },
          ask     = { approval = "Sure?", needs = { "publish" }, timeout = "48h", on_error = "apology" },
          note    = { needs = { "ask", "publish" }, run = function(ctx, r) return r.ask .. " " .. r.publish end },
        },
      }
      """,
      "agents/form.lua": """
      return {
        steps = {
          review = {
            approval = "Publish?", timeout = "48h", detail = { page = 7 },
            fields = { price = { type = "integer", minimum = 1 }, note = "string?" },
          },
          publish = { needs = { "review" }, run = function(ctx, r) return r.review.values.price end },
        },
      }
      """,
      "agents/cycle.lua": """
      return {
        initial = "start",
        states = {
          start   = { run = function() return 1 end, on = { ok = "process", error = "failed" } },
          process = { agent = "thinker", on = { error = "failed" }, next = function() return "complete" end },
          failed  = { sleep = "1s", on = { ok = "start" } },
          complete = { tool = "book" },
        },
      }
      """,
      "perigee.yaml": "http: { private_addresses: true }",
    ])
  }

  private static func ended(_ server: RunningServer, session: String) async throws -> [String] {
    while true {
      let runs = try await server.get("/v1/runs").json["data"]?.array ?? []
      if !runs.contains(where: { $0["status"] == "running" || $0["status"] == "waiting" }) { break }
    }
    return try await server.get("/v1/sessions/\(session)/messages").json["data"]?.array?.filter {
      $0["role"] == "assistant"
    }.compactMap { $0["content"]?.string } ?? []
  }

  @Test("a graph whose server is killed in its middle goes on: what had ended is not done again")
  func crash() async throws {
    let asked = Tally()
    let provider = try ScriptedProvider { _ in asked.increment() == 0 ? .silence : .completion("Yes.") }
    let service = try ScriptedProvider { _ in .json(["ok": true]) }
    let (workspace, data) = (try Self.folder(service), try Folder())
    let environment = ["OPENAI_BASE_URL": provider.baseURL, "OPENAI_API_KEY": "sk-secret"]
    let first = try await RunningServer(workspace: workspace.path, data: data.path, environment: environment)
    let lost = Task { try await first.chat("flow", "go", session: "s") }
    // That a step rests is durable, and so is all before it, when the model is asked.
    await provider.requests(atLeast: 1)
    await first.stop(signal: SIGKILL)
    _ = await lost.result
    let second = try await RunningServer(workspace: workspace.path, data: data.path, environment: environment)
    // The tool booked once before the crash, and once behind it.
    #expect(try await Self.ended(second, session: "s") == [#"{"publish":2}"#])
    await second.stop()
    #expect(service.requests.map(\.path).sorted() == ["/count", "/told"])
    #expect(provider.requests.count == 2)
  }

  @Test(
    "over HTTP: the answer's data are the last results; an approval waits for a person, and a rejection is caught"
  )
  func http() async throws {
    let provider = try ScriptedProvider { _ in .completion("Thought.") }
    let service = try ScriptedProvider { _ in .json(["ok": true]) }
    let workspace = try Self.folder(service)
    try await RunningServer.with(
      workspace: workspace.path, environment: ["OPENAI_BASE_URL": provider.baseURL, "OPENAI_API_KEY": "sk-x"]
    ) { server in
      let reply = try await server.chat("flow", "go", session: "f")
      #expect(reply.status == 200 && reply.json["data"] == ["publish": 2], "\(reply.text)")
      let machine = try await server.chat("cycle", "go", session: "m")
      #expect(machine.json["data"] == ["complete": 3], "\(machine.text)")

      let waiting = try await server.chat("gate", "go", session: "s")
      #expect(waiting.status == 202, "\(waiting.text)")
      #expect(waiting.json["approval"]?["title"] == "Publish?")
      #expect(waiting.json["approval"]?["detail"]?["book"] == 4)
      let id = try #require(waiting.json["approval"]?["id"]?.string)
      _ = try await server.send("POST", "/v1/approvals/\(id)", body: Array(#"{"decision":"approve"}"#.utf8))
      var next: String?
      while next == nil {
        next = try await server.get("/v1/approvals").json["data"]?.array?.first {
          $0["title"] == "Sure?" && $0["status"] == "pending"
        }?["id"]?.string
      }
      _ = try await server.send(
        "POST", "/v1/approvals/\(next ?? "")", body: Array(#"{"decision":"reject","comment":"no"}"#.utf8))
      #expect(try await Self.ended(server, session: "s") == ["denied 5"])
    }
  }

  @Test("an approval asks for its fields, and takes nothing else; what was filled in is its result")
  func form() async throws {
    let workspace = try Self.folder(service: "hooks.example.com")
    try await RunningServer.with(workspace: workspace.path) { server in
      let waiting = try await server.chat("form", "go", session: "s")
      #expect(waiting.status == 202, "\(waiting.text)")
      let approval = try #require(waiting.json["approval"])
      #expect(approval["detail"] == ["page": 7])
      #expect(approval["fields"]?["required"] == ["price"])
      #expect(approval["fields"]?["properties"]?["price"]?["minimum"] == 1)
      let path = "/v1/approvals/\(approval["id"]?.string ?? "")"
      func decide(_ values: String) async throws -> RunningServer.Answer {
        try await server.send("POST", path, body: Array(#"{"decision":"approve","values":\#(values)}"#.utf8))
      }
      let wrong = try await decide(#"{"price":0,"note":3}"#)
      #expect(wrong.status == 400)
      #expect(
        Set(wrong.json["errors"]?.array?.compactMap { $0["field"]?.string } ?? []) == [
          "values.price", "values.note",
        ])
      #expect(
        try await decide("{}").json["errors"] == [["field": "values.price", "message": "is missing"]])
      let decided = try await decide(#"{"price":20}"#)
      #expect(decided.status == 200 && decided.json["decision"]?["values"] == ["price": 20])
      #expect(try await Self.ended(server, session: "s") == [#"{"publish":20}"#])
    }
  }

  // MARK: perigee plan

  private func plan(_ arguments: String...) async throws -> Outcome {
    let folder = try Self.folder(service: "hooks.example.com")
    return try await perigee(["plan", "--workspace", folder.path] + arguments)
  }

  @Test("a plan shows what runs beside what, and everything that a step says")
  func planSteps() async throws {
    let text = try await plan("flow")
    #expect(text.status == 0)
    #expect(
      text.output == """
        Phase 1
          book  tool book
        Phase 2
          count  run                                    needs book  when  on error: sorry
          tell   webhook http://hooks.example.com/told  needs book
        Phase 3
          rest  sleep 0.01s  needs tell, count
        Phase 4
          think  agent thinker  needs rest  3 attempts from 2s  timeout 1m
        Phase 5
          publish  tool book  needs think
        In place of others
          sorry  sleep 1s  for count

        """)
    let json = try JSON(parsing: try await plan("flow", "--json").output)
    #expect(json["phases"] == [["book"], ["count", "tell"], ["rest"], ["think"], ["publish"]])
    #expect(
      json["steps"]?.array?[4] == [
        "name": "think", "action": "agent", "agent": "thinker", "retry": ["attempts": 3, "backoff": 2.0],
        "timeout": 60.0, "needs": ["rest"],
      ])
    #expect(
      try await plan("flow", "--format", "mermaid").output == """
        flowchart TD
          s0["book<br/>tool book"]
          s1["count<br/>run"]
          s2["tell<br/>webhook http://hooks.example.com/told"]
          s3["rest<br/>sleep 0.01s"]
          s4["think<br/>agent thinker"]
          s5["publish<br/>tool book"]
          s6["sorry<br/>sleep 1s"]
          s0 -->|when| s1
          s1 -.->|error| s6
          s0 --> s2
          s2 --> s3
          s1 --> s3
          s3 --> s4
          s4 --> s5

        """)
  }

  @Test("a plan of states shows where each leads")
  func planStates() async throws {
    #expect(
      try await plan("cycle").output == """
        Begins in start
          complete  tool book      ends
          failed    sleep 1s       ok → start
          process   agent thinker  next → as its function says  error → failed
          start     run            ok → process  error → failed

        """)
    let json = try JSON(parsing: try await plan("cycle", "--format", "json").output)
    #expect(json["initial"] == "start")
    #expect(
      json["states"]?.array?.last == [
        "name": "start", "action": "run", "on": ["ok": "process", "error": "failed"],
      ])
    #expect(
      try await plan("cycle", "--format", "mermaid").output == """
        stateDiagram-v2
          state "complete: tool book" as s0
          state "failed: sleep 1s" as s1
          state "process: agent thinker" as s2
          state "start: run" as s3
          [*] --> s3
          s0 --> [*]
          s1 --> s3: ok
          note right of s2: next is a function
          s2 --> s1: error
          s3 --> s2: ok
          s3 --> s1: error

        """)
  }

  @Test("what is no workflow, and what is not there, is said")
  func planOther() async throws {
    let prompt = try await plan("thinker")
    #expect(
      prompt.status == 1
        && prompt.errors.hasPrefix("error: the agent 'thinker' is no workflow: its body is 'prompt'"))
    #expect(try await plan("nobody").status == 2)
  }

  @Test("every agent of the page about workflows loads, together and without a finding")
  func page() async throws {
    let page = try String(
      contentsOfFile: PerigeeBinary.repository + "/docs/workflows.md", encoding: .utf8)
    let blocks = page.matches(of: /(?s)<!-- ([a-z_\/]+\.lua) -->\n```lua\n(.*?)```/)
    #expect(blocks.count == page.matches(of: /```lua/).count && blocks.count >= 3)
    let folder = try Folder(
      Dictionary(blocks.map { (String($0.1), String($0.2)) }) { first, _ in first }.merging([
        "agents/market/title.lua": "return { prompt = 'A title.' }",
        "agents/market/price.lua": "return { prompt = 'A price.' }",
        "tools/market.lua": """
        return {
          publish_listing = {
            description = "Publishes.", parameters = { title = "string" }, run = function() return {} end,
          },
        }
        """,
      ]) { first, _ in first })
    let lint = try await perigee("lint", "--strict", "--workspace", folder.path)
    #expect(lint.status == 0 && lint.output == "", "\(lint.output) \(lint.errors)")
    for block in blocks where block.1.hasPrefix("agents/") {
      let name = String(block.1.dropFirst("agents/".count).dropLast(".lua".count)).replacing("/", with: ".")
      #expect(try await perigee("plan", name, "--workspace", folder.path).status == 0, "\(name)")
    }
  }
}
