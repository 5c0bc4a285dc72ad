// SPDX-License-Identifier: Apache-2.0
import Testing

/// Every library call that does much work pays for it, so that a budget stops it.
@Suite("charges of the C libraries")
struct CLibraryChargeTests {
  @Test(
    "a budget stops the call",
    arguments: [
      #"string.find(("a"):rep(28), ("a?"):rep(28) .. ("a"):rep(28) .. "b")"#,
      #"string.find(("x"):rep(100), ".-.-.-.-.-.-b")"#,
      #"string.find(("a"):rep(20000), ".-b")"#,
      #"string.match(("a"):rep(20000), "(.-)%1x")"#,
      #"string.gsub(("a"):rep(20000), "a*b", "")"#,
      #"for _ in string.gmatch(("a"):rep(20000), "a-b") do end"#,
      #"string.find(("("):rep(20000), "%b()")"#,
      #"local s = ("a"):rep(1000000) for _ = 1, 1000 do s:find("b", 1, true) end"#,
      #"local s = ("a"):rep(1000000) for _ = 1, 1000 do s:find("b.") end"#,
      #"table.move({}, 1, 500000000, 1, {})"#,
      #"table.insert(setmetatable({}, { __len = function() return 100000000 end }), 1, 5)"#,
      #"table.remove(setmetatable({}, { __len = function() return 100000000 end }), 1)"#,
      #"table.concat(setmetatable({}, { __len = function() return 100000000 end, __index = function() return "" end }))"#,
      #"""
      local zeros = setmetatable({}, { __len = function() return 100000000 end })
      table.sort(zeros, function() return false end)
      """#,
      #"local t = {} for i = 1, 10000 do t[i] = -i end for _ = 1, 100 do table.sort(t) end"#,
      #"local t = { table.unpack({}, 1, 100000) } for _ = 1, 100 do table.unpack(t, 1, 100000) end"#,
      #"for _ = 1, 1000 do string.rep("x", 1000000) end"#,
      #"local s = ("x"):rep(1000000) for _ = 1, 1000 do s:reverse() end"#,
      #"local s = ("x"):rep(1000000) for _ = 1, 1000 do s:upper() end"#,
      #"local s = ("x"):rep(1000000) for _ = 1, 1000 do s:sub(2) end"#,
      #"local s = ("x"):rep(1000000) for _ = 1, 1000 do string.format("%s", s) end"#,
      #"local s = ("x"):rep(1000000) for _ = 1, 1000 do string.pack(s) end"#,
      #"local s = ("a"):rep(1000000) for _ = 1, 1000 do utf8.len(s) end"#,
      #"local s = ("a"):rep(1000000) for _ = 1, 1000 do utf8.offset(s, 999999) end"#,
      #"local s, f = ("\x80"):rep(1000000), utf8.codes("a") for _ = 1, 1000 do f(s, 0) end"#,
      #"local s = "[" .. ("1,"):rep(100000) .. "1]" for _ = 1, 1000 do json.decode(s) end"#,
      #"local t = {} for i = 1, 100000 do t[i] = 1 end for _ = 1, 1000 do json.encode(t) end"#,
      #"local t = {} for _ = 1, 100 do t = { t, t } end json.encode(t)"#,
    ])
  func budgetStops(script: String) {
    let probe = LibraryProbe(script, budget: 2_000_000)
    #expect(!probe.succeeded)
    #expect(probe.text.hasSuffix("over budget"), "\(probe.text)")
  }

  @Test("repeating the empty text returns at once")
  func emptyRepetition() {
    let probe = LibraryProbe(#"return #string.rep("", 1e15) .. #string.rep("", 1e15, "")"#, budget: 100)
    #expect(probe.text == "00")
  }

  @Test(
    "a text longer than the limit is refused before it is built",
    arguments: [
      #"string.rep("x", 1 << 34)"#, #"string.rep("x", 17 << 20)"#,
      #"string.rep("x", 2, ("y"):rep(16 << 20))"#,
      #"local s = ("x"):rep(1 << 20) local t = {} for i = 1, 17 do t[i] = s end table.concat(t)"#,
      #"("x"):rep(1 << 12):gsub("x", ("y"):rep(1 << 13))"#,
    ])
  func tooLong(script: String) {
    let probe = LibraryProbe(script)
    #expect(probe.text.hasSuffix("resulting string too large"), "\(probe.text)")
  }

  @Test("a plain search pays for what it passes, not for the whole subject")
  func plainSearchFromAnOffset() {
    let probe = LibraryProbe(
      #"local s = ("line\n"):rep(20000) for i = 1, #s, 5 do assert(s:find("\n", i, true) == i + 4) end"#,
      budget: 500_000)
    #expect(probe.succeeded, "\(probe.text)")
  }
}
