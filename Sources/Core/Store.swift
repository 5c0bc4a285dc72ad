// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// What a turn needs of the store before it begins.
public struct TurnOpening: Sendable {
  public var runID: String
  public var messageID: String
  public var userID: String
  /// Created on first use, with ``title`` and empty state.
  public var sessionID: String
  public var agent: String
  public var version: String
  public var message: String
  /// Past messages wanted; the window starts with a user's message and holds whole turns.
  public var historyMessages: Int
  public var idempotencyKey: IdempotencyKey?
  /// The turn was begun before and got no answer: its message is there already.
  public var isAgain: Bool
  /// ``seed`` of the attempt that got none: where it is another one by now, somebody else has begun the next.
  public var earlierSeed: UInt64?
  /// False: the run is all that is kept, without the message.
  public var hasSession: Bool
  /// The agent may still change or refuse the message: until the run says that it stands, no other reads it.
  public var isUnchecked = false
  /// Whether what was said before is wanted as a summary, and only the messages after it.
  public var wantsSummary = false
  /// Of the run's random numbers and names.
  public var seed: UInt64 = 0
  /// What the run needs to go on after a crash, beside its message; `nil` = nothing.
  public var beginning: RunBeginning?
  public var at: Timestamp

  public init(
    runID: String, messageID: String, userID: String, sessionID: String, agent: String, version: String,
    message: String, historyMessages: Int, idempotencyKey: IdempotencyKey? = nil, isAgain: Bool = false,
    hasSession: Bool = true, at: Timestamp
  ) {
    self.runID = runID
    self.messageID = messageID
    self.userID = userID
    self.sessionID = sessionID
    self.agent = agent
    self.version = version
    self.message = message
    self.historyMessages = historyMessages
    self.idempotencyKey = idempotencyKey
    self.isAgain = isAgain
    self.hasSession = hasSession
    self.at = at
  }
}

extension TurnOpening {
  /// The title of a session that begins with this message.
  public var title: String { isUnchecked ? Self.untitled : Self.title(message) }

  /// Of a session whose first message may still be changed or refused.
  public static let untitled = "New chat"

  public static func title(_ message: String) -> String {
    let line = message.prefix(TurnOpening.titleMax + 1).split(whereSeparator: \.isNewline).joined(
      separator: " ")
    return "Chat: " + (line.count > TurnOpening.titleMax ? line.prefix(TurnOpening.titleMax - 1) + "…" : line)
  }

  private static let titleMax = 60
}

public struct OpenedTurn: Sendable {
  /// Messages before this one, oldest first.
  public var history: [Message]
  /// What scripts keep with the session: a JSON object.
  public var state: RawJSON
  /// Of what was said before ``history``.
  public var summary: String?

  public init(history: [Message], state: RawJSON, summary: String? = nil) {
    self.history = history
    self.summary = summary
    self.state = state
  }
}

/// How a turn ended; all of it is written in one transaction.
public struct TurnClosing: Sendable {
  public var runID: String
  public var userID: String
  public var sessionID: String
  public var messageID: String
  public var status: RunRecord.Status
  public var failure: Failure?
  /// The user's message as the agent's guards and `before` changed it; `nil` = as it came.
  public var message: String?
  /// The message was not checked when the turn was opened, and is now.
  public var isChecked = false
  /// The answer; what had come of it when the run failed.
  public var text: String
  public var steps: [TurnStep]
  public var usage: Usage
  /// `nil` when the run failed.
  public var finishReason: FinishReason?
  public var usingStub = false
  public var data: RawJSON?
  /// Calls that were handed out with the answer.
  public var handedOut: [ToolCallRequest] = []
  /// The turn came with an ``IdempotencyKey``: its answer may be asked for once more.
  public var isKeyed = false
  /// The session's new summary; `nil` = as it was.
  public var summary: ConversationSummary?
  /// Of the answer and its steps, where the provider counted them.
  public var answerTokens: Int?
  /// As ``TurnOpening/isAgain``.
  public var isAgain = false
  /// The turn went on after a crash: others may have come after its message.
  public var isResumed = false
  /// Of a run that is an attempt of a job: how it ends.
  public var job: JobEnding?
  /// Entries of the run's journal that are not written yet.
  public var journal: [JournalEntry] = []
  /// What it told that is not written yet.
  public var events: [Event] = []
  /// What it did that is not recorded yet.
  public var audit: [AuditEntry] = []
  /// Where the message came from, and by which API key.
  public var address: String?
  public var keyID: String?
  /// It may have told how a workflow began: one that did not end has failed with the run.
  public var mayHaveTold = true
  /// The run has asked people: what is not decided yet never will be.
  public var hasAsked = false
  /// The session's new state; `nil` = as it was.
  public var state: RawJSON?
  /// False: the run and its tool calls are all that is kept.
  public var hasSession: Bool
  public var at: Timestamp

  public init(
    runID: String, userID: String, sessionID: String, messageID: String, status: RunRecord.Status,
    failure: Failure?,
    message: String? = nil, text: String, steps: [TurnStep], usage: Usage, state: RawJSON?,
    hasSession: Bool = true, at: Timestamp
  ) {
    self.runID = runID
    self.userID = userID
    self.sessionID = sessionID
    self.messageID = messageID
    self.status = status
    self.failure = failure
    self.message = message
    self.text = text
    self.steps = steps
    self.usage = usage
    self.state = state
    self.hasSession = hasSession
    self.at = at
  }
}

/// A page of a list; `next` is the cursor of the following page.
public struct Page<Element: Sendable>: Sendable {
  public var items: [Element]
  public var next: String?

