// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// One version of a workspace's scripts, loaded and ready to run.
public protocol ScriptHost: Sendable {
  /// `sha256:` and the hash of all files.
  var version: String { get }
  var agents: [String: Agent] { get }
  var tools: [String: Tool] { get }
  var usage: ScriptUsage { get }
  /// Of its agents, by their names.
  var lifecycles: [String: AgentLifecycle] { get }

  /// Makes the place in which one run's functions run; nothing of the script is evaluated yet.
  ///
  /// - Parameters:
  ///   - caller: The run whose script called this agent: both use up one budget of processor time.
  ///   - journal: Keeps what the script's host calls do and see.
  ///   - prefix: Before the keys of this run's entries.
  ///   - transaction: In which the run was called: what it does in the workspace's database, it does there.
  func open(
    _ context: RunContext, services: any RunServices, caller: (any ScriptRun)?, journal: Journal,
    prefix: String, within transaction: (any OpenTransaction)?
  ) async throws -> any ScriptRun
}

/// What the scripts of one version take up.
public struct ScriptUsage: Sendable, Hashable {
  public var cells: Int
  public var runs: Int
  public var memoryBytes: Int

  public init(cells: Int = 0, runs: Int = 0, memoryBytes: Int = 0) {
    self.cells = cells
    self.runs = runs
    self.memoryBytes = memoryBytes
  }
}

/// What a script may know of its run (`ctx`).
public struct RunContext: Sendable {
  public var runID: String
  public var agent: Agent
  /// The agent's own, or what is left of its caller's.
  public var limits: RunLimits
  public var user: Principal
  public var sessionID: String
  /// The session's state as it was stored, a JSON object.
  public var state: RawJSON
  /// What the caller sent as `input`, with the message: a JSON object.
  public var input: RawJSON
  /// Messages before this one, oldest first.
  public var history: [Message]
  /// `nil` where no traces are kept.
  public var trace: TracedRun?

  public init(
    runID: String, agent: Agent, user: Principal, sessionID: String, state: RawJSON, input: RawJSON,
    history: [Message]
  ) {
    self.runID = runID
    self.agent = agent
    limits = agent.limits
    self.user = user
    self.sessionID = sessionID
    self.state = state
    self.input = input
    self.history = history
  }
}

/// The functions of one run's scripts.
///
/// Each throws ``Failure`` (what the script raised, or a limit) or `CancellationError`. A run is closed exactly once,
/// after its last call has returned.
public protocol ScriptRun: Sendable {
  /// What the agent's own guards of a stage make of a value: of each text in it.
  ///
  /// - Parameter key: Of the decision in the journal, before those of what the guards do.
  func guarded(_ value: RawJSON, at stage: GuardStage, key: String) async throws -> GuardVerdict
  /// The message that goes on; throws `rejected` when the script called `reject`.
  func before(message: String) async throws -> String
  func prompt() async throws -> String
  /// The names that `tools = function(ctx)` chose.
  ///
  /// - Parameter key: Of the call that asks, in the journal; `nil` = the turn itself does.
  func tools(askedBy key: String?) async throws -> [String]
  /// The script's summary of what no longer fits, oldest first; `nil` = none.
  func compact(_ passages: [FoldedPassage]) async throws -> String?
  /// - Parameter transaction: In which the tool is called; `nil` = the one in which the run was, if any.
  func call(
    _ tool: Tool, arguments: RawJSON, call: ToolCallContext, within transaction: (any OpenTransaction)?
  ) async throws -> RawJSON
  /// Asks the tool's `unknown` function what became of a call; `nil` = nothing, so that it is made again.
  func check(_ tool: Tool, arguments: RawJSON, call: ToolCallContext) async throws -> RawJSON?
  /// Asks the tool's `approve` function whether a person must agree: `null` or `false`, or how to ask.
  func wantsApproval(_ tool: Tool, arguments: RawJSON, call: ToolCallContext) async throws -> RawJSON
  func after(_ reply: ScriptReply) async throws -> ScriptReply
  func stub(message: String) async throws -> ScriptReply
  func run() async throws -> ScriptReply
  /// Calls a function of a step or a state.
  func call(_ function: StepFunction) async throws -> RawJSON
  /// POSTs JSON where the agent's access allows it.
  ///
  /// - Parameter key: Tells whoever gets it whether it came before.
  /// - Returns: `status` and `body`.
  /// - Throws: ``Failure``, also for every answer that is not 200 to 299.
  func post(_ body: RawJSON, to url: String, key: String) async throws -> RawJSON
  /// The session's state as the script left it; `nil` = unchanged.
  func changedState() async throws -> RawJSON?
  func close() async
}

