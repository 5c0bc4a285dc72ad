// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Testing

@testable import Core

@Suite("CallerConversation")
struct CallerConversationTests {
  private static let look = ToolDescription(name: "look", description: "", schema: .emptyObject)

  private struct Host: ScriptHost {
    let usage = ScriptUsage()
    let lifecycles: [String: AgentLifecycle] = [:]
    var version: String { "sha256:0" }
    var agents: [String: Agent] { [:] }
    var tools: [String: Tool] {
      ["add": Tool(name: "add", file: "tools/add.lua", description: "Adds.", parameters: .empty)]
    }
    func open(
      _ context: RunContext, services: any RunServices, caller: (any ScriptRun)?, journal: Journal,
      prefix: String, within transaction: (any OpenTransaction)?
    ) async throws -> any ScriptRun {
      throw CancellationError()
    }
  }

  private struct Unexpected: Error {}

  /// A turn whose model has been called.
  private static func asked(
    _ callers: CallerConversation, hooks: Agent.Hooks = [], output: Schema? = nil
  ) throws -> (Turn, [ModelMessage]) {
    let agent = Agent(
      name: "a", file: "agents/a.lua", body: .prompt(.constant("p")), hooks: hooks, output: output)
    var turn = Turn(agent: agent, limits: agent.limits, message: "now", history: [], callers: callers)
    var toolbox = try Toolbox(names: ["add"], delegates: [], host: Host())
    try toolbox.add(callers.tools)
    guard case .callModel(let messages) = try turn.prepared(prompt: "p", toolbox: toolbox) else {
      throw Unexpected()
    }
    return (turn, messages)
  }

  private static func calling(_ names: String..., saying text: String = "") -> ModelReply {
    ModelReply(
      model: "m", text: text,
      calls: names.enumerated().map { ToolCallRequest(id: "c\($0)", name: $1, arguments: "{}") },
      finishReason: .toolCalls)
  }

  private static func ending(_ action: Turn.Action) throws -> Turn.Ending {
    guard case .finish(let ending) = action else { throw Unexpected() }
    return ending
  }

  @Test("the message stands between what came before it and what came after")
  func order() throws {
    let call = ToolCallRequest(id: "c", name: "look", arguments: "{}")
    let after: [ModelMessage] = [
      .assistant(nil, calls: [call]), .tool(callID: "c", name: "look", content: "x"),
    ]
    let (_, messages) = try Self.asked(
      CallerConversation(before: [.system("s"), .user("then")], after: after))
    #expect(messages == [.system("p"), .system("s"), .user("then"), .user("now")] + after)
  }

  @Test("a call of the caller's tool ends the turn, unless the answer calls a tool of the agent's too")
  func handsOut() throws {
    var (turn, _) = try Self.asked(CallerConversation(tools: [Self.look]))
    let ending = try Self.ending(try turn.replied(Self.calling("look", "look", saying: "Wait.")))
    #expect(ending.finishReason == .toolCalls && ending.reply.text == "Wait.")
    #expect(ending.handedOut.map(\.id) == ["c0", "c1"] && ending.reply.calls.isEmpty)

    (turn, _) = try Self.asked(CallerConversation(tools: [Self.look]))
    guard case .callTools(let plan) = try turn.replied(Self.calling("look", "add")) else {
      throw Unexpected()
    }
    #expect(plan.map(\.request.name) == ["add"])
    let made = ToolCall(
      id: "c1", name: "add", arguments: .emptyObject, outcome: .result(.null),
      startedAt: Timestamp(milliseconds: 0), durationMilliseconds: 1)
    let later = try Self.ending(try turn.ran([made]))
    #expect(later.handedOut.map(\.id) == ["c0"] && later.reply.calls.map(\.id) == ["c1"])
    #expect(turn.steps.count == 1)
  }

  @Test("words beside a call are not shown where something has to agree to them first")
  func guarded() throws {
    let output = try Schema(["a": "string"])
    let cases: [(CallerConversation, Agent.Hooks, Schema?)] = [
      (CallerConversation(tools: [Self.look]), .after, nil),
      (CallerConversation(tools: [Self.look]), [], output),
      (CallerConversation(tools: [Self.look], output: .anyObject), [], nil),
    ]
    for (callers, hooks, own) in cases {
      var (turn, _) = try Self.asked(callers, hooks: hooks, output: own)
      #expect(!turn.showsTextAtOnce)
      let ending = try Self.ending(try turn.replied(Self.calling("look", saying: "secret")))
      #expect(ending.reply.text.isEmpty && ending.finishReason == .toolCalls)
    }
  }

  @Test("the caller's format holds where the agent has no output")
  func format() throws {
    let wanted = Schema(
      passingOn: JSONObject([("type", "object"), ("required", ["a"])]), isStrict: true)
    var (turn, _) = try Self.asked(CallerConversation(output: wanted))
    #expect(turn.output == wanted)
    let reply = ModelReply(model: "m", text: #"{"a":1}"#, finishReason: .stop)
    #expect(try Self.ending(try turn.replied(reply)).reply.data == RawJSON(["a": 1]))
    (turn, _) = try Self.asked(CallerConversation(output: wanted))
    let misfit = ModelReply(model: "m", text: "{}", finishReason: .stop)
    guard case .callModel = try turn.replied(misfit) else { throw Unexpected() }
    #expect(throws: Failure.self) { _ = try turn.replied(misfit) }
    let own = try Schema(["b": "string"])
    #expect(try Self.asked(CallerConversation(output: wanted), output: own).0.output == own)
  }

  @Test("a tool of the caller's with the name of one of the agent's is refused")
  func names() throws {
    let callers = CallerConversation(
      tools: [ToolDescription(name: "add", description: "", schema: .emptyObject)])
    let failure = #expect(throws: Failure.self) { _ = try Self.asked(callers) }
    #expect(failure?.code == .invalidArguments)
  }
}
