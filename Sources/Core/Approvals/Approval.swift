// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// A question that a run asks a person, and waits for.
public struct Approval: Sendable, Hashable {
  public enum Status: String, Sendable, CaseIterable {
    case pending, decided, expired
    /// The run ended without it.
    case cancelled
  }

  public var id: String
  public var runID: String
  /// Of the question in the run's journal.
  public var key: String
  /// On whose behalf the run acts.
  public var userID: String
  public var agent: String
  public var question: Question
  /// Of the question and its detail: the answer holds for nothing else.
  public var digest: UInt64
  public var status: Status
  public var createdAt: Timestamp
  public var expiresAt: Timestamp?
  public var decision: Decision?

  public init(
    id: String, runID: String, key: String, userID: String, agent: String, question: Question,
    digest: UInt64, status: Status = .pending, createdAt: Timestamp, expiresAt: Timestamp? = nil,
    decision: Decision? = nil
  ) {
    self.id = id
    self.runID = runID
    self.key = key
    self.userID = userID
    self.agent = agent
    self.question = question
    self.digest = digest
    self.status = status
    self.createdAt = createdAt
    self.expiresAt = expiresAt
    self.decision = decision
  }

  /// What is asked, and who may answer what.
  public struct Question: Sendable, Hashable {
    public var title: String
    /// `nil` = the title says all.
    public var detail: RawJSON?
    /// What may be answered.
    public var choices: [String]
    /// JSON Schema of what is to be filled in; `nil` = nothing.
    public var form: RawJSON?
    /// Roles of which who decides must have one; empty = the run's owner decides, or an operator.
    public var roles: [String]

    public init(
      title: String, detail: RawJSON? = nil, choices: [String] = ["approve", "reject"], form: RawJSON? = nil,
      roles: [String] = []
    ) {
      self.title = title
      self.detail = detail
      self.choices = choices
      self.form = form
      self.roles = roles
    }

    /// Of a call of which nobody knows whether it was made.
    public static let unknownOutcome = ["retry", "done", "abort"]

    /// Equal for equal questions.
    var digest: UInt64 {
      var hash = StableHash()
      hash.combine(title)
      hash.combine(detail?.digest ?? 0)
      for choice in choices { hash.combine(choice) }
      hash.combine(form?.digest ?? 0)
      for role in roles { hash.combine(role) }
      return hash.value
    }
  }

  public struct Decision: Sendable, Hashable {
    /// One of the question's choices.
    public var choice: String
    public var comment: String?
    /// What was filled in: a JSON object.
    public var values: RawJSON?
    /// Who decided.
    public var userID: String
    /// From where, an IP address; it is not kept with the question.
    public var address: String?
    public var at: Timestamp

    public init(
      choice: String, comment: String? = nil, values: RawJSON? = nil, userID: String, address: String? = nil,
      at: Timestamp
    ) {
      self.choice = choice
      self.comment = comment
      self.values = values
      self.userID = userID
      self.address = address
      self.at = at
    }
  }

  /// Whether somebody may see the question: its owner, who may decide it, and operators.
  public func isVisible(to user: Principal) -> Bool {
    guard user.reach.admits(userID) else { return false }
    return user.visibility.admits(userID) || question.roles.contains(where: user.roles.contains)
  }

  /// Whether somebody may answer it.
  public func mayDecide(_ user: Principal) -> Bool {
    guard user.reach.admits(userID) else { return false }
    return question.roles.isEmpty
      ? user.visibility.admits(userID)
      : question.roles.contains(where: user.roles.contains) || user.roles.contains("admin")
  }

  /// What the run gets as the answer.
  public static func answer(_ decision: Decision?) -> RawJSON {
    var writer = JSONWriter(reservingCapacity: 96)
    writer.object {
      $0.member("approved", decision?.choice == "approve")
      $0.member("decision", decision?.choice ?? "expired")
      if let comment = decision?.comment { $0.member("comment", comment) }
      if let user = decision?.userID { $0.member("by", user) }
      if let values = decision?.values { $0.member("values", values) }
    }
    return writer.raw
  }
}

/// Keeps approvals. Methods throw ``Failure`` as those of ``Store`` do.
public protocol ApprovalStore: Sendable {
  /// The latest first.
  ///
  /// - Parameters:
  ///   - user: Sees what ``Approval/isVisible(to:)`` says.
  ///   - status: `nil` = any.
  func approvals(
    visibleTo user: Principal, status: Approval.Status?, page: PageRequest
  ) async throws -> Page<Approval>
  func approval(id: String) async throws -> Approval
  /// Answers a question, and gives the answer to its run: exactly once.
  ///
  /// - Throws: ``Failure`` `conflict` when it has been decided, has expired or was cancelled.
  func decideApproval(id: String, _ decision: Approval.Decision) async throws -> Approval
  /// Lets questions expire whose time is over, and tells their runs; returns them.
  func expireApprovals(at: Timestamp) async throws -> [Approval]
}

/// A run that has left memory until something happens.
public struct WaitingRun: Sendable, Hashable {
  public var runID: String
  public var sessionID: String
  /// What it waits for; `nil` = only for time to pass.
  public var approval: Approval?

  public init(runID: String, sessionID: String, approval: Approval? = nil) {
    self.runID = runID
    self.sessionID = sessionID
    self.approval = approval
  }
}
