// SPDX-License-Identifier: Apache-2.0
import Foundation
import FoundationXML
import JSONCodec
import TestSupport
import Testing

@Suite("perigee eval", .timeLimit(.minutes(3)))
struct EvalTests {
  /// An agent with a stub that calls a tool, and one that only a model can drive.
  static let scripts = [
    "agents/notes.lua": """
    return {
      tools = { "save" }, prompt = "Keep notes. Today is " .. "a good day",
      before = function(_, message)
        if message == "no" then reject("not that") end
        return message
      end,
      stub = function(ctx, message)
        if message == "crash" then local x = nil; return x.y end
        return "Saved " .. tools.call("save", { text = message }).text .. "."
      end,
    }
    """,
    "agents/prose.lua": "return { prompt = 'Write. It is ' .. 'late.' }",
    "agents/form.lua": """
    return { run = function(_, input)
      return { text = "one\\ntwo\\nthree", data = { price = input.price, tags = { "a" } } }
    end }
    """,
    "tools/notes.lua": """
    return {
      schema = "create table notes (user_id text, text text)",
      save = { description = "Saves a note.", parameters = { text = "string" }, access = { db = "write" },
        run = function(ctx, args)
          db.exec("insert into notes values (?, ?)", ctx.user.id, args.text)
          return { text = args.text, at = time.format(time.now(), "%Y-%m-%d") }
        end },
    }
    """,
  ]

  func eval(
    _ evals: [String: String], _ arguments: [String] = [], environment: [String: String] = [:],
    in folder: Folder? = nil
  ) async throws -> Outcome {
    let folder = try folder ?? Folder(Self.scripts)
    for (name, text) in evals { try folder.write("evals/" + name, text) }
    return try await perigee(["eval", "--workspace", folder.path] + arguments, environment: environment)
  }

  /// Without times, which are other ones each time, and lines of the host's own Lua.
  private static func timeless(_ text: String) -> String {
    text.replacing(#/[0-9.]+ m?s\b[ ]{0,9}/#, with: "T ").replacing(#/perigee:[0-9]+/#, with: "perigee:N")
  }

  @Test("what ships passes, without a key and a second time")
  func shipped() async throws {
    for _ in 0..<2 {
      let outcome = try await perigee("eval", "--workspace", PerigeeBinary.repository)
      #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
      #expect(outcome.output.contains(#/([0-9]+) cases: \1 ok \(/#))
    }
    let folder = try Folder()
    #expect(try await perigee("init", folder.path).status == 0)
    #expect(try await perigee("new", "eval", "more", "--workspace", folder.path).status == 0)
    let initial = try await perigee("eval", "--workspace", folder.path)
    #expect(initial.status == 0, "\(initial.output)\(initial.errors)")
    #expect(initial.output.contains("2 cases: 2 ok ("))
  }

  static let failing = """
    return {
      { name = "keeps a note", agent = "notes", as = "ada", now = "2026-03-01", turns = {
        { user = "milk", expect = { equals = "Saved milk.", tool_called = { name = "save", arguments = { text = "milk" } },
          check = function(reply)
            assert(reply.tool_calls[1].result.at == "2026-03-01")
            assert(reply.usage.cost_usd == 0 and reply.using_stub)
            return db.query("select * from notes where user_id = 'ada'")[1].text == "milk"
          end } },
        { user = "no", expect = { error = "rejected", contains = "not that", not_called = "save" } },
      } },
      {
        name = "says what differs",
        agent = "form",
        turns = {
          { user = "x", input = { price = 5 }, expect = {
            { equals = "one\\n2\\nthree" }, { data = { price = 7, tags = { "a" } } }, { matches = "^%d+$" },
            { tool_called = { name = "save", arguments = { text = "x" } } }, { contains = "two" },
            { check = function(reply) return false, "I had rather " .. reply.data.price + 1 end },
            { check = function(reply) db.exec("delete from notes") end },
            { check = function(reply) error("no good") end },
            { judge = "Is it a poem?" },
          } },
        },
      },
      { name = "breaks off", agent = "notes", turns = { { user = "crash" }, { user = "milk" } } },
      { name = "has nobody to ask", agent = "prose", turns = { { user = "x", expect = { contains = "x" } } } },
      { name = "asks only a judge", agent = "form", turns = { { user = "x", expect = { judge = "Kind?" } } } },
    }
    """

  @Test("a failure shows its place, what was said, what was expected and what came, and the exit code is 1")
  func failures() async throws {
    let outcome = try await eval(["notes.lua": Self.failing])
    #expect(outcome.status == 1, "\(outcome.errors)")
    #expect(
      Self.timeless(outcome.output) == """
        CASE                 TURNS  RESULT       ANSWERS    TIME      COST
        evals/notes.lua
          keeps a note       2      ok           stub       T $0
          says what differs  1      FAILED       -          T $0
          breaks off         2      FAILED       -          T $0
          has nobody to ask  1      FAILED       -          T $0
          asks only a judge  1      skipped      -          T $0

        FAILED says what differs (evals/notes.lua:11:3, agent form, no model was asked)
          turn 1: x
            equals
              expected: one
                        2
                        three
              got:      one
                        two
                        three
                  one
                - 2
                + two
                  three
            data
              expected: {"price":7,"tags":["a"]}
              got:      {"price":5,"tags":["a"]}
                price: expected 7, got 5
            matches
              expected: the pattern ^%d+$
              got:      one
                        two
                        three
            tool_called
              expected: save {"text":"x"}
              got:      no calls
            check
              expected: a check that is content
              got:      I had rather 6
            check
              expected: a check that is content
              got:      evals/notes.lua:19: db.exec is not allowed here: a check may only look [denied]
            check
              expected: a check that is content
              got:      evals/notes.lua:20: no good [internal]
            skipped judge: no model was asked 'Is it a poem?': record the case with --record, or ask with --live
            tools: no calls

        FAILED breaks off (evals/notes.lua:25:3, agent notes, no model was asked)
          turn 1: crash
            answer
              expected: an answer
              got:      the script of agent 'notes' failed [internal]
                agents/notes.lua:8: attempt to index a nil value (local 'x')
                stack traceback:
                \tagents/notes.lua:8: in field 'stub'
                \tperigee:N: in function <perigee:N>
                \t[C]: in ?
            tools: no calls

        FAILED has nobody to ask (evals/notes.lua:26:3, agent prose, no model was asked)
          expected: a recording, evals/cassettes/notes/has-nobody-to-ask.jsonl, or a stub of the agent
          got:      neither: record the case with perigee eval --record --filter 'has nobody to ask'

        skipped asks only a judge (evals/notes.lua:27:3, agent form, no model was asked)
          turn 1: x
            skipped judge: no model was asked 'Kind?': record the case with --record, or ask with --live
            tools: no calls

        5 cases: 1 ok, 3 failed, 1 skipped (T , $0)

        """,
      "\(outcome.output)")
  }

