// SPDX-License-Identifier: Apache-2.0
import LuaHost
import Testing

@Suite("Program")
struct ProgramTests {
  @Test("a syntax error tells message and line without the position in the text")
  func syntaxError() throws {
    let error = #expect(throws: ScriptError.self) { try compile("local x = 1\nlocal = 2") }
    #expect(error?.kind == .syntax)
    #expect(error?.message == "<name> expected near '='")
    #expect(error?.script == "agents/a.lua")
    #expect(error?.line == 2)
  }

  @Test("a long name is taken off the message all the same")
  func longName() throws {
    let name = "agents/" + String(repeating: "x", count: 80) + ".lua"
    let error = #expect(throws: ScriptError.self) { try Program.compile(name: name, source: Array("x".utf8)) }
    #expect(error?.message == "syntax error near <eof>")
    #expect(error?.line == 1)
  }

  @Test(
    "a script cannot close the function around it",
    arguments: [
      "end, function() return 1", "end return function()", "return 1 end local x = function() ", "]] end",
      "end --",
    ])
  func wrapper(source: String) {
    #expect(throws: ScriptError.self) { try compile(source) }
  }

  @Test(
    "what Lua allows around a script is allowed",
    arguments: [
      "", "-- only a comment", "return 1;", "#!/usr/bin/lua\nreturn 1", "\u{FEFF}return 1",
      "local a <const> = 1 return a",
      "return ...", "--[[ long ]]", "#only a shell line",
    ])
  func accepted(source: String) throws {
    _ = try compile(source)
  }

  @Test("bytecode and huge sources are refused")
  func refused() {
    #expect(throws: ScriptError.self) { try Program.compile(name: "x", source: [0x1B, 0x4C, 0x75, 0x61]) }
    #expect(throws: ScriptError.self) {
      try Program.compile(name: "x", source: Array(repeating: 0x20, count: Program.sourceBytesMax + 1))
    }
  }

  @Test("nesting that exhausts the compiler is a syntax error")
  func nesting() {
    for text in [("(", ")"), ("{", "}"), ("function() ", " end")] {
      let source = "return " + String(repeating: text.0, count: 5000) + String(repeating: text.1, count: 5000)
      #expect(throws: ScriptError.self) { try compile(source) }
    }
  }

  @Test("lines are counted from the first of the file")
  func lines() async throws {
    #expect(try await TestHost.failure("#!shell\n\nreturn function() error('here') end").line == 3)
  }

  private func compile(_ source: String) throws -> Program {
    try Program.compile(name: "agents/a.lua", source: Array(source.utf8))
  }
}
