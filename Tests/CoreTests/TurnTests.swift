// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Testing

@testable import Core

@Suite("Turn")
struct TurnTests {
  private static func agent(
    name: String = "todo", body: Agent.Body = .prompt(.constant("Be kind.")), hooks: Agent.Hooks = [],
    output: Schema? = nil, limits: RunLimits = RunLimits()
  ) -> Agent {
    Agent(
      name: name, file: "agents/todo.lua", tools: .names(["add"]), body: body, hooks: hooks, output: output,
      limits: limits)
  }

  private static func turn(_ agent: Agent = agent(), message: String = "hi", history: [Message] = []) -> Turn
  {
    Turn(agent: agent, limits: agent.limits, message: message, history: history)
  }

  private static let tool = Tool(
    name: "add", file: "tools/todos.lua", description: "Adds.",
    parameters: try! Schema(["title": ["type": "string"], "count": ["type": "integer", "default": 1]]))

  private struct Host: ScriptHost {
    let usage = ScriptUsage()
    let lifecycles: [String: AgentLifecycle] = [:]
    var version: String { "sha256:0" }
    var agents: [String: Agent] { ["market.title": TurnTests.agent(name: "market.title")] }
    var tools: [String: Tool] { ["add": TurnTests.tool] }
    func open(
      _ context: RunContext, services: any RunServices, caller: (any ScriptRun)?, journal: Journal,
      prefix: String, within transaction: (any OpenTransaction)?
    ) async throws -> any ScriptRun {
      throw CancellationError()
    }
  }

  private static func prepared(_ agent: Agent = agent(), history: [Message] = []) throws -> (
    Turn, [ModelMessage]
  ) {
    var turn = Self.turn(agent, history: history)
    let toolbox = try Toolbox(names: ["add"], delegates: ["market.title"], host: Host())
    guard case .callModel(let messages) = try turn.prepared(prompt: "Be kind.", toolbox: toolbox) else {
      throw Unexpected()
    }
    return (turn, messages)
  }

  private struct Unexpected: Error {}

  private static func asking(_ calls: (String, String)...) -> ModelReply {
    ModelReply(
      model: "m", text: "",
      calls: calls.enumerated().map { ToolCallRequest(id: "c\($0)", name: $1.0, arguments: $1.1) },
      finishReason: .toolCalls, usage: Usage(inputTokens: 10, outputTokens: 5))
  }

  private static func done(_ plan: [Turn.PlannedCall]) -> [ToolCall] {
    plan.map {
      let outcome: ToolCall.Outcome =
        if case .refuse(let failure) = $0.plan { .failed(failure) } else { .result(.emptyObject) }
      return ToolCall(
        id: $0.request.id, name: $0.request.name, arguments: .emptyObject, outcome: outcome,
        startedAt: Timestamp(milliseconds: 0), durationMilliseconds: 1)
    }
  }

  private static func plan(_ action: Turn.Action) throws -> [Turn.PlannedCall] {
    guard case .callTools(let plan) = action else { throw Unexpected() }
    return plan
  }

  private static func ending(_ action: Turn.Action) throws -> Turn.Ending {
    guard case .finish(let ending) = action else { throw Unexpected() }
    return ending
  }

  @Test("a turn with an input guard begins with it, and goes on with what it returns")
  func beginsWithBefore() throws {
    var turn = Self.turn(Self.agent(hooks: .before))
    guard case .before("hi") = turn.start() else { throw Unexpected() }
    guard case .prepare = turn.accepted("hello") else { throw Unexpected() }
    #expect(turn.message == "hello")
  }