  @Test("the JSON report has every turn, the XML report is XML, and both say what failed")
  func reports() async throws {
    let folder = try Folder(Self.scripts)
    let outcome = try await eval(
      ["notes.lua": Self.failing], ["--json", "--junit", folder.path + "/report.xml"], in: folder)
    #expect(outcome.status == 1 && outcome.errors == "")
    let json = try JSON(parsing: outcome.output)
    #expect(
      json["summary"]?["cases"] == 5 && json["summary"]?["failed"] == 3 && json["summary"]?["skipped"] == 1)
    let cases = try #require(json["cases"]?.array)
    #expect(cases.map { $0["result"] } == ["ok", "failed", "failed", "failed", "skipped"])
    let turns = try #require(cases[0]["turns"]?.array)
    #expect(turns[0]["reply"]?["tool_calls"]?.array?.first?["arguments"] == ["text": "milk"])
    #expect(turns[1]["reply"]?["error"]?["code"] == "rejected")
    #expect(
      cases[3]["fault"]?["expected"]?.string?.contains("evals/cassettes/notes/has-nobody-to-ask.jsonl")
        == true)
    let report = XMLReport()
    let parser = XMLParser(data: Data(try folder.read("report.xml").utf8))
    parser.delegate = report
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    #expect(
      report.elements["testcase"] == 5 && report.elements["failure"] == 3 && report.elements["skipped"] == 1)
    let nowhere = try await eval([:], ["--junit", folder.path + "/no/where.xml"], in: folder)
    #expect(nowhere.status == 2 && nowhere.errors.contains("cannot be written"))
  }

  private final class XMLReport: NSObject, XMLParserDelegate {
    var elements: [String: Int] = [:]
    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      elements[name, default: 0] += 1
    }
  }

  @Test("an eval file with mistakes is refused with all of them, each with its place, and nothing runs")
  func mistakes() async throws {
    let outcome = try await eval([
      "a.lua": """
      return {
        { name = "x", agent = "noted", turns = { { usr = "a", expect = { contain = "x", tool_called = "sav" } } } },
        { name = "x", agent = "notes", turns = {
          { user = "a", expect = { data = { f = print }, check = 5, cost_usd_max = -1 } },
        } },
        { name = "X!", agent = "notes", now = "yesterday", as = 5, turns = {} },
      }
      """, "b.lua": "return { http.get('http://a.example') }", "c.lua": "return { name = 'x' }",
      "d.lua": "return {",
    ])
    #expect(outcome.status == 2 && outcome.output == "")
    #expect(outcome.errors.contains("the workspace has 13 problems"), "what is misspelt is not missing, too")
    for line in [
      "evals/a.lua:2:17: error: there is no agent 'noted' [W207]", "hint: did you mean 'notes'?",
      "evals/a.lua:2:46: error: a turn has no field 'usr' [W201]", "hint: did you mean 'user'?",
      "evals/a.lua:2:68: error: an expectation has no field 'contain' [W201]",
      "hint: did you mean 'contains'?",
      "evals/a.lua:2:83: error: there is no tool 'sav' [W207]", "hint: did you mean 'save'?",
      "evals/a.lua:4:30: error: 'data' is data only: it has a function in it [W202]",
      "evals/a.lua:4:52: error: 'check' must be a function, not a number [W202]",
      "evals/a.lua:4:63: error: 'cost_usd_max' must be 0 to 1000000, not -1 [W203]",
      "evals/a.lua:6:35: error: 'now' is an RFC 3339 date",
      "evals/a.lua:6:54: error: 'as' must be a user's id or { id =, name =, roles = }, not a number [W202]",
      "evals/a.lua:6:62: error: a case has at least one turn [W203]",
      "evals/b.lua:1:1: error: http.get is not available while a script loads",
      "evals/c.lua:1:8: error: an eval file returns a list of cases, not a table [W202]",
      "evals/d.lua:1:9: error: expected '}'",
    ] {
      #expect(outcome.errors.contains(line), "\(line)\n\(outcome.errors)")
    }
    let pair = "return { { name = 'a b', agent = 'form', turns = { { user = 'x' } } },\n"
    for (second, told) in [
      ("a b", "there is another case 'a b' in this file"), ("A-b", "would share one recording"),
    ] {
      let twins = try await eval([
        "a.lua": pair + "{ name = '\(second)', agent = 'form', turns = { { user = 'x' } } } }"
      ])
      #expect(twins.status == 2 && twins.errors.contains("evals/a.lua:2:3: error: "), "\(twins.errors)")
      #expect(twins.errors.contains(told), "\(twins.errors)")
    }
  }

  @Test("a case acts for a tenant's user, whom scripts see as such")
  func tenant() async throws {
    let folder = try Folder([
      "agents/who.lua": """
      return { run = function(ctx)
        return ctx.user.id .. " " .. tostring(ctx.user.tenant) .. " " .. ctx.user.name
      end }
      """
    ])
    func evals(_ user: String, _ answer: String) -> [String: String] {
      [
        "a.lua": """
        return { { name = "x", agent = "who", as = \(user), turns = {
          { user = "hi", expect = { equals = "\(answer)" } } } } }
        """
      ]
    }
    for (user, answer) in [
      (#"{ id = "ann", tenant = "acme" }"#, "acme/ann acme ann"), (#"{ id = "ann" }"#, "ann nil ann"),
    ] {
      let outcome = try await eval(evals(user, answer), in: folder)
      #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    }
    let refused = try await eval(evals(#"{ id = "ann", tenant = "a/b" }"#, ""), in: folder)
    #expect(refused.status == 2 && refused.errors.contains("'tenant' must be 1 to 64"), "\(refused.errors)")
  }

  @Test("paths and --filter choose cases, and what chooses none is wrong usage")
  func selection() async throws {
    func file(_ names: String...) -> String {
      "return { \(names.map { "{ name = '\($0)', agent = 'form', turns = { { user = 'x' } } }" }.joined(separator: ", ")) }"
    }
    let folder = try Folder(Self.scripts)
    try folder.write("evals/market/b.lua", file("three"))
    try folder.write("evals/_draft.lua", "nonsense(")
    try folder.write("evals/broken.lua", "nonsense(")
    func cases(_ arguments: String...) async throws -> [String] {
      let outcome = try await eval(["a.lua": file("one", "two")], arguments + ["--json"], in: folder)
      let cases = (try? JSON(parsing: outcome.output))?["cases"]?.array ?? []
      return cases.compactMap { $0["name"]?.string } + (outcome.status == 0 ? [] : ["\(outcome.status)"])
    }
    #expect(try await cases("evals/a.lua") == ["one", "two"])
    #expect(
      try await cases(folder.path + "/evals/market", "evals/a.lua", "--jobs", "1") == ["one", "two", "three"])
    #expect(try await cases("evals/a.lua", "--filter", "tw") == ["two"])
    #expect(try await cases() == ["2"], "another file is broken")
    #expect(try await cases("evals/c.lua") == ["2"])
    #expect(try await cases("evals/a.lua", "--filter", "none") == ["2"])
    #expect(try await cases("evals/a.lua", "--jobs", "0") == ["2"])
    #expect(try await cases("evals/a.lua", "--live", "--record") == ["2"])
    #expect(try await cases("evals/a.lua", "--record") == ["2"], "there is no model to ask")
    let bare = try Folder(Self.scripts)
    let empty = try await perigee("eval", "--workspace", bare.path)
    #expect(empty.status == 2 && empty.errors.contains("there are no eval cases"))
  }
}
