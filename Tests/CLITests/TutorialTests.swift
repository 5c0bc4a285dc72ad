// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// Every Lua block of docs/writing-agents.md, as one workspace: linted, and run.
///
/// A comment above each says which file it is, `<!-- agents/todo.lua -->`, or in which it stands,
/// `<!-- in tools/sales.lua -->`; the frame of such a part is here, and so is what the blocks take for granted.
@Suite("The tutorial", .timeLimit(.minutes(5)))
struct TutorialTests {
  private struct Block {
    let path: String
    let isPart: Bool
    let text: String
  }

  private static func blocks() throws -> [Block] {
    let page = try String(
      contentsOfFile: PerigeeBinary.repository + "/docs/writing-agents.md", encoding: .utf8)
    let fences = page.matches(of: /(?s)```lua[^\n]*\n(.*?)```/)
    let marked = page.matches(of: /(?s)<!-- (in )?([a-z_\/]+\.lua) -->\n```lua\n(.*?)```/)
    #expect(
      fences.count == marked.count, "a Lua block says above itself which file it is: <!-- agents/x.lua -->")
    return marked.map { Block(path: String($0.2), isPart: $0.1 != nil, text: String($0.3)) }
  }

  /// What a part stands in.
  private static let frames = [
    "tools/sales.lua": (
      before: """
      return {
        schema = [[
          create table if not exists sales (id integer primary key, title text, price real);
          create table if not exists sale_lines (sale_id integer, line text);
        ]],
        sell = {
          description = "Sell something.",
          parameters = { text = "string" },
          access = { db = "write", http = { "api.example.com" }, llm = true },
          run = function(_, args)

      """,
      after: """

            local kept = db.query("select title, price, line from sales join sale_lines on sale_id = id")
            return { kept = kept, rate = rate }
          end,
        },
      }
      """
    ),
    "agents/compose.lua": (
      before: """
      return {
        agents = { "market.title", "market.price" },
        access = { db = "write" },
        run = function()

      """,
      after: """

          return "written"
        end,
      }
      """
    ),
  ]

  /// What the blocks speak of and do not show.
  private static let companions = [
    "agents/market/price.lua": "return { run = function() return 'a price' end }",
    "agents/market/title.lua": "return { run = function(_, input) return 'Title of ' .. input.message end }",
    "agents/seller.lua": """
    return {
      tools = { "sell", "suggest_price", "delete_todo" },
      run = function(_, input) return { text = "sold", data = tools.call("sell", { text = input.message }) } end,
    }
    """,
    "tools/others.lua": """
    return {
      list_todos = {
        description = "Lists.",
        access = { db = "read" },
        effect = "read",
        run = function(ctx) return db.query("select title from todos where user_id = ?", ctx.user.id) end,
      },
      delete_todo = { description = "Deletes.", run = function() return {} end },
      suggest_price = {
        description = "Prices.",
        parameters = { text = "string" },
        effect = "read",
        run = function(_, args) return { amount = #args.text } end,
      },
    }
    """,
    "perigee.yaml": """
    models:
      prices:
        gpt-4o-mini: { input_per_million: 0.15, output_per_million: 0.6 }
        gpt-4o: { input_per_million: 2.5, output_per_million: 10 }

    """,
  ]

  private static func workspace() throws -> Folder {
    let folder = try Folder(companions)
    for block in try blocks() {
      var text = block.text
      if block.isPart {
        let frame = try #require(frames[block.path], "the frame of \(block.path) is missing here")
        text = frame.before + text + frame.after
      }
      try folder.write(block.path, text)
    }
    return folder
  }

  /// The same with what the blocks call `api.example.com` on this machine.
  private static func workspace(reaching provider: ScriptedProvider) throws -> Folder {
    let folder = try workspace()
    let sales = try folder.read("tools/sales.lua")
      .replacing("https://api.example.com", with: provider.origin)
      .replacing("api.example.com", with: "127.0.0.1:\(provider.port)")
    try folder.write("tools/sales.lua", sales)
    try folder.write("perigee.yaml", try folder.read("perigee.yaml") + "http: { private_addresses: true }\n")
    return folder
  }

  @Test("is linted without a finding, as one workspace")
  func linted() async throws {
    let folder = try Self.workspace()
    let outcome = try await perigee("lint", "--strict", "--workspace", folder.path)
    #expect(outcome.status == 0 && outcome.output == "", "\(outcome.output) \(outcome.errors)")
  }

  @Test("its first agent, its tool and its eval: recorded from a model, and played back without one")
  func evals() async throws {
    let provider = try ScriptedProvider { Self.answer($0.json) }
    let folder = try Self.workspace(reaching: provider)
    func evals(_ arguments: String..., environment: [String: String]) async throws -> Outcome {
      try await perigee(["eval", "--workspace", folder.path] + arguments, environment: environment)
    }
    let recorded = try await evals("--record", environment: ["OPENAI_BASE_URL": provider.baseURL])
    #expect(recorded.status == 0, "\(recorded.output) \(recorded.errors)")
    #expect(provider.requests.contains { $0.json["model"] == "gpt-4o-mini" })
    let count = provider.requests.count
    let played = try await evals("--json", environment: [:])
    #expect(played.status == 0, "\(played.output) \(played.errors)")
    let report = try JSON(parsing: played.output)
    #expect(report["summary"]?["ok"] == 1)
    #expect(report["cases"]?.array?.first?["answers"] == "recording")
    #expect(provider.requests.count == count)
  }

  @Test("its first agent answers by its stub without a model")
  func stub() async throws {
    let folder = try Self.workspace()
    let outcome = try await perigee(
      "run", "todo", "--input", "add buy milk", "--json", "--workspace", folder.path)
    let reply = try JSON(parsing: outcome.output)
    #expect(reply["using_stub"] == true && reply["response"] == "…", "\(outcome.output) \(outcome.errors)")
  }

  @Test("its own summary of old turns goes into the next one")
  func summary() async throws {
    let provider = try ScriptedProvider { Self.answer($0.json) }
    let folder = try Self.workspace(reaching: provider)
    try await RunningServer.with(
      workspace: folder.path, environment: ["OPENAI_BASE_URL": provider.baseURL]
    ) { server in
      for number in 1...12 {
        let answer = try await server.chat("journeys", "day \(number)", session: "s")
        #expect(answer.status == 200 && answer.json["response"] == "noted")
      }
    }
    let asked = provider.requests.filter {
      $0.json["messages"]?.array?.first?["content"]?.string?.hasPrefix(
        "Keep names, dates and decisions:\nuser: day 1\n")
        ?? false
    }
    #expect(asked.count == 1 && asked.first?.json["max_tokens"] == 300)
    let last = provider.requests.last?.json["messages"]?.array ?? []
    #expect(last.contains { $0["content"]?.string?.contains("what days 1 and on were about") ?? false })
  }

  @Test("its host calls, in a tool: branches, a model, a transaction and a request")
  func calls() async throws {
    let provider = try ScriptedProvider { request in
      request.path.hasPrefix("/rate")
        ? .json(["value": 1.25, "path": .string(request.path)]) : Self.answer(request.json)
    }
    let folder = try Self.workspace(reaching: provider)
    let outcome = try await perigee(
      "run", "seller", "--input", "a chair", "--json", "--workspace", folder.path,
      environment: ["OPENAI_BASE_URL": provider.baseURL])
    let reply = try JSON(parsing: outcome.output)
    #expect(
      reply["data"]?["kept"] == [["title": "Title of a chair", "price": 7.0, "line": "Sit on it."]],
      "\(outcome.output) \(outcome.errors)")
    #expect(reply["data"]?["rate"] == 1.25)
    #expect(provider.requests.contains { $0.path == "/rate?of=EUR" })
  }

  @Test("the README's first agent says what the README shows, and misspelt, what it shows then")
  func readme() async throws {
    let page = try String(contentsOfFile: PerigeeBinary.repository + "/README.md", encoding: .utf8)
    let folder = try Folder()
    #expect(try await perigee("init", folder.path).status == 0)
    let blocks = page.matches(of: /(?s)```lua\n-- my-agents\/([a-z_\/]+\.lua)\n.*?```/)
    #expect(blocks.map { String($0.1) } == ["agents/greeter.lua", "tools/places.lua"])
    for block in blocks {
      try folder.write(String(block.1), String(block.0.dropFirst("```lua\n".count).dropLast(3)))
    }
    let lint = try await perigee("lint", "--strict", "--workspace", folder.path)
    #expect(lint.status == 0 && lint.errors.hasPrefix("1 info in "), "\(lint.output)")
    let command = try #require(
      page.firstMatch(of: /perigee (run greeter) --workspace my-agents (.*)\n# (.*)\n/))
    #expect(command.2 == "--input 'hi there' --as Ada")
    let ran = try await perigee(
      "run", "greeter", "--workspace", folder.path, "--input", "hi there", "--as", "Ada")
    #expect(ran.output == command.3 + "\n", "\(ran.errors)")
    let shown = try #require(page.firstMatch(of: /(?s)you are told where:\n\n```\n(.*?)```/)).1
    try folder.write(
      "agents/greeter.lua", try folder.read("agents/greeter.lua").replacing("prompt =", with: "promt ="))
    let refused = try await perigee("run", "greeter", "--workspace", folder.path, "--input", "x")
    #expect(refused.status == 2 && refused.errors.contains(shown), "\(refused.errors)")
  }

  /// A model that does as the blocks expect.
  private static func answer(_ request: JSON) -> ScriptedProvider.Reply {
    let messages = request["messages"]?.array ?? []
    let last = messages.last?["content"]?.string ?? ""
    if last.hasPrefix("Keep names") { return .completion("what days 1 and on were about") }
    if last.hasPrefix("Sell this in one line: Title of") { return .completion("Sit on it.") }
    if last == "add buy milk" {
      return .toolCalls([("c1", "add_todo", #"{"title":"buy milk","note":null}"#)])
    }
    if last == "show my to-dos" { return .toolCalls([("c2", "list_todos", "{}")]) }
    guard messages.last?["role"] == "tool" else { return .completion("noted") }
    return .completion(#"{"title":"buy milk","price":1}"#)
  }
}