  public init(items: [Element], next: String?) {
    self.items = items
    self.next = next
  }

  public func map<Other: Sendable>(_ transform: (Element) throws -> Other) rethrows -> Page<Other> {
    Page<Other>(items: try items.map(transform), next: next)
  }
}

public struct PageRequest: Sendable, Hashable {
  /// 1 to 200.
  public var limit: Int
  /// The `next` of the page before.
  public var after: String?

  public init(limit: Int = 50, after: String? = nil) {
    self.limit = limit
    self.after = after
  }
}

/// What Perigee remembers of its users. Every read names the user, so that a stranger's rows are never found.
///
/// Methods throw ``Failure``: `not_found`, `invalid_arguments` for a cursor that is none, `internal` when the
/// database fails; and `CancellationError`.
public protocol Store: VersionStore, JournalStore, ApprovalStore, JobStore, ScheduleStore, EventStore,
  AuditStore, PersonStore, FeedbackStore
{
  /// Writes the user's message and the run (`running`), makes user and session if need be, and reads what came before.
  func openTurn(_ turn: TurnOpening) async throws -> OpenedTurn
  /// Finds the turn that came with this key in the last ``IdempotencyKey/keptFor``.
  ///
  /// Throws `idempotency_key_reused` when something else came with it, `conflict` while another process answers it.
  func earlierTurn(_ key: IdempotencyKey, userID: String, at: Timestamp) async throws -> EarlierTurn?
  /// Writes the answer, the tool calls, the usage and the run's end, or nothing; goes on when the task is cancelled.
  func closeTurn(_ turn: TurnClosing) async throws

  func createSession(id: String, title: String, userID: String, at: Timestamp) async throws -> Session
  func session(id: String, userID: String) async throws -> Session
  /// Most recently used first.
  func sessions(userID: String, page: PageRequest) async throws -> Page<Session>
  func renameSession(id: String, title: String, userID: String, at: Timestamp) async throws -> Session
  /// Deletes sessions that were not used since, and runs without one that ended before; some at a time.
  ///
  /// - Parameter loneRunsBefore: `nil` = those runs stay.
  /// - Returns: How many; 0 = there are no more.
  func forgetSessions(before: Timestamp, loneRunsBefore: Timestamp?, at: Timestamp) async throws -> Int
  /// Deletes the session with its messages and runs; its name may be used again.
  func deleteSession(id: String, by actor: AuditEntry.Actor, at: Timestamp) async throws
  /// Oldest first.
  func messages(sessionID: String, userID: String, page: PageRequest) async throws -> Page<Message>

  /// Most recent first.
  func runs(visibleTo: Visibility, page: PageRequest) async throws -> Page<RunRecord>
  func run(id: String, visibleTo: Visibility) async throws -> RunRecord
  /// What the runs of a user took that began since.
  func usage(userID: String, since: Timestamp) async throws -> Usage
  /// What the runs of a session took; nothing for a session that does not exist.
  func usage(sessionID: String, userID: String) async throws -> Usage
  /// What a session came to; `not_found` for one that does not exist.
  func totals(ofSession id: String, userID: String) async throws -> SessionTotals
  /// The steps with tools of these runs of one user, by the run; runs that are not there, or made none, are left out.
  func steps(ofRuns ids: [String], userID: String) async throws -> [String: [TurnStep]]
  /// Marks the runs that a stopped process left `running` and that nobody could see the end of, those without a session,
  /// as `interrupted`, attempts of jobs apart; returns how many.
  func interruptLoneRuns(at: Timestamp) async throws -> Int
  /// The runs that a stopped process left `running`, the oldest first.
  func unfinishedRuns(begunBefore: Timestamp) async throws -> [UnfinishedRun]
  /// Takes up an unfinished run once more, and counts that.
  ///
  /// - Parameter status: What it has to be still: of several processes one takes a waiting run up.
  /// - Returns: `nil` when it is something else meanwhile, or its session is gone.
  func resumeTurn(
    runID: String, from status: RunRecord.Status, historyMessages: Int, wantsSummary: Bool
  ) async throws -> ResumedTurn?
  /// Marks a run as `waiting` and remembers when it has to be woken: at once where what it waits for has come meanwhile.
  func suspendTurn(_ suspension: TurnSuspension) async throws
  /// As ``closeTurn(_:)`` for a run that waits; false when it does not any more, and nothing is written.
  func endWaitingTurn(_ turn: TurnClosing) async throws -> Bool
  /// As ``openTurn(_:)``, but the run waits, and its time has come: whoever resumes due runs takes it up.
  func queueTurn(_ turn: TurnOpening) async throws
  /// Asks whoever has a run under way to cancel it.
  func askToCancel(run id: String) async throws
  /// Takes the names of the runs that are under way and that somebody asks to cancel.
  func cancellationsAsked() async throws -> [String]
  /// Waiting runs whose time has come, of each session the one that is due longest, and these in that order.
  func dueRuns(at: Timestamp, limit: Int) async throws -> [UnfinishedRun]
  /// A run with its journal and what it saw, whatever became of it.
  ///
  /// Throws `conflict` when its message is not kept, as that of a turn without a session.
  func keptRun(
    id: String, visibleTo: Visibility, historyMessages: Int, wantsSummary: Bool
  ) async throws -> KeptRun
  /// A run that waits; `nil` when it does not.
  func waitingRun(id: String, visibleTo: Visibility) async throws -> UnfinishedRun?

  /// Answers whether the database can be written, for readiness.
  func check() async throws
  func close() async throws
}
