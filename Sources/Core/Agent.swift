// SPDX-License-Identifier: Apache-2.0

/// An agent as its script defines it; functions stay in the script and are named here by a flag.
public final class Agent: Sendable {
  public enum Text: Sendable, Hashable {
    case constant(String)
    case function
  }

  public enum ToolSelection: Sendable, Hashable {
    case names([String])
    case function
  }

  /// What drives the run.
  public enum Body: Sendable, Hashable {
    /// The model, told what `prompt` says.
    case prompt(Text)
    /// The script's `run` function.
    case run
    case steps(Workflow)
    case states(StateMachine)

    /// The actions of a workflow that is data.
    public var tasks: [WorkflowTask] {
      switch self {
      case .prompt, .run: []
      case .steps(let workflow): workflow.tasks
      case .states(let machine): machine.tasks
      }
    }
  }

  /// What happens to a message that arrives while the session's last one is being answered.
  public enum BusyPolicy: String, Sendable, Hashable, CaseIterable {
    case queue, reject, interrupt
  }

  /// Who makes a summary of what no longer fits.
  public enum Summarizer: Sendable, Hashable {
    case model, function
  }

  public struct Hooks: OptionSet, Sendable, Hashable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    public static let before = Hooks(rawValue: 1)
    public static let after = Hooks(rawValue: 2)
    public static let stub = Hooks(rawValue: 4)
    /// Functions among its guardrails.
    public static let inputGuards = Hooks(rawValue: 8)
    public static let outputGuards = Hooks(rawValue: 16)
    public static let toolGuards = Hooks(rawValue: 32)
  }

  /// Fits the smallest context windows in use, with room for tools and an answer.
  public static let historyTokensDefault = 16_000

  public let name: String
  /// Path in the workspace, `agents/market/title.lua`.
  public let file: String
  public let description: String
  /// Models in the order in which they are tried; empty = the configured default.
  public let models: [String]
  public let temperature: Double?
  /// Tokens that one answer of the model may have.
  public let tokensMax: Int?
  /// Past messages that the model sees.
  public let historyMessages: Int
  /// Tokens of them that the model sees at most, in whole turns.
  public let historyTokens: Int
  /// `nil` = what no longer fits is left out.
  public let summarizer: Summarizer?
  public let tools: ToolSelection
  public let agents: [String]
  public let body: Body
  public let hooks: Hooks
  /// Whether it may change or refuse a message within a run.
  public var checksMessages: Bool { !hooks.isDisjoint(with: [.inputGuards, .before]) }
  public let output: Schema?
  public let limits: RunLimits
  public let busy: BusyPolicy
  /// Roles of which the user must have one; empty = everybody.
  public let roles: [String]
  public let access: Access
  /// On top of the workspace's.
  public let guards: GuardRules
  /// When it runs without being asked.
  public let schedules: [Schedule]

  public init(
    name: String, file: String, description: String = "", models: [String] = [], temperature: Double? = nil,
    tokensMax: Int? = nil, historyMessages: Int = 20, historyTokens: Int = historyTokensDefault,
    summarizer: Summarizer? = nil,
    tools: ToolSelection = .names([]),
    agents: [String] = [],
    body: Body, hooks: Hooks = [], output: Schema? = nil, limits: RunLimits = RunLimits(),
    busy: BusyPolicy = .queue, roles: [String] = [], access: Access = Access(),
    guards: GuardRules = GuardRules(), schedules: [Schedule] = []
  ) {
    self.name = name
    self.file = file
    self.description = description
    self.models = models
    self.temperature = temperature
    self.tokensMax = tokensMax
    self.historyMessages = historyMessages
    self.historyTokens = historyTokens
    self.summarizer = summarizer
    self.tools = tools
    self.agents = agents
    self.body = body
    self.hooks = hooks
    self.output = output
    self.limits = limits
    self.busy = busy
    self.roles = roles
    self.access = access
    self.guards = guards
    self.schedules = schedules
  }

  /// The name under which the model may call this agent: function names have no dots.
  ///
  /// Source: OpenAI API reference, chat completions, `tools.function.name`.
  public var toolName: String { Agent.toolName(of: name) }

  /// Past messages to read: with a summarizer more than are shown, so that what falls out can be folded.
  var historyMessagesWanted: Int { summarizer == nil ? historyMessages : historyMessages * 2 }

  public static func toolName(of agent: String) -> String { "agent_" + agent.replacing(".", with: "_") }
}

/// What one run may use before it is stopped.
public struct RunLimits: Sendable, Hashable {
  /// Calls of the model.
  public var steps: Int
  public var seconds: Double
  /// Tokens in and out, all calls of the model together; `nil` = no limit.
  public var tokens: Int?
  public var costUSD: Double?
  /// That no agent may exceed, whatever it says.
  public var secondsMax = Double.infinity

  public init(steps: Int = 8, seconds: Double = 300, tokens: Int? = nil, costUSD: Double? = nil) {
    self.steps = steps
    self.seconds = seconds
    self.tokens = tokens
    self.costUSD = costUSD
  }
}
