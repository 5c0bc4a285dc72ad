// SPDX-License-Identifier: Apache-2.0
public import Core
public import JSONCodec

/// One conversation with an agent, and what its answers must be.
public struct EvalCase: Sendable {
  /// Unique in its file.
  public var name: String
  public var agent: String
  public var place: EvalPlace
  /// On whose behalf the agent runs.
  public var user: Principal
  /// What `time.now` says when the case begins.
  public var now: Timestamp
  public var turns: [EvalTurn]

  public init(
    name: String, agent: String, place: EvalPlace, user: Principal = .local, now: Timestamp = defaultNow,
    turns: [EvalTurn]
  ) {
    self.name = name
    self.agent = agent
    self.place = place
    self.user = user
    self.now = now
    self.turns = turns
  }

  /// 2026-01-01T12:00:00Z: a prompt that names the day is the same one tomorrow.
  public static let defaultNow = Timestamp(milliseconds: 1_767_268_800_000)
}

/// One message of a case, and what is expected of its answer.
public struct EvalTurn: Sendable {
  /// What the user says.
  public var message: String
  /// What the caller sends beside it.
  public var input: JSONObject
  /// What is answered to the questions that the turn asks of people, in their order.
  public var decisions: [EvalDecision]
  public var expectations: [Expectation]
  public var place: EvalPlace

  public init(
    message: String, input: JSONObject = JSONObject(), decisions: [EvalDecision] = [],
    expectations: [Expectation] = [], place: EvalPlace
  ) {
    self.message = message
    self.input = input
    self.decisions = decisions
    self.expectations = expectations
    self.place = place
  }
}

/// What a person answers to an approval.
public struct EvalDecision: Sendable {
  /// One of the question's choices.
  public var choice: String
  public var comment: String?
  /// What the question's form asks for.
  public var values: JSON?

  public init(_ choice: String, comment: String? = nil, values: JSON? = nil) {
    self.choice = choice
    self.comment = comment
    self.values = values
  }
}

/// Where something stands in an eval file.
public struct EvalPlace: Sendable, Hashable, CustomStringConvertible {
  /// Path in the workspace, `evals/todo.lua`.
  public var file: String
  public var line: Int
  public var column: Int

  public init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }

  public var description: String { "\(file):\(line):\(column)" }
}

extension EvalCase {
  /// Path in the workspace of what models answered in this case: `evals/cassettes/todo/lists-what-was-added.jsonl`.
  public var cassettePath: String {
    let file = place.file.dropFirst("evals/".count).dropLast(".lua".count)
    return "evals/cassettes/\(file)/\(Self.fileName(name)).jsonl"
  }

  private static let fileNameBytesMax = 120

  /// Letters and digits stay, in lower case; what is between them becomes one `-`.
  private static func fileName(_ name: String) -> String {
    let words = name.lowercased().split { !$0.isLetter && !$0.isNumber }
    var text = words.joined(separator: "-")
    while text.utf8.count > fileNameBytesMax { text.removeLast() }
    return text.isEmpty ? "case" : text
  }
}
