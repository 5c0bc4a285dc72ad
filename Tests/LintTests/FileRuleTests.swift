// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Lint

/// Findings of Lua code by their places, beyond what the pages' samples show.
@Suite struct FileRuleTests {
  @Test(
    "names that stand for nothing are found where they stand",
    arguments: [
      ("return { a = foo }", ["1:14 P101"]), ("return { a = foo() }", ["1:14 P101"]),
      ("return { a = foo.bar.baz }", ["1:14 P101"]), ("return { a = foo[1] }", ["1:14 P101"]),
      ("return { a = foo:bar() }", ["1:14 P101"]),
      ("return { f = function() return g(x) end }", ["1:32 P101", "1:34 P101"]),
      ("local f = f\nreturn f", ["1:11 P101"]),
      ("return { a = tabel.concat({}) }", ["1:14 P101"]), ("return { a = table.conct({}) }", ["1:20 P104"]),
      ("return { f = function() return htp.get('u') end }", ["1:32 P101"]),
      ("return { f = function() return http.gett('u') end }", ["1:37 P104"]),
      ("return { a = ('x'):trim() }", ["1:20 P104"]),
      ("return { a = math.pow(2, 3) }", ["1:14 P103"]), ("return { a = unpack({}) }", ["1:14 P103"]),
      ("return { f = function() io.write('x') end }", ["1:25 P103"]),
      ("return { f = function() for l in io.lines('x') do log.info(l) end end }", ["1:34 P103"]),
      ("return { f = function() return debug.traceback() end }", ["1:32 P103"]),
      ("return { f = function() memory.add('x', {}) end }", ["1:25 P105"]),
      ("return { f = function() return memory.add{ text = 'x' } end }", ["1:32 P105"]),
    ])
  func undefined(text: String, expected: [String]) { #expect(lint(text) == expected) }

  @Test("what only some builds of Lua have is a warning, for it may be there")
  func kept() {
    #expect(lint(["lib/a.lua": "return math.pow(2, 3)"]).map(\.severity) == [.warning])
    #expect(lint(["lib/a.lua": "return string.dump(print)"]).map(\.severity) == [.error])
  }

  @Test("a suggestion is the nearest local or global; what is gone has something in its place")
  func suggestions() {
    func hint(_ text: String) -> String? { lint(["lib/a.lua": text]).first?.hint }
    #expect(hint("local total = 1 return { total, totla }") == "did you mean 'total'?")
    #expect(hint("return { tostrin(1) }") == "did you mean 'tostring'?")
    #expect(hint("return { string.fomat('x') }") == "did you mean 'format'?")
    #expect(hint("return { string.lowr('x') }") == "did you mean 'lower'?")
    #expect(hint("return { f = function() return os.getenv('X') end }")?.contains("ctx.env") == true)
    #expect(hint("return { f = function() return require 'json' end }") == nil)
  }

  @Test(
    "what may not be assigned is found",
    arguments: [
      ("x = 1", ["1:1 P102"]), ("function f() end", ["1:10 P102"]),
      ("local a\na, b = 1, 2\nreturn a", ["2:4 P102"]),
      ("return { f = function() count = (count or 0) + 1 end }", ["1:25 P102"]),
      ("string.trim = 1", ["1:1 P106"]), ("function http.put() end", ["1:10 P106"]),
      ("for i = 1, 2 do total = i end", ["1:17 P102"]),
    ])
  func assignments(text: String, expected: [String]) { #expect(lint(text) == expected) }

  @Test(
    "what nobody uses is found",
    arguments: [
      ("local a = 1 return {}", ["1:7 P111"]), ("local a, b = 1, 2 return b", ["1:7 P111"]),
      ("local function f() end return {}", ["1:16 P111"]), ("local a a = 1 return {}", ["1:7 P111"]),
      ("return function(a, b, c) return b end", ["1:23 P112"]),
      ("return function(a) return function(b) return 1 end end", ["1:17 P112", "1:36 P112"]),
      ("::done:: return {}", ["1:1 P113"]),
      ("local function f() ::a:: end return { f = f, g = function() goto a ::a:: end }", ["1:20 P113"]),
    ])
  func unused(text: String, expected: [String]) { #expect(lint(text) == expected) }

  @Test(
    "hiding a variable is found, and what is no hiding is not",
    arguments: [
      ("local a = 1 local function f(a) return a end return { a, f }", ["1:30 P121"]),
      ("local a = 1 do local a = 2 log.info(a) end return a", ["1:22 P121", "1:28 P161"]),
      ("local a = 1 local a = a + 1 return a", []),
      ("local ok = pcall(next) if ok then end local ok = 2 return ok", []),
      ("return function(s) local s = s or 'x' return s end", []),
      ("do local a = 1 return { a } end", []), ("local _a = 1 return function(_a) return _a end", []),
      ("do local a = 1 print(a) end local a = 2 return a", ["1:16 P161"]),
    ])
  func shadowing(text: String, expected: [String]) { #expect(lint(text) == expected) }

  @Test(
    "code that nothing leads to is found once a block",
    arguments: [
      ("return function() do return 1 end return 2 end", ["1:35 P131"]),
      ("return function(x) while true do if x then return 1 end end return 2 end", ["1:61 P131"]),
      ("return function(x) while true do if x then break end end return 2 end", []),
      (
        "return function(x) for i = 1, 3 do if i == x then break end do break end x = 1 end end",
        ["1:74 P131"]
      ),
      ("return function() error('a') local b = 1 return b end", ["1:30 P131"]),
      ("return function(x) if x then return 1 else error('b') end return 2 end", ["1:59 P131"]),
      ("return function(x) if x then goto out end do return 1 end ::out:: return 2 end", []),
      ("local function fail(m) error(m) end return function() fail('x') return 1 end", ["1:65 P131"]),
      ("return function(x) repeat if x then break end until false return 2 end", []),
      ("return function(f) repeat f() until false return 2 end", ["1:43 P131"]),
      ("return function(f) repeat do return f end until f() end", []),
    ])
  func unreachable(text: String, expected: [String]) { #expect(lint(text) == expected) }

  @Test(
    "a branch without its return is found",
    arguments: [
      ("return function(x) if x then return 1 else log.info('x') end end", ["1:44 P132"]),
      ("return function(x) if x then return 1 end end", []),
      ("return function(x) if x then return 1 elseif x == 0 then error('0') else return 2 end end", []),
      ("return function(x) if x then return end log.info('x') end", []),
      ("return function(x) if x then return 1 else for _, y in ipairs(x) do return y end end end", []),
    ])
  func missingReturns(text: String, expected: [String]) { #expect(lint(text) == expected) }

  @Test("a function of the contract that gives no value is an error")
  func contractReturns() {
    #expect(
      places(["agents/a.lua": "return { prompt = function(ctx) log.info(ctx.user.id) end }"]) == [
        "agents/a.lua:1:55 P132"
      ])
    #expect(
      places(["agents/a.lua": "return { run = function(ctx) if ctx.user then return 'x' end end }"]) == [
        "agents/a.lua:1:62 P132"
      ])
    #expect(places(["agents/a.lua": "return { run = function() while true do time.sleep(1) end end }"]) == [])
    #expect(
      places(["agents/a.lua": "return { prompt = 'p', before = function() end, after = function() end }"])
        == [])
    #expect(places(["agents/a.lua": "return { run = function() reject('no') end }"]) == [])
  }

  @Test(
    "comparisons that cannot be are found",
    arguments: [
      ("return function(t) return t == {} end", ["1:27 P141"]),
      ("return function(t) return {} ~= t end", ["1:27 P141"]),
      ("return function(t) return #t == '0' end", ["1:27 P141"]),
      ("return function(t) return #t == nil end", []),
      ("return function(t) return type(t) == nil end", ["1:27 P141"]),
      ("return function(t) return type(t) == 'array' end", ["1:38 P142"]),
      ("return function(t) return 'nill' == type(t) end", ["1:27 P142"]),
      ("return function(t) return math.type(t) == 'int' end", ["1:43 P142"]),
      ("return function(t) return math.type(t) == 'integer' end", []),
      ("return function(a, b) return not a == b end", ["1:30 P143"]),
      ("return function(a, b) return not a == not b end", []),
      ("return function(a) return not a == true end", []),
      ("return function(a, b) return (not a) == b end", []),
      ("return function(a) return tostring(a) == 5 end", ["1:27 P141"]),
      ("return function(a) return #a < '5' end", ["1:27 P141"]), ("return function(a) return a < 5 end", []),
      ("return function(a) return a .. '' == 'x' end", []), ("return function(a) return a ~= a end", []),
      ("local n = 5 return n == '5'", ["1:20 P141"]), ("local n = 5 n = n + 1 return n == '6'", []),
    ])
  func comparisons(text: String, expected: [String]) { #expect(lint(text) == expected) }

  @Test(
    "wrong counts of arguments are found",
    arguments: [
      ("return function() return crypto.sha256() end", ["1:26 P151"]),
      ("return function(s) return crypto.sha256(s, 1) end", ["1:44 P151"]),
      ("return function(...) return crypto.sha256(...) end", []),
      ("return function(f) return crypto.hmac(f()) end", []),
      ("return function() return uuid(4) end", ["1:31 P151"]),
      ("return function(s) return ('x'):rep() .. s end", ["1:27 P151"]),
      ("return function(s) return ('x'):rep(2, s) end", []),
      ("return function(s) return kv.get() or s end", ["1:27 P151"]),
      ("local function f(a) return a end return f(1, 2)", ["1:46 P151"]),
      ("local function f(a, b) return a + b end return f(1)", ["1:48 P151"]),
      ("local function f(a, b) return a + (b or 1) end return f(1)", []),
      ("local function f(a, b) if b then return b.x end return a end return f(1)", []),
      ("local function f(a, b) return a.x, tostring(b) end return f({})", []),
      ("local function f(a, b) return a + b end local g = f f = g return f(1)", []),
      ("local function f(k, w, h) if k == 's' then return w * w end return w * h end return f('s', 2)", []),
      ("local function f(a, b) return a and b.x end return f(nil)", []),
      ("local function f(a, b) local n = b.x if n then return a end end return f(1)", ["1:72 P151"]),
      ("local function f(a, b) local s = tostring(b) return a .. b .. s end return f(1)", []),
      ("local f = function(a) return a.x end return f()", ["1:45 P151"]),
      ("local function f(...) return ... end return f(1, 2, 3)", []),
    ])
  func counts(text: String, expected: [String]) { #expect(lint(text) == expected) }

  @Test(
    "arguments that the host refuses are found",
    arguments: [
      ("return function() return http.get({}) end", ["1:35 P152"]),
      ("return function() return http.get(5) end", []),
      ("return function() return http.get('u', { tiemout = 5 }) end", ["1:42 P153"]),
      ("return function() return http.get('u', { timeout = 'x' }) end", []),
      ("return function() return http.get('u', { timeout = {} }) end", ["1:52 P152"]),
      ("return function() return http.request{ method = 'PUT' } end", ["1:38 P153"]),
      ("return function(o) return http.request(o) end", []),
      ("return function(k) return http.request{ [k] = 1 } end", []),
      ("return function() return kv.get('k', { scope = 'users' }) end", ["1:48 P152"]),
      (
        "return function() return llm.chat{ messages = { { role = 'usr', content = 'x' } } } end",
        ["1:58 P152"]
      ),
      (
        "return function() return llm.chat{ messages = { { role = 'user', text = 'x' } } } end",
        ["1:49 P153", "1:66 P153"]
      ),
      ("return function() return llm.chat{} end", ["1:34 P153"]),
      ("return function() return llm.embed{ input = 'x' } end", ["1:35 P153"]),
      ("return function() return time.sleep(nil) end", ["1:37 P152"]),
      ("return function() return kv.get('k', nil) end", []),
      ("return function() return parallel.map({}, 5) end", ["1:43 P152"]),
      ("return function(f) return parallel.map({}, f) end", []),
      ("return function() return ('x'):rep(2, {}) end", []),
      ("return function() return table.concat({}, {}) end", ["1:43 P152"]),
    ])
  func types(text: String, expected: [String]) { #expect(lint(text) == expected) }

  @Test(
    "formats are held against their arguments",
    arguments: [
      ("return function(a) return ('%d %s'):format(a) end", ["1:27 P154"]),
      ("return function(a) return ('%d'):format(a, a) end", ["1:44 P154"]),
      ("return function(a) return ('%d'):format('x') .. a end", ["1:41 P154"]),
      ("return function(a) return ('%d'):format('5') .. a end", []),
      ("return function(a) return ('%5.2f%%'):format(a) end", []),
      ("return function(a) return ('%y'):format(a) end", ["1:27 P154"]),
      ("return function(a) return ('100%'):format(a) end", ["1:27 P154"]),
      ("return function(f) return ('%d %d'):format(f()) end", []),
      ("return function(...) return string.format('%s %s', ...) end", []),
      ("return function(a) return ('%q'):format(a) end", []),
      ("return function() return ('%s'):format({}) end", []),
      ("return function() return ('%d'):format({}) end", ["1:40 P154"]),
    ])
  func formats(text: String, expected: [String]) { #expect(lint(text) == expected) }

  @Test(
    "patterns that Lua refuses are found",
    arguments: [
      ("return function(s) return string.find(s, '[a') end", ["1:42 P159"]),
      ("return function(s) return string.find(s, '[a', 1, true) end", []),
      ("return function(s) return string.gsub(s, '(a', '') end", ["1:42 P159"]),
      ("return function(s) return string.match(s, 'a%') end", ["1:43 P159"]),
      ("return function(s) return string.match(s, '[]]') end", []),
      ("return function(s) return string.match(s, '[^]]') end", []),
      ("return function(s) return string.match(s, '%b()') end", []),
      ("return function(s) return string.match(s, '%f[%w]') end", []),
      ("return function(s) return string.match(s, '()a()') end", []),
      ("return function(s) return string.match(s, '[%]]') end", []),
      ("return function(s) return s:match('[') end", []),
    ])
  func patterns(text: String, expected: [String]) { #expect(lint(text) == expected) }

  @Test("fields of ctx are known in every function of the contract, and in no other")
  func context() {
    #expect(
      places(["agents/a.lua": "return { prompt = function(c) return c.user.nme end }"]) == [
        "agents/a.lua:1:45 P155"
      ])
    #expect(
      places(["agents/a.lua": "return { run = function(ctx) return ctx.call.key end }"]) == [
        "agents/a.lua:1:41 P155"
      ])
    #expect(
      places(["agents/a.lua": "return { run = function(ctx) return ctx.input.anything.at.all end }"]) == [])
    #expect(
      places(["agents/a.lua": "return { run = function(ctx) return ctx.session.messages(3)[1].contnt end }"])
        == [])
    #expect(places(["agents/a.lua": "return { run = function(ctx) ctx = {} return ctx.what end }"]) == [])
    #expect(places(["lib/a.lua": "return { run = function(ctx) return ctx.what end }"]) == [])
    let named = "local function p(ctx) return ctx.usr.id end\nreturn { prompt = p }"
    #expect(places(["agents/a.lua": named]) == ["agents/a.lua:1:34 P155"])
    let moved = "local M = {}\nfunction M.prompt(ctx) return ctx.sesion.id end\nreturn M"
    #expect(places(["agents/a.lua": moved]) == ["agents/a.lua:2:35 P155"])
  }

  @Test("what host calls return has the fields of the stubs")
  func results() {
    #expect(lint("return function() return http.get('u').bdy end") == ["1:40 P155"])
    #expect(lint("return function() local r = http.get('u') return r.status, r.text end") == ["1:62 P155"])
    #expect(lint("return function() local r = http.get('u') r = {} return r.text end") == [])
    #expect(lint("return function() return db.query('select 1')[1].anything end") == [])
    #expect(lint("return function() return llm.chat{ messages = {} }.usage.input end") == [])
  }

  @Test("calls of the host while a script loads are found, through local functions, too")
  func loading() {
    #expect(lint("local id = uuid() return id") == ["1:12 P161"])
    #expect(lint("print('x') return {}") == ["1:1 P161"])
    #expect(lint("local function now() return time.now() end local t = now() return t") == ["1:29 P161"])
    #expect(lint("local function now() return time.now() end return now") == [])
    #expect(lint("local t = text.template('{a}', { a = 1 }) return json.encode({ t })") == [])
  }

  @Test("with an environment of its own, a file's globals are its own affair")
  func environment() {
    #expect(lint("local _ENV = { f = 1 } x = f return x") == [])
    #expect(lint("return function(_ENV) y = x end") == [])
  }
}
