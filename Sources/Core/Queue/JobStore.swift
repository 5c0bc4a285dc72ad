// SPDX-License-Identifier: Apache-2.0

/// Keeps jobs.
///
/// A job is taken by one worker at a time, which holds it by a lease that it extends; when the lease ends, another takes
/// it. Users take turns; of one user's jobs the highest priority goes first, then the oldest. Methods throw ``Failure``,
/// as those of ``Store`` do.
public protocol JobStore: Sendable {
  /// Rung when a job was published, or given back, through this object.
  var jobBell: Bell { get }

  /// Publishes jobs, all or none; one whose identifier is known already is passed over.
  func publish(_ jobs: [Job]) async throws
  /// Takes the next job that is due.
  ///
  /// - Parameters:
  ///   - runID: Of the attempt that begins; no two attempts have one.
  ///   - lease: When another worker may take it, unless ``extendLeases(_:until:)`` says later.
  /// - Returns: `nil` when none is due.
  func takeJob(runID: String, lease: Timestamp, at: Timestamp) async throws -> TakenJob?
  /// - Parameter jobs: Identifiers of jobs by the run that holds them.
  /// - Returns: The runs that hold theirs no longer.
  func extendLeases(_ jobs: [String: String], until lease: Timestamp) async throws -> [String]
  /// Ends an attempt that no run was begun for; else its run's ``TurnClosing`` does.
  ///
  /// - Returns: False when the lease was lost: nothing has changed.
  @discardableResult
  func endAttempt(runID: String, _ ending: JobEnding, at: Timestamp) async throws -> Bool
  /// Ends all leases: the workers that held them are known to be gone.
  ///
  /// - Returns: How many there were.
  func endLeases(at: Timestamp) async throws -> Int
  /// When the next job is due, or the next lease ends; `nil` = there is none.
  func nextJobDue() async throws -> Timestamp?
  func jobCounts() async throws -> JobCounts

  /// Those that died last come first.
  func deadLetters(visibleTo: Visibility, page: PageRequest) async throws -> Page<DeadLetter>
  func deadLetter(id: String, visibleTo: Visibility) async throws -> DeadLetter
  /// Queues a dead letter again; its attempts count anew.
  ///
  /// - Throws: ``Failure`` `not_found` when no dead letter has that identifier.
  func retryDeadLetter(id: String, by actor: AuditEntry.Actor, at: Timestamp) async throws
  /// - Throws: ``Failure`` `not_found` when no dead letter has that identifier.
  func discardDeadLetter(id: String, by actor: AuditEntry.Actor, at: Timestamp) async throws
}
