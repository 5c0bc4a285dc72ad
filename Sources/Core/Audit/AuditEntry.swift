// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// One thing that was done, for who asks later who did it.
///
/// It tells what was done, not what was said: no text of a user or a model stands in it.
public struct AuditEntry: Sendable, Hashable {
  /// What was done.
  public struct Action: RawRepresentable, Sendable, Hashable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }
  }

  /// On whose behalf, and from where.
  public struct Actor: Sendable, Hashable {
    public var userID: String
    /// An IP address; `nil` = from this machine's command line, or not known.
    public var address: String?
    /// Of the API key by which they came; `nil` = by other means.
    public var keyID: String?

    public init(userID: String, address: String? = nil, keyID: String? = nil) {
      self.userID = userID
      self.address = address
      self.keyID = keyID
    }
  }

  public var action: Action
  public var at: Timestamp
  /// `nil` = the server itself.
  public var actor: Actor?
  /// What it was done to, its kind first: `tool:add_todo`, `approval:0192…`, `version:sha256:…`.
  public var target: String?
  public var runID: String?
  public var agent: String?
  /// Of the scripts that did it.
  public var version: String?
  /// More, by action: a JSON object.
  public var detail: RawJSON?
  /// Of what was said; the store adds it to ``detail``, by a key of its own: of a telephone number, say, anybody finds
  /// by trying what a digest is of.
  public var digest: Digest?

  public struct Digest: Sendable, Hashable {
    /// What it is of.
    public var name: String
    public var value: UInt64

    public init(of name: String, _ value: UInt64) {
      self.name = name
      self.value = value
    }
  }

  public init(
    _ action: Action, at: Timestamp, by actor: Actor?, target: String? = nil, runID: String? = nil,
    agent: String? = nil, version: String? = nil, detail: RawJSON? = nil
  ) {
    self.action = action
    self.at = at
    self.actor = actor
    self.target = target
    self.runID = runID
    self.agent = agent
    self.version = version
    self.detail = detail
  }
}

extension AuditEntry.Action {
  public static let runEnded = Self(rawValue: "run.ended")
  /// Somebody asked for it.
  public static let runCancelled = Self(rawValue: "run.cancelled")
  public static let runRetried = Self(rawValue: "run.retried")
  public static let toolCalled = Self(rawValue: "tool.called")
  /// A call of a tool that its user may not use was not made.
  public static let toolRefused = Self(rawValue: "tool.refused")
  /// Branches of a workflow disagreed.
  public static let guardConflict = Self(rawValue: "guard.conflict")
  /// A message was not taken.
  public static let guardrailRefused = Self(rawValue: "guardrail.refused")
  /// Something in an answer was masked.
  public static let guardrailMasked = Self(rawValue: "guardrail.masked")
  public static let approvalDecided = Self(rawValue: "approval.decided")
  /// Somebody said what they think of a run.
  public static let feedbackGiven = Self(rawValue: "feedback.given")
  public static let sessionDeleted = Self(rawValue: "session.deleted")
  public static let jobRetried = Self(rawValue: "job.retried")
  public static let jobDiscarded = Self(rawValue: "job.discarded")
  public static let versionActivated = Self(rawValue: "version.activated")
  public static let keyCreated = Self(rawValue: "key.created")
  public static let keyRevoked = Self(rawValue: "key.revoked")
  /// An operator looked at what is another user's.
  public static let dataRead = Self(rawValue: "data.read")
  /// Sessions and runs were deleted that were older than the configuration allows.
  public static let dataForgotten = Self(rawValue: "data.forgotten")
  /// Somebody took a copy of all that is kept of a user.
  public static let userExported = Self(rawValue: "user.exported")
  /// Somebody has some of what is kept of a user erased, or all of it: then ``userErased`` follows.
  public static let userErasureBegun = Self(rawValue: "user.erasure_begun")
  /// All that was kept of a user was erased.
  public static let userErased = Self(rawValue: "user.erased")
  public static let auditRead = Self(rawValue: "audit.read")
  /// Older entries were forgotten, as the configuration says.
  public static let auditForgotten = Self(rawValue: "audit.forgotten")

  public static let all: [Self] = [
    runEnded, runCancelled, runRetried, toolCalled, toolRefused, guardConflict, guardrailRefused,
    guardrailMasked, approvalDecided, feedbackGiven, sessionDeleted, jobRetried, jobDiscarded,
    versionActivated, keyCreated,
    keyRevoked, dataRead, dataForgotten, userExported, userErasureBegun, userErased, auditRead,
    auditForgotten,
  ]
}

