// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// What happens while cases run: recording, limits, interruption.
extension EvalTests {
  /// Saves a note, then says so; judges every answer, in the right form when it is asked again.
  private static func provider(verdict: Bool = true) throws -> ScriptedProvider {
    try ScriptedProvider { request in
      let messages = request.json["messages"]?.array ?? []
      if messages.first?["content"]?.string?.hasPrefix("You examine") == true {
        if messages.count == 2 { return .completion("Certainly!") }
        return .completion(#"{"reason":"It says so.","yes":\#(verdict)}"#)
      }
      guard let result = messages.last, result["role"] == "tool" else {
        let said = messages.last?["content"]?.string ?? ""
        return .toolCalls([("call_1", "save", RawJSON(["text": .string(said)]).text)])
      }
      return .completion(
        "Kept: \((try? JSON(parsing: result["content"]?.string ?? ""))?["at"]?.string ?? "?")")
    }
  }

  private static let judged = """
    return {
      { name = "keeps one", agent = "notes", turns = { { user = "milk", expect = {
        equals = "Kept: 2026-01-01", tool_called = { name = "save", arguments = { text = "milk" } },
        judge = "Does it say that something was kept?" } } } },
      { name = "keeps another", agent = "notes", turns = { { user = "salt", expect = { contains = "Kept" } } } },
    }
    """

  @Test(
    "what models and judges answered is recorded, played back without them, and a changed prompt is a miss")
  func recordAndReplay() async throws {
    let folder = try Folder(Self.scripts)
    try folder.write(
      "perigee.yaml",
      "models: { prices: { gpt-4o-mini: { input_per_million: 1, output_per_million: 2 } } }\n")
    let provider = try Self.provider()
    let key = ["OPENAI_BASE_URL": provider.baseURL, "OPENAI_API_KEY": "sk-verysecret"]
    let live = try await eval(["notes.lua": Self.judged], ["--live"], environment: key, in: folder)
    #expect(live.status == 0, "\(live.output)\(live.errors)")
    #expect(provider.requests.count == 6)
    // Two calls of the agent and two of the judge.
    #expect(live.output.contains(#/keeps one +1 +ok +model +[0-9.]+ m?s +\$0.00008\n/#), "\(live.output)")
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/evals/cassettes"))
    let recorded = try await eval([:], ["--record"], environment: key, in: folder)
    #expect(recorded.status == 0 && provider.requests.count == 12, "\(recorded.output)")
    let cassette = try folder.read("evals/cassettes/notes/keeps-one.jsonl")
    #expect(cassette.split(separator: "\n").count == 4 && !cassette.contains("verysecret"))
    provider.stop()
    for _ in 0..<2 {
      let played = try await eval([:], in: folder)
      #expect(played.status == 0, "\(played.output)\(played.errors)")
      #expect(
        played.output.contains(#/keeps one +1 +ok +recording +[0-9.]+ m?s +\$0.00008\n/#), "\(played.output)")
      #expect(played.output.contains("2 cases: 2 ok ("))
    }
    #expect(provider.requests.count == 12)
    // The evals' cassettes are no scripts, and recording one case leaves the other as it is.
    let other = try Self.provider()
    let again = try await eval(
      [:], ["--record", "--filter", "another"], environment: ["OPENAI_BASE_URL": other.baseURL], in: folder)
    #expect(again.status == 0 && other.requests.count == 2)
    #expect(try folder.read("evals/cassettes/notes/keeps-one.jsonl") == cassette)
    try folder.write(
      "agents/notes.lua", try folder.read("agents/notes.lua").replacing("good day", with: "bad day"))
    let miss = try await eval([:], in: folder)
    #expect(miss.status == 1)
    for text in [
      "answer", "is not recorded in keeps-one.jsonl; the nearest, line 1, differs in message 1 (system)",
      "recorded: Keep notes. Today is a good day", "asked:    Keep notes. Today is a bad day",
    ] { #expect(miss.output.contains(text), "\(text)\n\(miss.output)") }
    try folder.write("evals/cassettes/notes/keeps-one.jsonl", "{}\n")
    let damaged = try await eval([:], in: folder)
    #expect(damaged.status == 2)
    #expect(damaged.errors.contains("keeps-one.jsonl:1: the line has no 'version'"), "\(damaged.errors)")
  }

  @Test("a judge's no is a failure with its reason, and a stub in place of the model is one, too")
  func judges() async throws {
    let provider = try Self.provider(verdict: false)
    let refused = try await eval(
      ["notes.lua": Self.judged], ["--live"], environment: ["OPENAI_BASE_URL": provider.baseURL])
    #expect(refused.status == 1)
    #expect(refused.output.contains("expected: yes to 'Does it say that something was kept?'"))
    #expect(refused.output.contains("got:      no: It says so."), "\(refused.output)")
    let broken = try ScriptedProvider(.failure(400))
    let folder = try Folder(Self.scripts)
    try folder.write("evals/cassettes/notes/keeps-another.jsonl", "")
    let stubbed = try await eval(
      ["notes.lua": Self.judged], ["--record", "--filter", "another"],
      environment: ["OPENAI_BASE_URL": broken.baseURL], in: folder)
    #expect(
      stubbed.status == 1 && stubbed.output.contains("got:      the stub's: the model failed"),
      "\(stubbed.output)")
    #expect(
      try folder.read("evals/cassettes/notes/keeps-another.jsonl") == "", "a failure is no recording to keep")
  }

  @Test("an eval may require a module, and no check or case knows of another")
  func apart() async throws {
    let folder = try Folder(Self.scripts)
    try folder.write("lib/count.lua", "local n = 0\nreturn function() n = n + 1; return n end")
    let turn = """
      { user = "milk", expect = { { check = first }, { check = first }, { check = notes(%d) } } }
      """
    let outcome = try await eval(
      [
        "a.lua": """
        local count = require("lib.count")
        local function first() return count() == 1 end
        local function notes(n)
          return function() return db.query("select count(*) as n from notes")[1].n == n, "not " .. n end
        end
        return {
          { name = "one", agent = "notes", turns = { \(turn.replacing("%d", with: "1")), \(turn.replacing("%d", with: "2")) } },
          { name = "two", agent = "notes", turns = { \(turn.replacing("%d", with: "1")) } },
        }
        """
      ], in: folder)
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
  }

  @Test("a check that never ends is stopped by its limit, and so is a pattern; the cases beside them go on")
  func endless() async throws {
    let bomb = String(repeating: "a?", count: 40) + String(repeating: "a", count: 40)
    let outcome = try await eval(
      [
        "a.lua": """
        return {
          { name = "loops", agent = "form", turns = { { user = "x", expect = { check = function() while true do end end } } } },
          { name = "swallows", agent = "form", turns = { { user = "x", expect = { check = function()
            while true do pcall(function() while true do end end) end end } } } },
          { name = "grows", agent = "form", turns = { { user = "x", expect = { check = function()
            local t = {} while true do t[#t + 1] = ("x"):rep(1000) .. #t end end } } } },
          { name = "waits", agent = "form", turns = { { user = "x", expect = { check = function()
            time.sleep(3600) end } } } },
          { name = "searches", agent = "form", turns = { { user = "x", expect = { check = function()
            return not string.find(string.rep("a", 39), "\(bomb)") end } } } },
          { name = "fine", agent = "form", turns = { { user = "x", expect = { contains = "two" } } } },
        }
        """, "../perigee.yaml": "scripts: { cpu_ms: 200 }\n",
      ], ["--json"])
    #expect(outcome.status == 1, "\(outcome.errors)")
    let cases = try #require(try JSON(parsing: outcome.output)["cases"]?.array)
    #expect(
      cases.map { $0["result"] } == ["failed", "failed", "failed", "ok", "failed", "ok"], "\(outcome.output)")
    let got = cases.map { $0["turns"]?.array?.first?["expectations"]?.array?.first?["got"]?.string ?? "" }
    #expect(got[0] == "the check used more than its processor time (scripts.cpu_ms) [limit]", "\(got)")
    #expect(
      got[1].hasSuffix("[limit]") && got[2].hasSuffix("[limit]") && got[4].hasSuffix("[limit]"), "\(got)")
  }

  @Test("Ctrl-C ends it with 130; what was done is shown, and nothing is left behind")
  func interrupted() async throws {
    let provider = try ScriptedProvider(.silence)
    let folder = try Folder(Self.scripts)
    try folder.write(
      "evals/a.lua",
      """
      return {
        { name = "done", agent = "form", turns = { { user = "x", expect = { contains = "two" } } } },
        { name = "hangs", agent = "prose", turns = { { user = "x" }, { user = "y" } } },
        { name = "never begun", agent = "form", turns = { { user = "x" } } },
      }
      """)
    let temporary = try Folder()
    let process = try PerigeeBinary.start(
      ["eval", "--live", "--jobs", "1", "--workspace", folder.path, "--junit", folder.path + "/r.xml"],
      environment: ["OPENAI_BASE_URL": provider.baseURL, "TMPDIR": temporary.path])
    await provider.requests(atLeast: 1)
    process.send(signal: SIGINT)
    async let text = process.output.text()
    #expect(await process.end() == 130)
    let output = await text
    #expect(output.contains("3 cases: 1 ok, 2 interrupted ("), "\(output)")
    #expect(output.contains("hangs        2      interrupted"), "\(output)")
    #expect(try folder.read("r.xml").contains(#"<skipped message="interrupted"/>"#))
    #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path) == [])
  }

  @Test("colours are for terminals, and NO_COLOR turns them off")
  func colours() async throws {
    let folder = try Folder(Self.scripts)
    try folder.write("evals/a.lua", Self.failing)
    func shown(_ changes: [String: String]) async throws -> String {
      let process = try ChildProcess(
        inTerminal: PerigeeBinary.url.path, ["eval", "--workspace", folder.path],
        environment: PerigeeBinary.environment(["TERM": "xterm"]).filter { $0.key != "NO_COLOR" }
          .merging(changes) { $1 })
      let text = await process.output.text(until: " skipped")
      process.send(signal: SIGKILL)
      _ = await process.end()
      return text
    }
    let coloured = try await shown([:])
    #expect(
      coloured.contains("\u{1B}[32mok         \u{1B}[0m") && coloured.contains("\u{1B}[31mFAILED"),
      "\(coloured)")
    #expect(coloured.contains("of 5 cases …"))
    let plain = try await shown(["NO_COLOR": "1"])
    #expect(plain.contains("  ok  ") && !plain.contains("\u{1B}[3"), "\(plain)")
    #expect(try await !eval(["a.lua": Self.failing], in: folder).output.contains("\u{1B}"))
  }
}
