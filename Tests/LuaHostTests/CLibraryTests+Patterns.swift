// SPDX-License-Identifier: Apache-2.0
import Testing

/// Compares the pattern functions with stock Lua's on generated cases.
@Suite("string patterns")
struct CLibraryPatternTests {
  @Test("patterns match, capture, replace and fail as stock Lua's do", arguments: 1...4)
  func agreeWithStock(seed: Int) {
    let probe = LibraryProbe("local SEED, COUNT = \(seed), 25000\n" + generator)
    #expect(probe.succeeded, "\(probe.text)")
  }

  @Test("every class holds the bytes that it holds in stock Lua")
  func classes() {
    let probe = LibraryProbe(
      #"""
      for letter = 0, 255 do
        for byte = 0, 255 do
          local subject = string.char(byte)
          for _, form in ipairs { "%%%s", "[%%%s]", "[^%%%s]" } do
            local pattern = form:gsub("%%s", function() return string.char(letter) end):gsub("%%%%", "%%")
            local own, stock_found = pcall(string.find, subject, pattern), pcall(stock.string.find, subject, pattern)
            assert(own == stock_found)
            if own then assert(string.find(subject, pattern) == stock.string.find(subject, pattern), pattern) end
          end
        end
      end
      """#)
    #expect(probe.succeeded, "\(probe.text)")
  }

  @Test("a function that gsub calls cannot yield")
  func yieldInReplacement() {
    let probe = LibraryProbe(
      #"""
      local co = coroutine.create(function() return ("a"):gsub("a", coroutine.yield) end)
      return select(2, coroutine.resume(co))
      """#)
    #expect(probe.text == "attempt to yield across a C-call boundary")
  }

  @Test("an iterator goes on in another coroutine than the one that made it")
  func iteratorAcrossCoroutines() {
    let probe = LibraryProbe(
      #"""
      local step = coroutine.wrap(function() return ("one two three"):gmatch("%a+") end)()
      local words = { step() }
      coroutine.wrap(function() words[2] = step() end)()
      collectgarbage()
      words[3] = step()
      return table.concat(words, ",")
      """#)
    #expect(probe.text == "one,two,three")
  }

  @Test("a pattern of ten thousand repeated items needs no recursion")
  func longPattern() {
    let probe = LibraryProbe(#"return #("a"):rep(5000):match("^" .. ("a?"):rep(10000) .. "$")"#)
    #expect(probe.text == "5000")
  }
}

/// Raises, seed and arguments included, on the first case whose outcome differs.
private let generator =
  #"""
  math.randomseed(SEED)
  local R, stock_string = math.random, stock.string
  local atoms = {
    "a", "b", "c", ".", "%a", "%d", "%s", "%w", "%p", "%A", "%S", "%x", "%l", "%u", "%c", "%g", "%z", "[ab]",
    "[^a]", "[a-c]", "[]]", "[^]]", "[%a_]", "[^%s]", "[a-]", "[%]]", "[a-%%]", "[a-%z]", "%%", "%.", "%-", "x",
    "\0", "$", "^", "-", "é", "[\128-\255]", "[%w-z]",
  }
  local repeats = { "", "", "", "*", "+", "-", "?" }
  local odd = {
    "%b()", "%bxx", "%bab", "%f[%w]", "%f[^a]", "%f[%z]", "%1", "%2", "%0", "%b(", "%f", "[", "[a", "[^", "%",
    "(", ")", "()", "[%", "%9", "%b", "[]", "[^]", "[a%",
  }
  local special = { "%1", "%2", "%b()", "%bxx", "%f[%w]", "%f[%a]", "%f[^a]" }
  local letters = {
    "a", "a", "b", "c", "x", "(", ")", " ", "1", "9", "_", ".", "-", "]", "[", "%", "\0", "\n", "é", "Z", "$",
    "^", "\255",
  }
  local templates = { "x", "", "%0", "%1", "<%0>", "%%", "%2", "%", "%a", "[%1%0]", "a%%%1", 7, 1.5 }

  local function one_of(list) return list[R(#list)] end

  local function make_pattern()
    local parts, open = {}, 0
    local function add(part) parts[#parts + 1] = part end
    if R(8) == 1 then add "^" end
    for _ = 1, R(0, 6) do
      local kind = R(20)
      if kind == 1 then
        add(one_of(odd))
      elseif kind == 2 then
        add "("
        open = open + 1
      elseif kind == 3 then
        add "()"
      elseif kind == 4 and open > 0 then
        add ")"
        open = open - 1
      elseif kind == 5 then
        add(one_of(special))
      else
        add(one_of(atoms) .. one_of(repeats))
      end
    end
    if R(10) > 1 then
      for _ = 1, open do add(")" .. (R(4) == 1 and one_of(atoms) or "")) end
    end
    if R(6) == 1 then add "$" end
    return stock.table.concat(parts)
  end

  local function make_subject()
    local parts = {}
    for i = 1, R(0, 14) do parts[i] = one_of(letters) end
    return stock.table.concat(parts)
  end

  local function show(...)
    local values = stock.table.pack(...)
    for i = 1, values.n do
      local value = values[i]
      local kind = math.type(value)
      values[i] = type(value) == "string" and stock_string.format("%q", value)
        or kind and kind .. " " .. value
        or tostring(value)
    end
    return stock.table.concat(values, ", ")
  end

  local function make_replacement()
    local kind = R(8)
    if kind == 1 then return { a = "A", b = false, x = 3, ["1"] = "one" } end
    if kind == 2 then return function(a, b) return show(a, b) end end
    if kind == 3 then return function(_, b) return b end end
    if kind == 4 then return ({ true, nil, function() return {} end, { a = {} } })[R(4)] end
    return one_of(templates)
  end

  local function all_matches(library, subject, pattern, init)
    local found = {}
    for a, b, c in library.gmatch(subject, pattern, init) do
      found[#found + 1] = show(a, b, c)
      if #found > 40 then break end
    end
    return stock.table.concat(found, "; ")
  end

  local calls = {
    find = function(library, ...) return library.find(...) end,
    match = function(library, ...) return library.match(...) end,
    plain = function(library, subject, text, init) return library.find(subject, text, init, true) end,
    gmatch = all_matches,
    gsub = function(library, ...) return library.gsub(...) end,
  }
  local names = { "find", "match", "plain", "gmatch", "gsub", "gsub" }

  for _ = 1, COUNT do
    local name = one_of(names)
    local arguments = { make_subject(), make_pattern(), R(4) == 1 and R(-16, 16) or nil }
    if name == "gsub" then
      arguments[3] = make_replacement()
      arguments[4] = R(5) == 1 and R(-1, 4) or nil
    end
    local function outcome(library)
      return show(pcall(calls[name], library, stock.table.unpack(arguments, 1, 4)))
    end
    local expected, got = outcome(stock_string), outcome(string)
    if expected ~= got then
      error(stock_string.format("seed %d: %s(%s)\n stock %s\n own   %s", SEED, name,
        show(stock.table.unpack(arguments, 1, 4)), expected, got), 0)
    end
  end
  return "ok"
  """#
