// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// One effect of a run: what was asked of the world, and what came of it.
public struct JournalEntry: Sendable, Hashable {
  public enum Outcome: Sendable, Hashable {
    case result(RawJSON)
    case failed(Failure)
  }

  /// From 0, in the order in which they were begun.
  public var number: Int
  /// Where in the run: `model.1`, `tool.0.1`, `run:3`; of a called agent, behind the call's own: `run:3/model.1`.
  public var key: String
  /// What was done: `model`, `tool add_todo`, `http.post`.
  public var name: String
  /// Of the arguments: another value means that the script asks for something else.
  public var digest: UInt64
  /// `nil` where nobody wants to read them.
  public var arguments: RawJSON?
  /// `nil` = not known: it was begun, and nobody saw it end.
  public var outcome: Outcome?
  /// Published with it: they are there if it is.
  public var jobs: [Job] = []
  public var startedAt: Timestamp
  public var durationMilliseconds: Double

  public init(
    number: Int, key: String, name: String, digest: UInt64, arguments: RawJSON? = nil,
    outcome: Outcome? = nil, startedAt: Timestamp, durationMilliseconds: Double = 0
  ) {
    self.number = number
    self.key = key
    self.name = name
    self.digest = digest
    self.arguments = arguments
    self.outcome = outcome
    self.startedAt = startedAt
    self.durationMilliseconds = durationMilliseconds
  }
}

extension JournalEntry {
  /// Of the question what became of it: another one for each attempt.
  var unknownOutcomeKey: String { "\(key)/unknown.\(number)" }
}

/// What a run is about to do.
public struct JournalCall: Sendable {
  /// As ``JournalEntry/key``.
  public let key: String
  /// As ``JournalEntry/name``.
  public let name: String
  public let digest: UInt64
  public let arguments: RawJSON?

  public init(key: String, name: String, digest: UInt64 = 0, arguments: RawJSON? = nil) {
    self.key = key
    self.name = name
    self.digest = digest
    self.arguments = arguments
  }
}

extension JournalCall {
  /// A question to the journal alone, to which silence is an answer.
  var isMere: Bool {
    name == "branch" || name == "stub" || name == Self.acted || name == Self.guardrail
      || key.hasSuffix(Self.failureMark)
  }

  /// Ends the key under which the failure of a step is kept, which most have not.
  static let failureMark = "!"

  /// Name of the mark that a called agent did something that must not be done twice.
  static let acted = "acted"

  /// Name of what guards decided.
  static let guardrail = "guardrail"
}

/// What is written of a run at once.
public struct JournalBatch: Sendable {
  /// Each stands in place of what stood under its number.
  public var entries: [JournalEntry]
  /// Questions that the entries ask.
  public var approvals: [Approval]
  /// What the run tells; those with a key that is known are passed over.
  public var events: [Event]
  /// What it did.
  public var audit: [AuditEntry]

  public init(
    _ entries: [JournalEntry], approvals: [Approval] = [], events: [Event] = [], audit: [AuditEntry] = []
  ) {
    self.entries = entries
    self.approvals = approvals
    self.events = events
    self.audit = audit
  }
}

/// Keeps journals. What is handed over is written in the order in which it came.
public protocol JournalStore: Sendable {
  /// Writes what a run did.
  ///
  /// - Parameter done: Told when it is durable, or why it is not; from anywhere.
  func writeJournal(_ batch: JournalBatch, runID: String, done: @escaping @Sendable (Failure?) -> Void)
  /// By their numbers.
  func journal(ofRun id: String) async throws -> [JournalEntry]
}
