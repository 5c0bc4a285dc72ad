// SPDX-License-Identifier: Apache-2.0
public import JSONCodec
public import Telemetry

/// What a run began with beside its message and its session: with it, and its journal, it goes on after a crash.
public struct RunBeginning: Sendable, Hashable {
  public var user: Principal
  /// What the caller sent beside the message, as scripts get it: a JSON object.
  public var input: JSONObject
  /// `nil` = the turn has none.
  public var idempotencyKey: IdempotencyKey?
  /// Of whoever asked, where traces are kept.
  public var trace: TraceContext?
  /// Of a run that waits: its message as the agent left it; `nil` = as it came, or the agent has not let it in.
  public var checkedMessage: String?
  /// Of a run that waits, whose agent makes summaries: with what it read of what was said before.
  public var read: EarlierReading?

  /// What a turn read of its session: it reads the same when it goes on, though others make summaries meanwhile.
  public struct EarlierReading: Sendable, Hashable {
    /// `nil` = there was no summary.
    public var summary: String?
    /// Of the oldest message that it read; `nil` = it read none.
    public var firstMessageID: String?

    public init(summary: String?, firstMessageID: String?) {
      self.summary = summary
      self.firstMessageID = firstMessageID
    }
  }

  public init(user: Principal, input: JSONObject = JSONObject(), idempotencyKey: IdempotencyKey? = nil) {
    self.user = user
    self.input = input
    self.idempotencyKey = idempotencyKey
  }

  /// As the store keeps it.
  public var json: RawJSON {
    var writer = JSONWriter(reservingCapacity: 64)
    writer.object {
      if user != .local { $0.member("user", user.json) }
      $0.member("input", JSON.object(input))
      if let idempotencyKey {
        $0.key("key")
        $0.object {
          $0.member("name", idempotencyKey.name)
          $0.member("digest", JSON.array(idempotencyKey.digest.map { .integer(Int64($0)) }))
        }
      }
      if let read {
        $0.key("read")
        $0.object {
          if let summary = read.summary { $0.member("summary", summary) }
          if let first = read.firstMessageID { $0.member("first", first) }
        }
      }
      if let checkedMessage { $0.member("checked_message", checkedMessage) }
      if let trace {
        $0.member("traceparent", trace.traceparent)
        if !trace.traceState.isEmpty { $0.member("tracestate", trace.traceState) }
      }
    }
    return writer.raw
  }

  /// Reads ``json``; `nil` when it is something else.
  public init?(json: JSON) {
    guard let input = json["input"]?.object else { return nil }
    self.input = input
    checkedMessage = json["checked_message"]?.string
    read = json["read"].map {
      EarlierReading(summary: $0["summary"]?.string, firstMessageID: $0["first"]?.string)
    }
    user = json["user"].map(Principal.init(json:)) ?? .local
    trace = json["traceparent"]?.string.flatMap {
      TraceContext(traceparent: $0, tracestate: json["tracestate"]?.string)
    }
    idempotencyKey = json["key"].flatMap {
      IdempotencyKey(
        name: $0["name"]?.string ?? "",
        digest: ($0["digest"]?.array ?? []).compactMap { $0.integer.map { UInt8(clamping: $0) } })
    }
  }
}

/// A run that was under way when its process stopped.
public struct UnfinishedRun: Sendable, Hashable {
  public var runID: String
  public var sessionID: String
  public var agent: String
  /// On which it began, and goes on.
  public var version: String
  /// As the user sent it.
  public var message: String
  public var beginning: RunBeginning
  /// `running`, or `waiting`.
  public var status: RunRecord.Status

  public init(
    runID: String, sessionID: String, agent: String, version: String, message: String,
    beginning: RunBeginning, status: RunRecord.Status
  ) {
    self.runID = runID
    self.sessionID = sessionID
    self.agent = agent
    self.version = version
    self.message = message
    self.beginning = beginning
    self.status = status
  }

  /// Whose runs go one after the other.
  public struct Session: Sendable, Hashable {
    let userID: String
    let sessionID: String
  }

  public var session: Session { Session(userID: beginning.user.id, sessionID: sessionID) }
}

/// What an unfinished run takes to go on.
public struct ResumedTurn: Sendable {
  public var seed: UInt64
  /// It had left memory until something happened; else its process stopped in its middle.
  public var wasWaiting: Bool
  /// How often it was taken up in its middle, this time included.
  public var resumptions: Int
  public var opened: OpenedTurn
  public var journal: [JournalEntry]

  public init(
    seed: UInt64, wasWaiting: Bool, resumptions: Int, opened: OpenedTurn, journal: [JournalEntry]
  ) {
    self.seed = seed
    self.wasWaiting = wasWaiting
    self.resumptions = resumptions
    self.opened = opened
    self.journal = journal
  }
}

/// A run that has ended, or not, as far as it is kept.
public struct KeptRun: Sendable {
  public var run: UnfinishedRun
  public var turn: ResumedTurn
  /// Of the user's message.
  public var messageID: String
  /// False: its agent has not let the message in.
  public var isMessageChecked: Bool
  /// `nil` = none.
  public var answer: String?
  /// A later run of its session waits, and goes on with what it has read of this one.
  public var hasWaitingSuccessor: Bool

  public init(
    run: UnfinishedRun, turn: ResumedTurn, messageID: String, isMessageChecked: Bool, answer: String?,
    hasWaitingSuccessor: Bool
  ) {
    self.hasWaitingSuccessor = hasWaitingSuccessor
    self.isMessageChecked = isMessageChecked
    self.run = run
    self.turn = turn
    self.messageID = messageID
    self.answer = answer
  }
}

/// A run that leaves memory until something happens.
public struct TurnSuspension: Sendable {
  public var runID: String
  /// Entries of its journal that are not written yet.
  public var journal: [JournalEntry]
  /// What it told that is not written yet.
  public var events: [Event] = []
  /// What it did that is not recorded yet.
  public var audit: [AuditEntry] = []
  /// Of the entries that it waits for.
  public var keys: [String]
  /// Of the run so far.
  public var usage: Usage
  /// What it now begins with; `nil` = as before.
  public var beginning: RunBeginning?

  public init(runID: String, journal: [JournalEntry], keys: [String], usage: Usage) {
    self.runID = runID
    self.journal = journal
    self.keys = keys
    self.usage = usage
  }
}
