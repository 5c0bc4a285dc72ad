// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// One version of a workspace's scripts, loaded and ready to run.
public protocol ScriptHost: Sendable {
  /// `sha256:` and the hash of all files.
  var version: String { get }
  var agents: [String: Agent] { get }
  var tools: [String: Tool] { get }
  var usage: ScriptUsage { get }

  /// Makes the place in which one run's functions run; nothing of the script is evaluated yet.
  ///
  /// - Parameter caller: The run whose script called this agent: both use up one budget of processor time.
  func open(
    _ context: RunContext, services: any RunServices, caller: (any ScriptRun)?
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
  /// The message that goes on; throws `rejected` when the script called `reject`.
  func before(message: String) async throws -> String
  func prompt() async throws -> String
  /// The names that `tools = function(ctx)` chose.
  func tools() async throws -> [String]
  /// The script's summary of what no longer fits, oldest first; `nil` = none.
  func compact(_ passages: [FoldedPassage]) async throws -> String?
  func call(_ tool: Tool, arguments: RawJSON, call: ToolCallContext) async throws -> RawJSON
  func after(_ reply: ScriptReply) async throws -> ScriptReply
  func stub(message: String) async throws -> ScriptReply
  func run() async throws -> ScriptReply
  /// The session's state as the script left it; `nil` = unchanged.
  func changedState() async throws -> RawJSON?
  func close() async
}

public struct ToolCallContext: Sendable, Hashable {
  public var id: String
  /// Idempotency key: the same on every attempt.
  public var key: String
  /// 1 for the first.
  public var attempt: Int

  public init(id: String, key: String, attempt: Int) {
    self.id = id
    self.key = key
    self.attempt = attempt
  }
}

/// An answer as scripts see and make it.
public struct ScriptReply: Sendable, Hashable {
  public var text: String
  public var data: RawJSON?
  public var calls: [ToolCall]

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
/// Each throws ``Failure``, ``Misuse`` or `CancellationError`.
public protocol RunServices: Sendable {
  /// `tools.call`: a tool that the agent lists, validated and recorded as the model's calls are.
  func callTool(name: String, arguments: JSON) async throws -> RawJSON
  /// `agents.run`: another agent, in a run of its own.
  func runAgent(name: String, input: JSON) async throws -> ScriptReply
  /// `llm.chat` and `llm.stream`: a model, on this run's budget.
  ///
  /// - Parameter onText: Gets pieces of the answer; the provider is not read on while it waits.
  func chat(
    _ request: ModelRequest, onText: TextListener?
  ) async throws -> ModelReply
  /// `llm.embed`: vectors of texts, on this run's budget.
  func embed(_ request: EmbeddingRequest) async throws -> EmbeddingReply
}