  @Test("the model sees the prompt, whole earlier turns and the message")
  func buildsConversation() throws {
    let time = Timestamp(milliseconds: 0)
    let call = ToolCall(
      id: "c", name: "add", arguments: .emptyObject, outcome: .failed(Failure(.timeout, "slow")),
      startedAt: time,
      durationMilliseconds: 1)
    let history = [
      Message(id: "1", runID: "r", role: .user, text: "add", createdAt: time),
      Message(
        id: "2", runID: "r", role: .assistant, text: "", steps: [TurnStep(text: "", calls: [call])],
        failure: .upstream, createdAt: time),
    ]
    let (_, messages) = try Self.prepared(history: history)
    #expect(
      messages == [
        .system("Be kind."), .user("add"),
        .assistant(nil, calls: [ToolCallRequest(id: "c", name: "add", arguments: "{}")]),
        .tool(callID: "c", name: "add", content: Failure(.timeout, "slow").modelText),
        .assistant("(This turn ended without an answer: upstream.)", calls: []),
        .user("hi"),
      ])
  }

  @Test("calls go out validated and with their defaults, and their results go back")
  func runsTools() throws {
    var (turn, _) = try Self.prepared()
    let plan = try Self.plan(try turn.replied(Self.asking(("add", #"{"title":"milk"}"#))))
    guard case .execute(let arguments) = plan[0].plan else { throw Unexpected() }
    #expect(arguments == ["title": "milk", "count": 1])
    guard case .callModel(let messages) = try turn.ran(Self.done(plan)) else { throw Unexpected() }
    #expect(messages.suffix(1) == [.tool(callID: "c0", name: "add", content: "{}")])
    let ending = try Self.ending(try turn.replied(ModelReply(model: "m", text: "ok", finishReason: .stop)))
    #expect(ending.reply.text == "ok")
    #expect(ending.reply.calls.count == 1)
    #expect(ending.finishReason == .stop)
    #expect(turn.usage.inputTokens == 10)
  }

  @Test("an unknown tool is answered with the names that exist")
  func refusesUnknownTool() throws {
    var (turn, _) = try Self.prepared()
    let plan = try Self.plan(try turn.replied(Self.asking(("ad", "{}"))))
    guard case .refuse(let failure) = plan[0].plan else { throw Unexpected() }
    #expect(failure.code == .notFound)
    #expect(failure.message.contains("add, agent_market_title"))
  }

  @Test(
    "arguments that do not fit are answered with what is wrong",
    arguments: ["{", #"{"title":1}"#, "{}", #"{"title":"a","titel":"b"}"#, "[]x"])
  func refusesArguments(arguments: String) throws {
    var (turn, _) = try Self.prepared()
    let plan = try Self.plan(try turn.replied(Self.asking(("add", arguments))))
    guard case .refuse(let failure) = plan[0].plan else { throw Unexpected() }
    #expect(failure.code == .invalidArguments)
  }

  @Test("the same call again is made twice, refused once, and then ends the turn")
  func stopsRepetition() throws {
    var (turn, _) = try Self.prepared()
    // Other white space and an explicit default are the same call.
    let texts = [#"{"title":"a"}"#, #"{ "title" : "a" }"#, #"{"count":1,"title":"a"}"#, #"{"title":"a"}"#]
    for (index, text) in texts.enumerated() {
      let action = try turn.replied(Self.asking(("add", text)))
      if index == 3 {
        #expect(try Self.ending(action).finishReason == .repeatedCall)
        continue
      }
      let plan = try Self.plan(action)
      if case .refuse(let failure) = plan[0].plan {
        #expect(index == 2)
        #expect(failure.code == .conflict)
      } else {
        #expect(index < 2)
      }
      _ = try turn.ran(Self.done(plan))
    }
  }

  @Test("the limit of steps ends the turn and keeps its work")
  func stopsAtSteps() throws {
    var (turn, _) = try Self.prepared(Self.agent(limits: RunLimits(steps: 1)))
    let plan = try Self.plan(try turn.replied(Self.asking(("add", #"{"title":"a"}"#))))
    let ending = try Self.ending(try turn.ran(Self.done(plan)))
    #expect(ending.finishReason == .limit)
    #expect(ending.reply.calls.count == 1)
  }

  @Test(
    "a budget that is used up ends the turn and keeps its work",
    arguments: [
      (Budget.Exhausted(level: .run), "limit"),
      (Budget.Exhausted(level: .run, isPriceUnknown: true), "models.prices"),
      (Budget.Exhausted(level: .session), "begin another one"),
      (Budget.Exhausted(level: .day(over: Timestamp(milliseconds: 9))), "this day"),
    ])
  func stopsAtBudget(exhausted: Budget.Exhausted, words: String) throws {
    var (turn, _) = try Self.prepared()
    let plan = try Self.plan(try turn.replied(Self.asking(("add", #"{"title":"a"}"#))))
    guard case .callModel = try turn.ran(Self.done(plan)) else { throw Unexpected() }
    let ending = try Self.ending(try turn.exhausted(exhausted, at: Timestamp(milliseconds: 0)))
    #expect(ending.finishReason == .limit)
    #expect(ending.reply.calls.count == 1)
    #expect(ending.reply.text.contains(words))
  }

  @Test("a turn that could not even begin for a session's or a day's budget fails")
  func failsAtSharedBudget() throws {
    for (level, code) in [
      (Budget.Level.session, Failure.Code.limit), (.day(over: Timestamp(milliseconds: 9)), .rateLimited),
    ] {
      var (turn, _) = try Self.prepared()
      let failure = #expect(throws: Failure.self) {
        try turn.exhausted(Budget.Exhausted(level: level), at: Timestamp(milliseconds: 0))
      }
      #expect(failure?.code == code)
    }
  }

  @Test("a provider that fails hands over to the stub, but not after tools have run")
  func fallsBackToStub() throws {
    let agent = Self.agent(hooks: .stub)
    var (turn, _) = try Self.prepared(agent)
    guard case .runStub = try turn.failed(by: ModelError(.server, "down")) else { throw Unexpected() }
    let ending = try Self.ending(try turn.answered(ScriptReply(text: "stub")))
    #expect(ending.usingStub)

    var (later, _) = try Self.prepared(agent)
    _ = try later.ran(Self.done(try Self.plan(try later.replied(Self.asking(("add", #"{"title":"a"}"#))))))
    let failure = #expect(throws: Failure.self) { try later.failed(by: ModelError(.timeout, "slow")) }
    #expect(failure?.code == .upstream)
    #expect(failure?.detail == ["kind": "timeout"])
    #expect(later.steps.count == 1)
  }

  @Test("tokens beyond reason are counted, not a crash")
  func saturatesUsage() {
    var usage = Usage(inputTokens: .max, outputTokens: .max)
    usage += Usage(inputTokens: .max, outputTokens: 1)
    #expect(usage.tokens == .max)
  }

  @Test("what a script answers must fit the output, too")
  func checksScriptData() throws {
    let agent = Self.agent(body: .run, output: try Schema(["title": "string"]))
    var turn = Self.turn(agent)
    let good = ScriptReply(text: "", data: RawJSON(["title": "a"]))
    #expect(try Self.ending(try turn.answered(good)).reply.data == good.data)
    for data in [nil, RawJSON(["title": 1])] {
      let failure = #expect(throws: Failure.self) { try turn.answered(ScriptReply(text: "", data: data)) }
      #expect(failure?.code == .internal)
    }
  }

  @Test("without a model and without a stub one plain sentence says so")
  func saysThatNoModelIsThere() throws {
    var turn = Self.turn()
    let ending = try Self.ending(try turn.modelIsMissing())
    #expect(ending.usingStub)
    #expect(ending.reply.text.contains("OPENAI_API_KEY"))
  }

  @Test("an unknown price makes the cost unknown, not zero")
  func keepsUnknownCost() {
    var usage = Usage(inputTokens: 1, outputTokens: 1, costUSD: 0.1)
    usage += Usage(inputTokens: 1, outputTokens: 1, costUSD: nil)
    #expect(usage.costUSD == nil)
    #expect(usage.tokens == 4)
  }
}

extension Turn {
  fileprivate mutating func failed(by error: ModelError) throws(Failure) -> Action {
    try modelFailed(error.kind, Failure(error), hasActed: false)
  }
}
