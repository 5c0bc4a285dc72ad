// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Synchronization

/// An agent whose functions are Swift.
struct ScriptedAgent: Sendable {
  var agent: Agent
  var run: @Sendable (RunContext) async throws -> ScriptReply

  /// Answers by `body`.
  init(_ name: String, run: @escaping @Sendable (RunContext) async throws -> ScriptReply) {
    agent = Agent(name: name, file: "agents/\(name).lua", description: "Is \(name).", body: .run)
    self.run = run
  }

  /// Asks the model, which has the tool `add`.
  static let adder = ScriptedAgent(
    Agent(
      name: "adder", file: "agents/adder.lua", tools: .names(["add"]), body: .prompt(.constant("Add."))))

  init(_ agent: Agent) {
    self.agent = agent
    run = { _ in ScriptReply(text: "") }
  }

  static let echo = ScriptedAgent("echo") { context in
    let message = try context.input.value()["message"]?.string ?? ""
    return ScriptReply(text: "You said: \(message)", data: context.input)
  }

  /// Waits until it is cancelled.
  static func endless(started: Signal, cancelled: Signal) -> ScriptedAgent {
    ScriptedAgent("slow") { _ in
      started.send()
      do {
        try await Signal().wait()
      } catch {
        cancelled.send()
        throw error
      }
      return ScriptReply(text: "never")
    }
  }

  static func failing(_ failure: Failure) -> ScriptedAgent { ScriptedAgent("failing") { _ in throw failure } }
}

/// Scripts that are Swift closures, with one tool.
struct ScriptedHost: ScriptHost {
  let usage = ScriptUsage(cells: 2, runs: 3, memoryBytes: 4096)
  let version = "sha256:0123"
  let agents: [String: Agent]
  let tools: [String: Tool]
  let lifecycles: [String: AgentLifecycle]
  private let scripted: [String: ScriptedAgent]

  init(_ scripted: [ScriptedAgent]) {
    self.scripted = Dictionary(uniqueKeysWithValues: scripted.map { ($0.agent.name, $0) })
    agents = self.scripted.mapValues(\.agent)
    lifecycles = agents.mapValues { _ in
      let lifecycle = AgentLifecycle()
      for state in [AgentLifecycle.State.initializing, .validating, .validated, .ready] {
        try? lifecycle.move(to: state)
      }
      return lifecycle
    }
    tools = ["add": Tool(name: "add", file: "tools/add.lua", description: "Adds.", parameters: .empty)]
  }

  func open(
    _ context: RunContext, services: any RunServices, caller: (any ScriptRun)?, journal: Journal,
    prefix: String, within transaction: (any OpenTransaction)?
  ) async throws -> any ScriptRun {
    guard let agent = scripted[context.agent.name] else { throw Failure(.notFound, "no such agent") }
    return Script(agent: agent, context: context)
  }

  private struct Script: ScriptRun {
    let agent: ScriptedAgent
    let context: RunContext

    func guarded(_ value: RawJSON, at stage: GuardStage, key: String) async throws -> GuardVerdict {
      GuardVerdict()
    }
    func before(message: String) async throws -> String { message }
    func prompt() async throws -> String { "" }
    func tools(askedBy key: String?) async throws -> [String] { [] }
    func compact(_ passages: [FoldedPassage]) async throws -> String? { nil }
    func call(
      _ tool: Tool, arguments: RawJSON, call: ToolCallContext, within transaction: (any OpenTransaction)?
    ) async throws -> RawJSON {
      RawJSON(["sum": 3])
    }
    func check(_ tool: Tool, arguments: RawJSON, call: ToolCallContext) async throws -> RawJSON? { nil }
    func wantsApproval(
      _ tool: Tool, arguments: RawJSON, call: ToolCallContext
    ) async throws -> RawJSON { .null }
    func after(_ reply: ScriptReply) async throws -> ScriptReply { reply }
    func stub(message: String) async throws -> ScriptReply { ScriptReply(text: "stub") }
    func run() async throws -> ScriptReply { try await agent.run(context) }
    func call(_ function: StepFunction) async throws -> RawJSON { .null }
    func post(_ body: RawJSON, to url: String, key: String) async throws -> RawJSON { .null }
    func changedState() async throws -> RawJSON? { nil }
    func close() async {}
  }
}

/// Versions that a test puts into force by hand.
final class ScriptedVersions: ScriptVersions {
  private struct State {
    var deployment: Deployment
    var problems: [ScriptProblem] = []
    var watchers: [AsyncStream<Void>.Continuation] = []
  }

  private let state: Mutex<State>

  init(_ host: ScriptedHost) { state = Mutex(State(deployment: Deployment(active: host))) }

  var deployment: Deployment { state.withLock { $0.deployment } }
  var problems: [ScriptProblem] { state.withLock { $0.problems } }
  var usage: ScriptUsage { deployment.active.usage }

  func changes() -> AsyncStream<Void> {
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    state.withLock { $0.watchers.append(continuation) }
    return stream
  }

  func refuse(_ problems: ScriptProblem...) {
    let watchers = state.withLock { state in
      state.problems = problems
      return state.watchers
    }
    for watcher in watchers { watcher.yield() }
  }

  func host(ofVersion version: String) async throws -> any ScriptHost { deployment.active }

  func activate(_ name: String, canaryPercent: Int?, by actor: AuditEntry.Actor) async throws {
    throw ScriptsRefused(problems: problems)
  }
}

/// No model is configured.
struct SilentModel: Model {
  func isConfigured(for models: [String]) -> Bool { false }
  func respond(
    to request: ModelRequest, within deadline: Duration, onText: TextListener?
  ) async throws -> ModelReply {
    throw ModelError(.notConfigured, "no model")
  }
}

/// Is left alone at one provider, and works at another.
struct FailingModel: Model {
  func isConfigured(for models: [String]) -> Bool { true }
  let health = [
    ModelHealth(provider: "azure", model: "gpt", state: .open, retryAfterSeconds: 7.5),
    ModelHealth(provider: "openai", model: "mini", state: .probing),
    ModelHealth(provider: "openai", model: "gpt", state: .closed),
  ]
  func respond(
    to request: ModelRequest, within deadline: Duration, onText: TextListener?
  ) async throws -> ModelReply {
    throw ModelError(.unavailable, "left alone", retryAfterSeconds: 7.5)
  }
}

/// Calls `add` once, then answers.
struct AddingModel: Model {
  func isConfigured(for models: [String]) -> Bool { true }
  func respond(
    to request: ModelRequest, within deadline: Duration, onText: TextListener?
  ) async throws -> ModelReply {
    let usage = Usage(inputTokens: 10, outputTokens: 4, costUSD: 0.5)
    if case .tool = request.messages.last?.content {
      return ModelReply(model: "m", text: "It is 3.", finishReason: .stop, usage: usage)
    }
    return ModelReply(
      model: "m", text: "", calls: [ToolCallRequest(id: "call_1", name: "add", arguments: "{}")],
      finishReason: .toolCalls, usage: usage)
  }
}

/// Something that happens once, and can be waited for.
struct Signal: Sendable {
  private let stream: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  init() { (stream, continuation) = AsyncStream.makeStream() }

  func send() { continuation.finish() }

  /// - Throws: `CancellationError` when the task is cancelled before it happened.
  func wait() async throws {
    for await _ in stream {}
    try Task.checkCancellation()
  }
}
