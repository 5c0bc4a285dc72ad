// SPDX-License-Identifier: Apache-2.0
import Lint
import Testing

@Suite struct ReturnedTableTests {
  private func parse(_ text: String) -> (table: ReturnedTable?, source: SourceText) {
    let source = SourceText(name: "a", text: text)
    return (ReturnedTable(ParsedFile(parsing: source).chunk), source)
  }

  private static let literal = """
    return {
      tools = { "list", "add" },
      list_todos = {
        parameters = { limit = { type = "integer" }, ["a b"] = 1, [3] = 2 },
        run = function(ctx)
          return 1
        end,
      },
    }
    """

  @Test(
    "a path is answered with its key, or its value",
    arguments: [
      (["tools"], "tools", #"{ "list", "add" }"#), (["tools", "2"], #""add""#, #""add""#),
      (["list_todos", "parameters", "limit"], "limit", #"{ type = "integer" }"#),
      (["list_todos", "parameters", "limit", "type"], "type", #""integer""#),
      (["list_todos", "parameters", "a b"], #""a b""#, "1"), (["list_todos", "parameters", "3"], "3", "2"),
    ])
  func paths(path: [String], key: String, value: String) throws {
    let (table, source) = parse(Self.literal)
    let found = try #require(table)
    #expect(source[found.position(of: path).range] == key)
    #expect(source[found.position(of: path, .value).range] == value)
    #expect(found.position(of: path).depth == path.count)
  }

  @Test("a path that leads nowhere is answered with its nearest ancestor")
  func ancestors() throws {
    let (table, source) = parse(Self.literal)
    let found = try #require(table)
    let place = found.position(of: ["list_todos", "parameters", "max", "type"])
    #expect(source[place.range] == "parameters")
    #expect(place.depth == 2)
    #expect(found.position(of: ["nothing"]).depth == 0)
    #expect(found.position(of: ["nothing"]).range.start.line == 1)
  }

  @Test("functions are known as such, with their line")
  func functions() throws {
    let found = try #require(parse(Self.literal).table)
    #expect(found.isFunction(["list_todos", "run"]))
    #expect(found.line(ofFunction: ["list_todos", "run"]) == 5)
    #expect(!found.isFunction(["tools"]))
    #expect(!found.isFunction(["list_todos", "walk"]))
    #expect(found.keys() == ["tools", "list_todos"])
    #expect(found.keys(at: ["tools"]) == ["1", "2"])
  }

  @Test("a table that statements fill is followed")
  func module() throws {
    let (table, source) = parse(
      """
      local limit = { type = "integer" }
      local function helper() end
      local M = { first = 1, sub = {} }
      M.second = { limit = limit, run = helper }
      M.sub.deep = { x = 1 }
      function M.third(a) end
      function M:fourth() end
      M["fifth"] = 5
      M.first = 2
      return M
      """)
    let found = try #require(table)
    #expect(found.keys() == ["first", "sub", "second", "third", "fourth", "fifth"])
    #expect(found.position(of: ["second"]).range.start.line == 4)
    #expect(source[found.position(of: ["second", "limit", "type"], .value).range] == "\"integer\"")
    #expect(source[found.position(of: ["sub", "deep", "x"]).range] == "x")
    #expect(found.position(of: ["first"]).range.start.line == 9)
    #expect(["third", "fourth"].allSatisfy { found.isFunction([$0]) })
    #expect(found.line(ofFunction: ["second", "run"]) == 2)
    #expect(source[found.position(of: ["fifth"]).range] == "\"fifth\"")
  }

  @Test(
    "what the text does not show is no table",
    arguments: ["return f()", "x = 1", "return", "local a = b return a"])
  func unknown(text: String) {
    #expect(parse(text).table == nil)
  }

  @Test("names that go in a circle end")
  func circle() {
    #expect(parse("local a\nlocal b = a\na = b\nreturn { x = a, y = b }").table?.isFunction(["x"]) == false)
    #expect(parse("local a = {}\na.x = a\nreturn a").table?.position(of: ["x", "x", "x"]).depth == 3)
  }
}
