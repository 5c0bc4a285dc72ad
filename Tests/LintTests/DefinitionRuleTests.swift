// SPDX-License-Identifier: Apache-2.0
import Core
import Testing

@testable import Lint

/// Agents, tools, workflows and evals, as far as their text tells.
@Suite struct DefinitionRuleTests {
  @Test("definitions are judged without being run, each fault where it stands")
  func definitions() {
    let found = places([
      "agents/a.lua":
        "return {\n  promt = 'x',\n  prompt = 5,\n  limits = { steps = 0, second = 1 },\n  tools = { 'ad', 'add' },\n}",
      "agents/b.lua": "return 5", "agents/c.lua": "local x = 1\nlog.debug(x)",
      "agents/d.lua": "return { description = 'd' }",
      "tools/t.lua":
        "return {\n  add = { description = 'd', parameters = { n = 'intger' }, run = function() end },\n  ['bad name'] = {},\n  none = { run = 1 },\n}",
    ])
    #expect(
      found == [
        "agents/a.lua:2:3 W201", "agents/a.lua:3:3 W202", "agents/a.lua:4:14 W203", "agents/a.lua:4:25 W201",
        "agents/a.lua:5:13 W207", "agents/b.lua:1:1 W202", "agents/c.lua:1:1 W202", "agents/c.lua:2:1 P161",
        "agents/d.lua:1:8 W204", "tools/t.lua:2:45 W206", "tools/t.lua:3:4 W203",
        "tools/t.lua:4:3 W204", "tools/t.lua:4:12 W202",
      ])
  }

  @Test("a schedule says when, in words that mean something")
  func schedules() {
    let found = lint([
      "agents/a.lua": """
      return { prompt = 'p', schedules = {
        { cron = "0 25 * * *" }, { cron = "0 6 * * *", zone = "Europe/Zürich" }, { every = "6h", cron = "@daily" }, {},
        { every = "6 hours" }, { every = 0.5 }, { every = 90, missed = "never" }, { every = "1d", zone = "UTC" }, 5,
        { crom = "0 6 * * *" }, { cron = "0 6 * * *", message = "" }, { cron = 6 },
      } }
      """,
      "agents/b.lua": """
      return { prompt = 'p', schedules = {
        { cron = "0 */6 * * *", zone = "UTC", input = {} }, { every = "6h", message = "look", input = { n = 1 }, missed = "all" },
        { cron = "30 6 * * MON-FRI", zone = "America/Argentina/Buenos_Aires", missed = "skip" }, { every = os.time() },
      } }
      """, "agents/c.lua": "return { prompt = 'p', schedules = 5 }",
    ])
    #expect(
      found.map { "\($0.line):\($0.column) \($0.code) \($0.message)" } == [
        "2:5 W203 the hour 25 is not 0 to 23", "2:50 W203 there is no time zone 'Europe/Zürich'",
        "2:78 W205 a schedule has 'cron' or 'every', not both",
        "2:111 W204 a schedule needs 'cron' or 'every'",
        "3:5 W203 'every' must be seconds, or a time such as \"15m\", of 1 s to a year",
        "3:28 W203 'every' must be seconds, or a time such as \"15m\", of 1 s to a year",
        "3:57 W203 'missed' must be one of \"once\", \"all\", \"skip\", not \"never\"",
        "3:93 W205 'zone' goes with 'cron' alone", "3:109 W202 a schedule must be a table, not a number",
        "4:3 W204 a schedule needs 'cron' or 'every'", "4:5 W201 a schedule has no field 'crom'",
        "4:49 W203 'message' must not be empty", "4:67 W202 'cron' must be a string, not a number",
        "1:24 W202 'schedules' must be a list of tables, not a number",
      ])
  }

  @Test(
    "what the text does not tell is not judged",
    arguments: [
      "return require('lib.base')", "local base = require 'lib.base'\nreturn base { prompt = 1 }",
      "local base = require 'lib.base'\nreturn { prompt = base.prompt, tools = base.tools, limits = base.limits, history = base.n + 1 }",
      "local M = {}\nfor _, n in ipairs({ 'prompt' }) do M[n] = 'x' end\nreturn M",
      "local M = {}\nlocal function fill(t) t.prompt = 'x' end\nfill(M)\nreturn M",
      "local M = setmetatable({}, { __index = require 'lib.base' })\nreturn M",
      "local key = 'prompt'\nreturn { [key] = 'x' }",
      "local M = {}\nif _VERSION then M.prompt = 'x' end\nreturn M",
      "return { prompt = 'x', tools = { table.unpack(require('lib.base').tools) } }",
      "return { prompt = 'x' .. _VERSION, model = { require('lib.base').model } }",
      "local M\nM = { prompt = 'x' }\nreturn M", "return { prompt = 'x', description = nil }",
      "if _VERSION then return { prompt = 'x' } end\nreturn { prompt = 'y' }",
    ])
  func unknown(text: String) {
    #expect(places(["agents/a.lua": text, "lib/base.lua": "return {}"]) == [])
  }

  @Test("access is held against every call that a tool makes, near and far")
  func access() {
    let tools = """
      local function save(id) db.exec("delete from t where id = ?", id) end
      return {
        a = { description = "d", access = { db = "read" }, run = function(_, args) return save(args.id) end, parameters = { id = "integer" } },
        b = { description = "d", access = { db = "write" }, run = function() save(1) return db.query("select 1") end },
        c = { description = "d", run = function() return parallel{ function() return kv.get("x") end } end },
        d = { description = "d", access = require("lib.access"), run = function() return kv.get("x") end },
        e = { description = "d", access = { llm = true }, run = function() return llm.chat{ messages = {} }.text end },
        f = { description = "d", run = function() return llm.chat{ messages = {} }.text end },
      }
      """
    let agent =
      "return { tools = { 'a', 'b', 'c', 'd', 'e', 'f' }, run = function() return llm.chat{ messages = {} }.text .. kv.get('x') end }"
    let found = lint(["tools/t.lua": tools, "agents/a.lua": agent, "lib/access.lua": "return {}"])
    #expect(
      found.map { "\($0.file):\($0.line):\($0.column) \($0.severity) \($0.code)" } == [
        "agents/a.lua:1:110 error W213", "tools/t.lua:1:25 warning W213", "tools/t.lua:5:80 error W213",
        "tools/t.lua:8:52 error W213",
      ])
  }

  @Test(
    "hosts that are written out are held against access.http",
    arguments: [
      (#"http.get("https://api.example.com/x")"#, true), (#"http.get("http://api.example.com/x")"#, true),
      (#"http.get("https://api.example.com:8443/x")"#, false),
      (#"http.get("https://other.example.com/x")"#, false),
      (#"http.get("https://a.wild.example.org:8443/x")"#, true),
      (#"http.get("https://wild.example.org:8443/x")"#, false),
      (#"http.get("https://api.example.com/" .. args.id)"#, true),
      (#"http.get("https://other.com/" .. args.id)"#, false),
      (#"http.get("https://api.example." .. args.id)"#, true), (#"http.get("https://" .. args.id)"#, true),
      (#"http.post("https://only.example.net/x", { json = {} })"#, false),
      (#"http.get("https://only.example.net/x")"#, true),
      (#"http.request{ url = "https://only.example.net/x", method = "post" }"#, false),
      (#"http.request{ url = "https://only.example.net/x", method = args.id }"#, true),
      (#"http.get(args.id)"#, true),
    ])
  func hosts(call: String, isAllowed: Bool) {
    let tool = """
      return { t = { description = "d", parameters = { id = "string" },
        access = { http = { "api.example.com", "*.wild.example.org:8443", "GET only.example.net" } },
        run = function(_, args) return \(call), args end } }
      """
    let found = lint(["tools/t.lua": tool, "agents/a.lua": "return { prompt = 'p', tools = { 't' } }"])
    #expect(found.map(\.code.rawValue) == (isAllowed ? [] : ["W215"]))
  }

  @Test("http.allow narrows what a tool lists")
  func allow() {
    let tool =
      #"return { t = { description = "d", access = { http = { "a.example.com" } }, run = function() return http.get("https://a.example.com/").body end } }"#
    let files = ["tools/t.lua": tool, "agents/a.lua": "return { prompt = 'p', tools = { 't' } }"]
    #expect(
      lint(files, settings: LintSettings(hosts: [HostPattern("b.example.com")!])).map(\.code.rawValue) == [
        "W215"
      ])
    #expect(lint(files, settings: LintSettings(hosts: [HostPattern("a.example.com")!])) == [])
  }

  @Test(
    "a tool says who may use it as an agent does",
    arguments: [
      ("{ roles = { 'clerk' } }", []), ("{ roles = {} }", ["W212"]), ("{ role = { 'clerk' } }", ["W201"]),
      ("'clerk'", ["W202"]),
    ] as [(String, [String])])
  func allowInTool(allow: String, codes: [String]) {
    let tool = "return { t = { description = 'd', allow = \(allow), run = function() return 1 end } }"
    let files = ["tools/t.lua": tool, "agents/a.lua": "return { prompt = 'p', tools = { 't' } }"]
    #expect(lint(files).map(\.code.rawValue) == codes)
  }

  @Test("names are held against the workspace, wherever they stand")
  func names() {
    let found = places([
      "agents/a.lua":
        "return { tools = { 'add' }, agents = { 'b', 'c.d', 'x' }, run = function()\n  agents.run('y')\n  pcall(tools.call, 'ad')\n  return tools.call('add') end }",
      "agents/b.lua": "return { prompt = 'p' }", "agents/c/d.lua": "return { prompt = 'p' }",
      "tools/t.lua":
        "return { add = { description = 'd', run = function() return require('lib.mony') end } }",
      "lib/money.lua": "return {}",
      "evals/e.lua":
        "return { { name = 'n', agent = 'z', turns = { { user = 'u', expect = { not_called = 'sub' } } } } }",
    ])
    #expect(
      found == [
        "agents/a.lua:1:52 W207", "agents/a.lua:2:14 W207", "agents/a.lua:3:21 W207", "evals/e.lua:1:32 W207",
        "evals/e.lua:1:85 W207", "tools/t.lua:1:69 P158",
      ])
  }

  @Test("with tools that no text names, no tool is called unknown or unused")
  func openTools() {
    let open =
      "local M = {}\nfor _, n in ipairs({ 'a' }) do M[n] = { description = n, run = function() end } end\nreturn M"
    #expect(places(["tools/t.lua": open, "agents/a.lua": "return { prompt = 'p', tools = { 'b' } }"]) == [])
    let named = "return { add = { description = 'd', run = function() end } }"
    #expect(
      places([
        "tools/t.lua": named,
        "agents/a.lua": "return { prompt = 'p', tools = function() return { 'x' } end }",
      ]) == [])
  }

  @Test("circles of agents are told once, and a way there and back through others, too")
  func circles() {
    func agent(_ names: String) -> String { "return { prompt = 'p', agents = { \(names) } }" }
    #expect(
      places(["agents/a.lua": agent("'b'"), "agents/b.lua": agent("'c'"), "agents/c.lua": agent("'a'")]) == [
        "agents/a.lua:1:35 W211"
      ])
    #expect(places(["agents/a.lua": agent("'a'")]) == ["agents/a.lua:1:35 W211"])
    #expect(
      places(["agents/a.lua": agent("'b', 'c'"), "agents/b.lua": agent("'c'"), "agents/c.lua": agent("")])
        == [])
  }

  private func workflow(_ body: String) -> [String] {
    places(["agents/a.lua": "local function f() return 'x' end\nreturn { \(body) }"])
  }

  @Test("workflows are graphs that can be walked")
  func workflows() {
    #expect(
      workflow(
        "steps = {\na = { run = f, needs = { 'c' } },\nb = { run = f, needs = { 'a' } },\nc = { run = f, needs = { 'b' } } }"
      ) == ["agents/a.lua:3:1 W302"])
    #expect(
      workflow("steps = {\na = { run = f },\nb = { run = f, needs = { 'a', 'z' } } }") == [
        "agents/a.lua:4:31 W301"
      ])
    #expect(
      workflow(
        "steps = {\na = { needs = {} },\nb = { run = f, agnt = 1 },\nc = { approval = 'ok?', timeout = 'soon' } }"
      ) == ["agents/a.lua:3:1 W303", "agents/a.lua:4:16 W201", "agents/a.lua:5:25 W203"])
    #expect(
      workflow(
        "steps = {\na = { run = f, fields = { n = 'string' } },\nb = { approval = 'ok?', timeout = '1h', fields = { n = 'sting' } },\nc = { approval = 'ok?', timeout = '1h', fields = { n = 'integer?' } } }"
      ) == ["agents/a.lua:3:16 W205", "agents/a.lua:4:52 W206"])
    #expect(
      workflow(
        "steps = {\na = { run = f },\nb = { run = f, needs = { 'a' } },\nc = { needs = { 'b' }, run = function(_, r) return r.a .. r.b end },\nd = { run = f, when = function(_, r) return r.a end } }"
      ) == ["agents/a.lua:6:47 W307"])
    #expect(
      workflow(
        "initial = 's', states = {\ns = { run = f, on = { ok = 't', error = 'u' } },\nt = { run = f } }") == [
          "agents/a.lua:3:41 W301"
        ])
    #expect(
      workflow(
        "initial = 's', states = {\ns = { run = f, on = { ok = 't' } },\nt = { run = f, on = { ok = 's' } },\nu = { run = f, on = { ok = 'v' } },\nv = { run = f } }"
      ) == [
        "agents/a.lua:3:1 W305", "agents/a.lua:4:1 W305", "agents/a.lua:5:1 W304", "agents/a.lua:6:1 W304",
      ])
    #expect(
      workflow(
        "initial = 's', states = {\ns = { run = f, next = function() return 'u' end },\nu = { run = f } }")
        == [])
    #expect(
      workflow(
        "steps = {\na = { webhook = 'https://h.example.com/x', when = f } }, access = { http = { 'POST h.example.com' } }"
      ) == [])
  }

  @Test("arguments of a tool are held against its parameters, until somebody else had the table")
  func arguments() {
    func tool(_ body: String, _ parameters: String = "{ a = 'string' }") -> [String] {
      let text =
        "local function clean(t) rawset(t, 'b', 1) return t end\nreturn { t = { description = 'd', parameters = \(parameters), run = function(_, args)\n\(body) end } }"
      // One of the bodies uses `clean`, the others leave it.
      return places(["tools/t.lua": text, "agents/a.lua": "return { prompt = 'p', tools = { 't' } }"])
        .filter { !$0.hasSuffix("P111") }
    }
    #expect(tool("return args.a, args.b") == ["tools/t.lua:3:21 P157"])
    #expect(tool("clean(args) return args.b") == [])
    #expect(tool("args.b = 1 return args.b") == [])
    #expect(tool("return args.b", "require('lib.p')").filter { $0.hasSuffix("P157") } == [])
    #expect(
      tool("return args.b", "{ type = 'object', additionalProperties = true }").filter {
        $0.hasSuffix("P157")
      } == [])
    #expect(tool("return args.b", "{}") == ["tools/t.lua:3:13 P157"])
  }

  private static let writers = """
    local function run(_, args) return args end
    return {
      set_title = { description = "d", parameters = { listing_id = "string", title = "string?" }, run = run },
      set_price = { description = "d", parameters = { listing_id = "string", note_id = "string?" }, run = run },
      look_up = { description = "d", parameters = { listing_id = "string" }, effect = "read", run = run },
      tell = { description = "d", parameters = { user_id = "string" }, run = run },
    }
    """

  /// Codes of a workspace with an agent that has writing tools, and one that has none.
  private func guarded(_ agent: String) -> [String] {
    places([
      "tools/t.lua": Self.writers, "agents/a.lua": agent,
      "agents/writer.lua": "return { prompt = 'p', tools = { 'set_title', 'tell' } }",
      "agents/reader.lua": "return { prompt = 'p', tools = { 'look_up' } }",
    ]).filter { !$0.hasSuffix("W209") && !$0.hasSuffix("W210") }
  }

  /// Two branches in the `run` of an agent.
  private func branches(_ first: String, _ second: String, after: String = "return r") -> [String] {
    guarded(
      """
      return { tools = { 'set_title', 'set_price', 'look_up', 'tell' }, access = { db = 'write' }, run = function(ctx, input)
      local id, other = input.id, input.other
      local r = parallel{ one = function() return \(first) end, two = function() return \(second) end }
      \(after), { id, other, ctx }
      end }
      """)
  }

  @Test("branches that write one record want guard.same; others, and guarded ones, do not")
  func guards() {
    let found = ["agents/a.lua:3:11 W309"]
    func call(_ tool: String, _ value: String, _ key: String = "listing_id") -> String {
      "tools.call('\(tool)', { \(key) = \(value) })"
    }
    let (title, price) = (call("set_title", "id"), call("set_price", "id"))
    #expect(branches(title, price) == found)
    #expect(branches(call("set_title", "input.listing_id"), call("set_price", "input.listing_id")) == found)
    #expect(branches(title, "agents.run('writer', { listing_id = id })") == found)
    let (update, delete) = ("update listings set a = 1 where id = ?", "delete from listings where id = ?")
    #expect(branches("db.exec('\(update)', id)", "db.exec('\(delete)', id)") == found)
    let ignoring = "update or ignore listings set a = 1 where id = ?"
    #expect(branches("db.exec('\(ignoring)', id)", "db.exec('\(delete)', id)") == found)
    #expect(branches("pcall(function() return \(title) end)", price) == found)
    #expect(branches(title, price, after: "guard.same('listing_id', r) return r") == [])
    #expect(branches(title, price, after: "local same = guard.same same('listing_id', r) return r") == [])
    for (one, two) in [
      (title, call("set_price", "other")), (title, call("look_up", "id")),
      (title, "agents.run('reader', { listing_id = id })"), (title, call("set_price", "id", "note_id")),
      (call("tell", "ctx.user.id", "user_id"), call("tell", "ctx.user.id", "user_id")),
      (call("set_title", "'7'"), call("set_price", "'7'")), (title, "'nothing'"),
      (call("set_title", "uuid()"), call("set_price", "uuid()")),
      ("db.exec('\(update)', id)", "db.exec('update sales set a = 1 where id = ?', id)"),
      (
        "db.exec('update or ignore listings set a = 1 where id = ?', id)",
        "db.exec('update or ignore sales set a = 1 where id = ?', id)"
      ),
      ("db.exec('\(update)', id)", "db.exec('insert into listings (id) values (?)', id)"),
      ("db.exec('\(update)', id)", "db.query('select * from listings where id = ?', id)"),
    ] { #expect(branches(one, two) == [], "\(one) \(two)") }
  }

  @Test("steps beside each other that write one record want guard.same as well")
  func guardedSteps() {
    func steps(_ text: String) -> [String] { guarded("return { steps = {\n\(text)\n} }") }
    let title = "title = { tool = 'set_title' },\n"
    #expect(steps(title + "price = { tool = 'set_price' }") == ["agents/a.lua:3:1 W309"])
    #expect(
      steps("first = { sleep = 1 },\n" + title + "price = { tool = 'set_price', needs = { 'first' } }")
        == ["agents/a.lua:4:1 W309"])
    for other in [
      "price = { tool = 'set_price', needs = { 'title' } }",
      "mid = { sleep = 1, needs = { 'title' } }, price = { tool = 'set_price', needs = { 'mid' } }",
      "price = { tool = 'look_up' }", "price = { tool = 'tell' }",
      "price = { tool = 'set_price', when = function(ctx) return ctx.user.name == 'Ada' end }",
      "price = { tool = 'set_price', input = function(_, input) return input end }",
      "price = { tool = 'set_price' }, check = { needs = { 'title', 'price' }, run = function(_, r) return guard.same('listing_id', r) end }",
    ] { #expect(steps(title + other) == [], "\(other)") }
  }

  @Test(
    "names of models are held against perigee.yaml as far as it says which there are",
    arguments: [
      ("gpt-4o-mini", nil), ("gpt-4o-mni", "did you mean 'gpt-4o-mini'?"),
      ("gtp-4o-mini", "did you mean 'gpt-4o-mini'?"), ("gpt4o-mini", "did you mean 'gpt-4o-mini'?"),
      ("GPT-4o-mini", "did you mean 'gpt-4o-mini'?"), ("gpt-4o", nil), ("gpt-4", nil), ("gpt-5-mini", nil),
      ("gpt-4o-20240807", nil), ("devstral-latest", nil),
      ("gpt-4o-nano", nil), ("o3", nil), ("llama3.1", nil), ("claude-sonnet-4-5", nil),
      ("claude-sonnet-4-6", nil), ("claude-sonet-4-5", "did you mean 'claude-sonnet-4-5'?"),
      ("anthropic/claude-sonnet-4-5", nil), ("anthropic/claude-opus-4-5", nil),
      ("antropic/claude-opus-4-5", "did you mean 'anthropic'?"),
      ("anthropic/claude-sonet-4-5", "did you mean 'claude-sonnet-4-5'?"),
      ("groq/llama-3", "add it to providers, which has anthropic, openai"),
    ] as [(String, String?)])
  func models(name: String, hint: String?) {
    var settings = LintSettings(
      pricedModels: ["anthropic/claude-sonnet-4-5", "gpt-4o-20240806", "codestral-latest"],
      defaultModel: "gpt-4o-mini",
      providers: ["openai", "anthropic"], prefixesAreProviders: true)
    let agent =
      "return { prompt = 'p', model = { '\(name)' }, after = function(_, reply) reply.text = llm.chat{ model = '\(name)', messages = {} }.text return reply end }"
    func findings() -> [Diagnostic] { lint(["agents/a.lua": agent], settings: settings) }
    #expect(findings().map(\.hint) == (hint == nil ? [] : [hint, hint]))
    #expect(findings().allSatisfy { $0.code.rawValue == "C105" && $0.severity == .warning })
    // A first provider that is not the maker itself may call its models anything.
    settings.prefixesAreProviders = false
    if name.hasPrefix("groq/") { #expect(findings() == []) }
    settings = LintSettings()
    #expect(findings() == [])
  }

  @Test("evals have the shape of the contract")
  func evals() {
    let agent = ["agents/a.lua": "return { prompt = 'p' }"]
    func eval(_ text: String) -> [String] { places(agent.merging(["evals/e.lua": text]) { $1 }) }
    #expect(
      eval("return { { name = 'n', agent = 'a', turns = { { user = 'u', expect = { contians = 'x' } } } } }")
        == ["evals/e.lua:1:72 W201"])
    #expect(eval("return { { name = 'n', agent = 'a' } }") == ["evals/e.lua:1:10 W204"])
    #expect(eval("return { { name = 'n', agent = 'a', turns = {} } }") == ["evals/e.lua:1:37 W202"])
    #expect(
      eval("return { { name = 'n', agent = 'a', turns = { { user = 'u', expect = { matches = '[a' } } } } }")
        == ["evals/e.lua:1:82 P159"])
    #expect(eval("return 5") == ["evals/e.lua:1:1 W202"])
    let check =
      "return { { name = 'n', agent = 'a', turns = { { user = 'u', expect = { check = function(reply) return reply.text == 'x' end } } } } }"
    #expect(eval(check) == [])
  }
}
