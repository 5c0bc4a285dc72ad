// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import TestSupport
import Testing

@Suite("compact as a function")
struct CompactTests {
  private static func files(_ compact: String) -> [String: String] {
    [
      "agents/a.lua": """
      return { prompt = "p", history = 2, tools = { "look" }, compact = function(ctx, messages)
      \(compact)
      end }
      """,
      "tools/t.lua": """
      return { look = { description = "d", parameters = { at = "string?" }, run = function() return { n = 1 } end } }
      """,
    ]
  }

  private static func contents(_ request: ScriptedProvider.Request) -> [String] {
    (request.json["messages"]?.array ?? []).map { $0["content"]?.string ?? "-" }
  }

  @Test("what it returns stands in place of the turns that no longer fit, and goes into the next one")
  func summary() async throws {
    let provider = try ScriptedProvider(
      .toolCalls([("c", "look", "{}")]), .completion("one"), .completion("two"), .completion("three"),
      .completion("four"))
    let compact = """
      local lines = {}
      for _, m in ipairs(messages) do lines[#lines + 1] = m.role .. ":" .. m.text end
      return ctx.session.id .. "<" .. table.concat(lines, ";") .. ">"
      """
    try await TestWorkspace.with(Self.files(compact), provider: provider.baseURL) { workspace in
      for message in ["1", "2", "3", "4", "5"] { _ = try await workspace.chat("a", message, session: "s") }
    }
    let asked = provider.requests.map(Self.contents)
    let first = #"s<user:1;tool:look {} -> {"n":1};assistant:one;user:2;assistant:two>"#
    let head = "What was said before, in short:\n"
    #expect(asked[2] == ["p", "1", "-", #"{"n":1}"#, "one", "2"])
    #expect(asked[3] == ["p", head + first, "3"])
    #expect(asked[4] == ["p", head + first, "3", "three", "4"])
    #expect(
      asked[5] == ["p", head + "s<summary:\(first);user:3;assistant:three;user:4;assistant:four>", "5"])
  }

  @Test("nil leaves the turns out; an error is the turn's error")
  func others() async throws {
    let provider = try ScriptedProvider(.completion("ok"))
    try await TestWorkspace.with(Self.files("return nil"), provider: provider.baseURL) { workspace in
      for message in ["1", "2", "3"] { _ = try await workspace.chat("a", message, session: "s") }
      let last = try #require(provider.requests.last.map(Self.contents))
      #expect(last == ["p", "2", "ok", "3"], "\(last)")
    }
    for (body, words) in [
      ("error('boom')", "boom"), ("return 7", "compact must return a string, not number"),
    ] {
      try await TestWorkspace.with(Self.files(body), provider: provider.baseURL) { workspace in
        var failure: Failure?
        for message in ["1", "2", "3"] {
          do { _ = try await workspace.chat("a", message, session: "s") } catch {
            failure = error as? Failure
          }
        }
        #expect(failure?.code == .internal)
        let told = "\(failure?.message ?? "") \(failure?.diagnostic ?? "")"
        #expect(told.contains(words), "\(told)")
      }
    }
  }
}
