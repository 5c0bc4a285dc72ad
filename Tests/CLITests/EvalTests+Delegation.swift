// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// Cases about agents that call others.
extension EvalTests {
  private static let delegating = [
    // A model that delegates, a script that does, and one in between.
    "agents/front.lua": "return { prompt = \"Delegate.\", agents = { \"middle\" } }",
    "agents/scripted.lua":
      "return { run = function(_, input) return agents.run(\"middle\", input.message).text end }",
    "agents/middle.lua": """
    return { tools = { "note" }, run = function(_, input)
      tools.call("note", { text = "on the way" })
      if input.message == "break" then
        agents.run("clerk", input.message)
        error("the pen broke")
      end
      return agents.run("clerk", input.message)
    end }
    """,
    "agents/clerk.lua": """
    return { tools = { "note" }, run = function(_, input)
      pcall(tools.call, "note", { text = "" })
      return "Noted " .. tools.call("note", { text = input.message }).text
    end }
    """,
    "tools/notes.lua": """
    return { note = { description = "Notes.", parameters = { text = { type = "string", minLength = 1 } },
      run = function(_, args) return { text = args.text } end } }
    """,
  ]

  @Test("calls of agents that are called count, however deep, and of turns that fail; each turn has its own")
  func delegation() async throws {
    let folder = try Folder(Self.delegating)
    let provider = try ScriptedProvider { request in
      let last = request.json["messages"]?.array?.last
      if last?["role"] == "tool" { return .completion("Done.") }
      return .toolCalls([("c1", "agent_middle", #"{"message":"milk"}"#)])
    }
    let cases = """
      return {
        { name = "model", agent = "front", turns = { { user = "milk", expect = {
          { tool_called = { name = "note", arguments = { text = "milk" } } }, { tool_called = "agent_middle" },
        } } } },
        { name = "script", agent = "scripted", turns = {
          { user = "milk", expect = { tool_called = { name = "note", arguments = { text = "milk" } }, check = function(reply)
            local by = {}
            for _, call in ipairs(reply.tool_calls) do by[#by + 1] = call.agent .. ":" .. call.arguments.text end
            return table.concat(by, " ") == "middle:on the way clerk:milk", table.concat(by, " ")
          end } },
          { user = "salt", expect = { tool_called = { name = "note", arguments = { text = "milk" } } } },
          { user = "break", expect = { error = "internal", tool_called = { name = "note", arguments = { text = "break" } } } },
          { user = "tea", expect = { not_called = "note" } },
        } },
      }
      """
    let outcome = try await eval(
      ["d.lua": cases], ["--live"], environment: ["OPENAI_BASE_URL": provider.baseURL], in: folder)
    #expect(outcome.status == 1)
    #expect(outcome.output.contains(#/model +1 +ok/#), "\(outcome.output)")
    // Two of four: the salt is no milk, and the tea was noted.
    #expect(outcome.output.components(separatedBy: "    tools: ").count == 3, "\(outcome.output)")
    for line in [
      #"text: expected "milk", got "on the way""#,
      #"tools: middle: note {"text":"on the way"}, clerk: note {"text":"salt"}"#,
      "expected: no call of note", #"tools: middle: note {"text":"on the way"}, clerk: note {"text":"tea"}"#,
    ] { #expect(outcome.output.contains(line), "\(line)\n\(outcome.output)") }
    let json = try JSON(
      parsing: try await eval(
        [:], ["--live", "--json"], environment: ["OPENAI_BASE_URL": provider.baseURL], in: folder
      ).output)
    let turns = json["cases"]?.array?.last?["turns"]?.array ?? []
    #expect(
      turns.map { $0["reply"]?["tool_calls"]?.array?.map { $0["agent"]?.string } }
        == Array(repeating: ["middle", "clerk"], count: 4))
  }
}