public struct ToolCallContext: Sendable, Hashable {
  public var id: String
  /// Idempotency key: the same on every attempt.
  public var key: String
  /// Before the keys of what happens in this attempt.
  public var place: String
  /// 1 for the first.
  public var attempt: Int

  public init(id: String, key: String, place: String, attempt: Int) {
    self.id = id
    self.key = key
    self.place = place
    self.attempt = attempt
  }
}

/// An answer as scripts see and make it.
public struct ScriptReply: Sendable, Hashable {
  public var text: String
  public var data: RawJSON?
  public var calls: [ToolCall]
  /// Of an agent that another one called: its stub answered, or that of one that it called.
  public var usingStub = false

  public init(text: String, data: RawJSON? = nil, calls: [ToolCall] = []) {
    self.text = text
    self.data = data
    self.calls = calls
  }
}

/// A complaint about the script that made a call, not about what it called nor about its own caller.
public struct Misuse: Error {
  public let failure: Failure
}

/// What a script's host calls ask of the run that they belong to.
///
/// Each is told the journal's key of the host call that asks, and throws ``Failure``, ``Misuse`` or `CancellationError`.
public protocol RunServices: Sendable {
  /// `tools.call`: a tool that the agent lists, validated and recorded as the model's calls are.
  func callTool(
    name: String, arguments: JSON, key: String, within transaction: (any OpenTransaction)?
  ) async throws -> RawJSON
  /// `agents.run`: another agent, in a run of its own.
  func runAgent(
    name: String, input: JSON, key: String, within transaction: (any OpenTransaction)?
  ) async throws -> ScriptReply
  /// `llm.chat` and `llm.stream`: a model, on this run's budget.
  ///
  /// - Parameter onText: Gets pieces of the answer; the provider is not read on while it waits.
  func chat(_ request: ModelRequest, key: String, onText: TextListener?) async throws -> ModelReply
  /// `approval.request`: a person's answer, as ``Approval/answer(_:)`` writes it.
  func ask(_ question: Approval.Question, timeout: Duration?, key: String) async throws -> JSON
  /// `time.sleep`, on the script's clock.
  func sleep(for duration: Duration, on clock: any TimeSource, key: String) async throws
  /// What became of a host call that nobody saw the end of, as a person says; `nil` = it is made again.
  func askWhetherDone(_ begun: JournalEntry, arguments: RawJSON?) async throws -> RawJSON?
  /// `llm.embed`: vectors of texts, on this run's budget.
  func embed(_ request: EmbeddingRequest, key: String) async throws -> EmbeddingReply
}

// MARK: In the journal

extension ScriptReply {
  /// Text and data; the calls are in the journal themselves.
  var json: RawJSON {
    var writer = JSONWriter(reservingCapacity: text.utf8.count + 32)
    writer.object {
      $0.member("text", text)
      if let data { $0.member("data", data) }
      if usingStub { $0.member("using_stub", true) }
    }
    return writer.raw
  }

  init(json: JSON) {
    self.init(text: json["text"]?.string ?? "", data: json["data"].map { RawJSON($0) })
    usingStub = json["using_stub"]?.bool ?? false
  }
}
