// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

@Suite("perigee lint", .timeLimit(.minutes(3)))
struct LintCommandTests {
  private static let agent = """
    return {
      promt = "x",
      prompt = function(ctx)
        local unused = 1
        return "You help " .. ctx.usr.name
      end,
    }
    """

  private func lint(_ folder: Folder, _ arguments: String...) async throws -> Outcome {
    try await perigee(["lint", "--workspace", folder.path] + arguments)
  }

  @Test("findings have their place, the line, a caret and a way out; errors end with 1, in every format")
  func formats() async throws {
    let folder = try Folder(["agents/a.lua": Self.agent, "perigee.yaml": "server:\n  prot: 1\n"])
    let text = try await lint(folder)
    #expect(text.status == 1)
    #expect(
      text.output == """
        agents/a.lua:2:3: error: an agent has no field 'promt' [W201]
              promt = "x",
              ^~~~~
            hint: did you mean 'prompt'?
        agents/a.lua:4:11: warning: the local variable 'unused' is never used [P111]
                local unused = 1
                      ^~~~~~
            hint: take it away, or call it _unused
        agents/a.lua:5:31: error: ctx has no field 'usr' [P155]
                return "You help " .. ctx.usr.name
                                          ^~~
            hint: did you mean 'user'?
        perigee.yaml:2:3: error: unknown key 'server.prot' [C101]
              prot: 1
              ^
            hint: did you mean 'server.port'?

        """)
    #expect(text.errors == "3 errors, 1 warning in 2 files\n")
    let json = try await lint(folder, "--format", "json")
    #expect(json.status == 1)
    let document = try JSON(parsing: json.output)
    let first = try #require(document["findings"]?.array?.first)
    #expect(
      first == [
        "file": "agents/a.lua", "line": 2, "column": 3, "end_line": 2, "end_column": 8, "severity": "error",
        "code": "W201", "message": "an agent has no field 'promt'", "hint": "did you mean 'prompt'?",
      ])
    #expect(document["summary"] == ["files": 2, "errors": 3, "warnings": 1, "infos": 0])
    let sarif = try JSON(parsing: try await lint(folder, "--format", "sarif").output)
    #expect(sarif["version"] == "2.1.0")
    #expect(sarif["runs"]?.array?.first?["results"]?.array?.count == 4)
    let github = try await lint(folder, "--format", "github")
    #expect(github.output.split(separator: "\n").count == 4)
    #expect(
      github.output.hasPrefix(
        "::error file=\(folder.path)/agents/a.lua,line=2,col=3,endColumn=8,title=W201::an agent has no field 'promt'%0Adid you mean"
      ))
  }

  @Test("without errors the end is 0; warnings count with --strict, and infos never")
  func exitCodes() async throws {
    let folder = try Folder(["agents/a.lua": "local x = 1\nreturn { prompt = 'p' }"])
    #expect(try await lint(folder).status == 0)
    #expect(try await lint(folder, "--strict").status == 1)
    try folder.write("agents/a.lua", "return { prompt = 'p' }")
    try folder.write("tools/t.lua", "return { add = { description = 'd', run = function() end } }")
    let info = try await lint(folder, "--strict")
    #expect(info.status == 0)
    #expect(info.output.contains("info: no agent lists the tool 'add' [W210]"))
    try FileManager.default.removeItem(atPath: folder.path + "/tools")
    let clean = try await lint(folder)
    #expect(clean.status == 0 && clean.output == "" && clean.errors == "no findings in 1 file\n")
  }

  @Test(
    "wrong usage ends with 2",
    arguments: [
      ["--format", "xml"], ["--explain", "P999"], ["no/such/file.lua"], ["--workspace", "/nowhere"],
    ])
  func usage(arguments: [String]) async throws {
    let outcome = try await perigee(["lint"] + arguments)
    #expect(outcome.status == 2)
    #expect(outcome.output == "" && outcome.errors.lowercased().hasPrefix("error: "))
  }

  @Test("a path shows its own findings, held against the workspace above it, under the name that was given")
  func paths() async throws {
    let folder = try Folder([
      "agents/a.lua": "return { prompt = 'p', tools = { 'add', 'sub' } }",
      "agents/b.lua": "return { promt = 'p' }",
      "tools/t.lua": "return { add = { description = 'd', run = function() return x end } }",
      "loose.lua": "return y",
    ])
    let one = try await perigee("lint", folder.path + "/agents/a.lua", "--format", "json")
    let findings = try JSON(parsing: one.output)["findings"]?.array ?? []
    #expect(findings.map { $0["file"]?.string } == [folder.path + "/agents/a.lua"])
    #expect(findings.first?["message"] == "there is no tool 'sub'")
    let several = try await perigee("lint", folder.path + "/agents", folder.path + "/tools/t.lua")
    #expect(several.errors == "3 errors in 3 files\n")
    #expect(several.output.contains("\(folder.path)/agents/b.lua:1:10: error"))
    let whole = try await perigee("lint", folder.path)
    #expect(whole.errors == "3 errors in 3 files\n")
    let other = try Folder(["loose.lua": "return y"])
    let loose = try await perigee("lint", other.path + "/loose.lua")
    #expect(loose.output.contains("/loose.lua:1:8: error: 'y' is not defined [P101]"))
  }

  @Test("every syntax error of a file is told, and nothing that follows from one")
  func syntax() async throws {
    let folder = try Folder(["lib/a.lua": "local a = = 1\nlocal b = )\nif x the\nend\nreturn unknown\n"])
    let outcome = try await lint(folder, "--format", "json")
    let findings = try JSON(parsing: outcome.output)["findings"]?.array ?? []
    #expect(findings.map { $0["line"]?.integer } == [1, 2, 3])
    #expect(findings.allSatisfy { $0["code"]?.string?.hasPrefix("P0") == true })
  }

  @Test("what is mended is written at once and told; the rest stays")
  func fix() async throws {
    let folder = try Folder([
      "lib/a.lua": "local ok, err = pcall(next)\n-- perigee: ignore P101 because it was\nreturn ok != totl\n"
    ])
    let first = try await lint(folder, "--fix")
    #expect(first.status == 0)
    // A file with a syntax error is looked at once that is mended.
    #expect(
      try folder.read("lib/a.lua")
        == "local ok, _err = pcall(next)\n-- perigee: ignore P101 because it was\nreturn ok ~= totl\n")
    #expect(first.errors.contains("fixed lib/a.lua:3:11: write ~= [P006]\n"))
    #expect(first.errors.contains("fixed lib/a.lua:1:11: rename to _err [P111]\n"))
    try folder.write("lib/a.lua", "-- perigee: ignore P101 because it was\nreturn 1\n")
    #expect(try await lint(folder, "--fix").status == 0)
    #expect(try folder.read("lib/a.lua") == "return 1\n")
    let kept = "return { foo() }\n"
    try folder.write("lib/a.lua", kept)
    #expect(try await lint(folder, "--fix").status == 1)
    #expect(try folder.read("lib/a.lua") == kept)
  }

  @Test("a comment with a reason excuses a finding, here and when the workspace is loaded")
  func ignore() async throws {
    let line = "return { run = function() if false then print(debugger) end return 'ran' end }"
    let folder = try Folder(["agents/a.lua": line])
    #expect(try await lint(folder).status == 1)
    let refused = try await perigee("run", "a", "--workspace", folder.path, "--input", "x")
    #expect(refused.status == 2)
    #expect(
      refused.errors.contains("agents/a.lua:1:47: error: 'debugger' is not defined [P101]\n    \(line)\n"))
    try folder.write("agents/a.lua", "-- perigee: ignore P101 because it is set by hand\n" + line)
    let excused = try await lint(folder, "--strict")
    #expect(excused.status == 0 && excused.output == "")
    #expect(try await perigee("run", "a", "--workspace", folder.path, "--input", "x").output == "ran\n")
  }

  @Test("a page is printed for a code, in either case")
  func explain() async throws {
    let page = try await perigee("lint", "--explain", "p101")
    #expect(page.status == 0)
    #expect(page.output.hasPrefix("## P101: undefined name\n"))
    #expect(
      page.output.contains("Wrong") && page.output.contains("Right")
        && page.output.contains("perigee: ignore P101 because"))
  }

  @Test("what init and new write has no finding but that nobody uses the new tool yet")
  func templates() async throws {
    let folder = try Folder()
    _ = try await perigee("init", folder.path)
    _ = try await perigee("new", "agent", "market.title", "--workspace", folder.path)
    let first = try await lint(folder, "--strict")
    #expect(first.status == 0 && first.output == "", "\(first.output)")
    _ = try await perigee("new", "tool", "send_letter", "--workspace", folder.path)
    let second = try await lint(folder, "--strict")
    #expect(second.status == 0)
    #expect(second.errors == "1 info in 6 files\n")
  }

  @Test("secrets, variables and prices are held against perigee.yaml")
  func configuration() async throws {
    let folder = try Folder([
      "agents/a.lua": """
      return { model = "mystery", limits = { cost_usd = 1 }, prompt = function(ctx)
        return secrets.get("strip") .. (ctx.env.LANGUAGES or "") .. (ctx.env.LANGUAGE or "")
      end }
      """,
      "perigee.yaml":
        "scripts:\n  env: [LANGUAGE]\n  secrets: { stripe: { env: KEY, hosts: [a.example.com] } }\n",
    ])
    let outcome = try await lint(folder)
    for line in [
      "agents/a.lua:1:18: error: the model 'mystery' has no price",
      "agents/a.lua:2:22: error: perigee.yaml names no secret 'strip'",
      "agents/a.lua:2:43: warning: scripts.env does not list 'LANGUAGES'",
    ] { #expect(outcome.output.contains(line), "\(outcome.output)") }
    #expect(outcome.errors == "2 errors, 1 warning in 2 files\n")
  }

  @Test(
    "models are held against the providers and names of perigee.yaml, and not where anything may be served")
  func models() async throws {
    let folder = try Folder([
      "agents/a.lua":
        "return { prompt = 'p', model = { 'anthropc/claude', 'groq/llama', 'gpt-4o-mni', 'o3' } }",
      "perigee.yaml": """
      providers:
        anthropic: { dialect: anthropic, api_key_env: ANTHROPIC_KEY }

      """,
    ])
    let outcome = try await lint(folder, "--strict")
    #expect(outcome.status == 1)
    for line in [
      "agents/a.lua:1:34: warning: perigee.yaml has no provider 'anthropc' [C105]",
      "hint: did you mean 'anthropic'?",
      "agents/a.lua:1:53: warning: perigee.yaml has no provider 'groq' [C105]",
      "hint: add it to providers, which has anthropic, openai",
      "agents/a.lua:1:67: warning: perigee.yaml knows no model 'gpt-4o-mni' [C105]",
    ] { #expect(outcome.output.contains(line), "\(line)\n\(outcome.output)") }
    #expect(outcome.errors == "3 warnings in 2 files\n")
    // Another server behind the first provider may call its models anything.
    try folder.write(
      "perigee.yaml",
      try folder.read("perigee.yaml") + "  openai: { base_url: 'http://127.0.0.1:11434/v1' }\n")
    #expect(try await lint(folder).errors == "2 warnings in 2 files\n")
  }

  @Test("linting runs no script")
  func runsNothing() async throws {
    let folder = try Folder([
      "agents/a.lua": "while true do end\nreturn { prompt = 'p' }", "lib/b.lua": "error('never')",
    ])
    let outcome = try await lint(folder)
    #expect(!outcome.output.contains("never'"))
    #expect(outcome.errors.hasSuffix("in 2 files\n"))
  }

  @Test("what the linter takes for Lua's library is what scripts find")
  func library() async throws {
    let script = """
      return { run = function()
        local names = {}
        for name, value in pairs(_ENV) do
          names[#names + 1] = name
          if type(value) == "table" then
            for member in pairs(value) do names[#names + 1] = name .. "." .. member end
          end
        end
        table.sort(names)
        return table.concat(names, "\\n")
      end }
      """
    let folder = try Folder(["agents/a.lua": script])
    let found = try await perigee("run", "a", "--workspace", folder.path, "--input", "x")
    // What some builds of Lua keep for older scripts is excused.
    let kept: Set = [
      "math.cosh", "math.sinh", "math.tanh", "math.pow", "math.frexp", "math.ldexp", "math.log10",
      "math.atan2",
    ]
    let names = found.output.split(separator: "\n").map(String.init).filter { !kept.contains($0) }
    #expect(names.count > 90, "\(found.errors)")
    // One file that names them all, and others that name what is not among them.
    let uses = names.map { "  [\"\($0)\"] = \($0)," }.joined(separator: "\n")
    try folder.write("lib/all.lua", "return {\n\(uses)\n}\n")
    let all = try await perigee("lint", folder.path + "/lib")
    #expect(all.output == "", "\(all.output)")
    let known = Set(names)
    for name in [
      "string.dump", "os.getenv", "io", "debug", "package", "dofile", "loadfile", "collectgarbage",
    ] {
      #expect(!known.contains(name))
      try folder.write("lib/all.lua", "return { \(name) }\n")
      #expect(try await perigee("lint", folder.path + "/lib").output.contains("[P103]"), "\(name)")
    }
  }

  @Test("--watch looks at once and after each save, until Ctrl-C")
  func watch() async throws {
    let folder = try Folder(["agents/a.lua": "return { prompt = 'p' }\n"])
    let process = try PerigeeBinary.start(["lint", "--watch", "--workspace", folder.path])
    #expect(await process.errors.text(until: "no findings in 1 file").contains("no findings"))
    try folder.write("agents/a.lua", "return { promt = 'p' }\n")
    // It may have looked twice at what was there before.
    while await !process.errors.text(until: " in 1 file").contains("error") {}
    try folder.write("agents/a.lua", "return { prompt = 'q' }\n")
    #expect(await process.errors.text(until: "no findings in 1 file").contains("no findings"))
    process.send(signal: SIGINT)
    #expect(await process.end() == 130)
    #expect(await process.output.text().contains("agents/a.lua:1:10: error: "))
  }
}
