// SPDX-License-Identifier: Apache-2.0

/// Keeps the audit trail: what stands in it is never changed, and each entry vouches for those before it.
///
/// What the store itself does is recorded with it, in one transaction. Methods throw ``Failure``, as those of ``Store``
/// do.
public protocol AuditStore: Sendable {
  func record(_ entries: [AuditEntry]) async throws
  /// The latest first. A page may be short, or empty, and not the last one: few may fit the filter.
  func auditTrail(_ filter: AuditFilter, page: PageRequest) async throws -> Page<KeptAuditEntry>
  /// Reads the whole trail and checks that nothing in it was changed, added or taken away.
  func verifyAudit() async throws -> AuditVerdict
  /// Whether an entry with this hash is there.
  func hasAuditEntry(hash: String) async throws -> Bool
  /// Forgets entries that are older, some at a time; how many.
  func forgetAudit(before: Timestamp, at: Timestamp) async throws -> Int
}

/// Which entries are wanted; `nil` = any.
public struct AuditFilter: Sendable, Hashable {
  public var visibleTo: Visibility
  public var userID: String?
  /// Of ``AuditEntry/Action``; empty = all.
  public var actions: Set<AuditEntry.Action>
  public var runID: String?

  public init(
    visibleTo: Visibility = .everyone, userID: String? = nil, actions: Set<AuditEntry.Action> = [],
    runID: String? = nil
  ) {
    self.visibleTo = visibleTo
    self.userID = userID
    self.actions = actions
    self.runID = runID
  }

  public func admits(_ entry: AuditEntry) -> Bool {
    visibleTo.admits(entry.actor?.userID) && (userID == nil || entry.actor?.userID == userID)
      && (actions.isEmpty || actions.contains(entry.action))
      && (runID == nil || entry.runID == runID)
  }
}

/// What came of a look through the trail.
public struct AuditVerdict: Sendable, Hashable {
  public struct Fault: Sendable, Hashable {
    public var number: Int64
    public var message: String

    public init(number: Int64, message: String) {
      self.number = number
      self.message = message
    }
  }

  /// Entries that are there.
  public var count: Int
  /// Numbers of the first and the last; 0 = there is none.
  public var first: Int64
  public var last: Int64
  /// Entries of which it is forgotten who it was: more than have asked for it is a sign.
  public var erased = 0
  /// Of the last entry. Noted elsewhere, it shows later that nothing up to there was taken away.
  public var hash: String
  /// The first few.
  public var faults: [Fault]

  public init(count: Int, first: Int64, last: Int64, hash: String, faults: [Fault]) {
    self.count = count
    self.first = first
    self.last = last
    self.hash = hash
    self.faults = faults
  }
}