extension AuditEntry {
  /// That a run has ended.
  public init(endOf turn: TurnClosing, agent: String, version: String) {
    var writer = JSONWriter(reservingCapacity: 96)
    writer.object {
      $0.member("status", turn.status.rawValue)
      if let failure = turn.failure { $0.member("error", failure.code.rawValue) }
      $0.member("input_tokens", turn.usage.inputTokens)
      $0.member("output_tokens", turn.usage.outputTokens)
    }
    self.init(
      .runEnded, at: turn.at, by: Actor(userID: turn.userID, address: turn.address, keyID: turn.keyID),
      runID: turn.runID,
      agent: agent, version: version, detail: writer.raw)
  }
}

extension AuditEntry {
  /// That branches of a workflow disagreed, as the event tells it.
  public init(conflict event: Event, version: String?) {
    let told = (try? event.data?.value()) ?? .null
    self.init(
      .guardConflict, at: event.at, by: event.userID.map { Actor(userID: $0) }, runID: event.runID,
      agent: told["agent_id"]?.string, version: version,
      detail: RawJSON(["field": told["field"] ?? .null, "values": told["values"] ?? .null]))
  }

  /// That other scripts came into force.
  public init(_ deployment: DeploymentRecord, by actor: Actor?) {
    let candidate = deployment.candidate
    self.init(
      .versionActivated, at: deployment.at, by: actor,
      target: "version:\(candidate?.version ?? deployment.version)", version: deployment.version,
      detail: candidate.map { RawJSON(["canary_percent": .integer(Int64($0.percent))]) })
  }

  /// That a question was answered.
  public init(_ decision: Approval.Decision, of approval: Approval) {
    self.init(
      .approvalDecided, at: decision.at, by: Actor(userID: decision.userID, address: decision.address),
      target: "approval:\(approval.id)", runID: approval.runID, agent: approval.agent,
      detail: RawJSON(["decision": .string(decision.choice)]))
    digest = Digest(of: "question", approval.digest)
  }

  /// That somebody said what they think of a run.
  public init(_ feedback: Feedback, by actor: Actor) {
    self.init(
      .feedbackGiven, at: feedback.at, by: actor, target: "run:\(feedback.runID)", runID: feedback.runID,
      agent: feedback.agent, version: feedback.version, detail: RawJSON(["score": .number(feedback.score)]))
  }

  /// What came of a call of a tool.
  enum ToolOutcome {
    case completed
    case failed(Failure.Code)
    /// By the end of its run, or of the server: it may have done its work.
    case cutOff
    /// Of a call in an earlier life of its run, of which nobody saw the end.
    case unknown
  }

  /// That a tool was called, and what came of it.
  ///
  /// - Parameter attempt: 0 = it is not known which.
  init(
    tool: String, by actor: Actor?, runID: String, agent: String, version: String, attempt: Int,
    arguments: RawJSON, outcome: ToolOutcome, milliseconds: Double, at: Timestamp
  ) {
    var writer = JSONWriter(reservingCapacity: 128)
    writer.object {
      if attempt > 0 { $0.member("attempt", attempt) }
      switch outcome {
      case .completed: $0.member("status", "completed")
      case .failed(let code):
        $0.member("status", "failed")
        $0.member("error", code.rawValue)
      case .cutOff: $0.member("status", "cut_off")
      case .unknown: $0.member("status", "unknown")
      }
      $0.member("duration_ms", milliseconds)
    }
    self.init(
      .toolCalled, at: at, by: actor, target: "tool:\(tool)", runID: runID, agent: agent, version: version,
      detail: writer.raw)
    // Of what it was called with: the same again shows the same.
    digest = Digest(of: "arguments", arguments.digest)
  }
}

extension AuditEntry {
  /// That a call of a tool was not made, for its user may not use it.
  public init(
    refusalOf tool: String, to actor: Actor, runID: String, agent: String, version: String?,
    arguments: RawJSON, at: Timestamp
  ) {
    self.init(
      .toolRefused, at: at, by: actor, target: "tool:\(tool)", runID: runID, agent: agent, version: version)
    digest = Digest(of: "arguments", arguments.digest)
  }
}

extension Principal {
  public var actor: AuditEntry.Actor { AuditEntry.Actor(userID: id, address: address, keyID: keyID) }
}

/// An entry as it stands in the trail.
public struct KeptAuditEntry: Sendable, Hashable {
  /// 1, 2, 3, …: none is missing.
  public var number: Int64
  public var entry: AuditEntry
  /// Of this entry and, by way of the one before, of all before it: SHA-256 in hexadecimal digits.
  public var hash: String
  /// Who it was is forgotten, as they asked.
  public var isErased: Bool

  public init(number: Int64, entry: AuditEntry, hash: String, isErased: Bool) {
    self.number = number
    self.entry = entry
    self.hash = hash
    self.isErased = isErased
  }
}
