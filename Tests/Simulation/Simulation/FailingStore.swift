// SPDX-License-Identifier: Apache-2.0
import Core

/// The host's database on a disk that fails, takes its time, and is gone when its process is.
struct FailingStore: Store {
  let base: any Store
  let disk: Disk

  init(base: any Store, disk: Disk) {
    self.base = base
    self.disk = disk
    _ = base.jobBell.add { disk.rung() }
  }

  var jobBell: Bell { disk.jobBell }
  var eventBell: Bell { base.eventBell }

  func writeJournal(_ batch: JournalBatch, runID: String, done: @escaping @Sendable (Failure?) -> Void) {
    disk.write(done) { done in base.writeJournal(batch, runID: runID, done: done) }
  }

  func record(_ entries: [AuditEntry]) async throws {
    try await disk.perform { try await base.record(entries) }
  }

  func auditTrail(_ filter: AuditFilter, page: PageRequest) async throws -> Page<KeptAuditEntry> {
    try await disk.perform { try await base.auditTrail(filter, page: page) }
  }

  func verifyAudit() async throws -> AuditVerdict {
    try await disk.perform { try await base.verifyAudit() }
  }

  func hasAuditEntry(hash: String) async throws -> Bool {
    try await disk.perform { try await base.hasAuditEntry(hash: hash) }
  }

  func keepFeedback(
    ofRun id: String, score: Double, comment: String?, by user: Principal, at time: Timestamp
  ) async throws -> Feedback {
    try await disk.perform {
      try await base.keepFeedback(ofRun: id, score: score, comment: comment, by: user, at: time)
    }
  }

  func feedback(ofRun id: String, visibleTo: Visibility) async throws -> [Feedback] {
    try await disk.perform { try await base.feedback(ofRun: id, visibleTo: visibleTo) }
  }

  func feedback(_ filter: FeedbackFilter, page: PageRequest) async throws -> Page<Feedback> {
    try await disk.perform { try await base.feedback(filter, page: page) }
  }

  func feedbackSummary(_ filter: FeedbackFilter) async throws -> [FeedbackSummary] {
    try await disk.perform { try await base.feedbackSummary(filter) }
  }

  func totals(ofSession id: String, userID: String) async throws -> SessionTotals {
    try await disk.perform { try await base.totals(ofSession: id, userID: userID) }
  }

  func users(visibleTo: Visibility, page: PageRequest) async throws -> Page<UserRecord> {
    try await disk.perform { try await base.users(visibleTo: visibleTo, page: page) }
  }

  func beginExport(of userID: String, by actor: AuditEntry.Actor, at time: Timestamp) async throws {
    try await disk.perform { try await base.beginExport(of: userID, by: actor, at: time) }
  }

  func exportPiece(of userID: String, from place: ExportPlace) async throws -> ExportPiece {
    try await disk.perform { try await base.exportPiece(of: userID, from: place) }
  }

  func eraseUser(
    _ userID: String, by actor: AuditEntry.Actor, time: any TimeSource
  ) async throws -> ErasedUser {
    try await disk.perform { try await base.eraseUser(userID, by: actor, time: time) }
  }

  func forgetAudit(before: Timestamp, at: Timestamp) async throws -> Int {
    try await disk.perform { try await base.forgetAudit(before: before, at: at) }
  }

  func publish(_ jobs: [Job]) async throws {
    try await disk.perform { try await base.publish(jobs) }
  }

  func takeJob(runID: String, lease: Timestamp, at: Timestamp) async throws -> TakenJob? {
    try await disk.perform { try await base.takeJob(runID: runID, lease: lease, at: at) }
  }

  func extendLeases(_ jobs: [String: String], until lease: Timestamp) async throws -> [String] {
    try await disk.perform { try await base.extendLeases(jobs, until: lease) }
  }

  @discardableResult func endAttempt(runID: String, _ ending: JobEnding, at: Timestamp) async throws -> Bool {
    try await disk.perform { try await base.endAttempt(runID: runID, ending, at: at) }
  }

  func endLeases(at: Timestamp) async throws -> Int {
    try await disk.perform { try await base.endLeases(at: at) }
  }

  func nextJobDue() async throws -> Timestamp? {
    try await disk.perform { try await base.nextJobDue() }
  }

  func jobCounts() async throws -> JobCounts {
    try await disk.perform { try await base.jobCounts() }
  }

  func deadLetters(visibleTo: Visibility, page: PageRequest) async throws -> Page<DeadLetter> {
    try await disk.perform { try await base.deadLetters(visibleTo: visibleTo, page: page) }
  }

  func deadLetter(id: String, visibleTo: Visibility) async throws -> DeadLetter {
    try await disk.perform { try await base.deadLetter(id: id, visibleTo: visibleTo) }
  }

  func retryDeadLetter(id: String, by actor: AuditEntry.Actor, at: Timestamp) async throws {
    try await disk.perform { try await base.retryDeadLetter(id: id, by: actor, at: at) }
  }

  func discardDeadLetter(id: String, by actor: AuditEntry.Actor, at: Timestamp) async throws {
    try await disk.perform { try await base.discardDeadLetter(id: id, by: actor, at: at) }
  }

  func approvals(visibleTo user: Principal, status: Approval.Status?, page: PageRequest) async throws -> Page<
    Approval
  > {
    try await disk.perform { try await base.approvals(visibleTo: user, status: status, page: page) }
  }

  func approval(id: String) async throws -> Approval {
    try await disk.perform { try await base.approval(id: id) }
  }

  func decideApproval(id: String, _ decision: Approval.Decision) async throws -> Approval {
    try await disk.perform { try await base.decideApproval(id: id, decision) }
  }

  func expireApprovals(at: Timestamp) async throws -> [Approval] {
    try await disk.perform { try await base.expireApprovals(at: at) }
  }

  func keepSchedules(_ schedules: [DueSchedule]) async throws {
    try await disk.perform { try await base.keepSchedules(schedules) }
  }

  func schedules() async throws -> [ScheduleRecord] {
    try await disk.perform { try await base.schedules() }
  }

  func begin(_ occurrence: ScheduleOccurrence) async throws -> ScheduleOutcome {
    try await disk.perform { try await base.begin(occurrence) }
  }

  func journal(ofRun id: String) async throws -> [JournalEntry] {
    try await disk.perform { try await base.journal(ofRun: id) }
  }

  func keep(_ events: [Event]) async throws {
    try await disk.perform { try await base.keep(events) }
  }

  func events(after number: Int64, _ filter: EventFilter, limit: Int) async throws -> (
    events: [KeptEvent], last: Int64
  ) {
    try await disk.perform { try await base.events(after: number, filter, limit: limit) }
  }

  func lastEventNumber() async throws -> Int64 {
    try await disk.perform { try await base.lastEventNumber() }
  }

  func delivery(to name: String) async throws -> EventDelivery {
    try await disk.perform { try await base.delivery(to: name) }
  }

  func takeDelivery(_ delivery: EventDelivery, until lease: Timestamp, at: Timestamp) async throws -> Bool {
    try await disk.perform { try await base.takeDelivery(delivery, until: lease, at: at) }
  }

  func keepDelivery(_ delivery: EventDelivery, heldUntil lease: Timestamp, next: Timestamp?) async throws
    -> Bool
  {
    try await disk.perform { try await base.keepDelivery(delivery, heldUntil: lease, next: next) }
  }

  func keepAgents(_ names: [String], version: String, at: Timestamp) async throws {
    try await disk.perform { try await base.keepAgents(names, version: version, at: at) }
  }

  func forgetEvents(before: Timestamp) async throws -> Int {
    try await disk.perform { try await base.forgetEvents(before: before) }
  }

  func keepVersion(_ id: String, files: [ScriptFile], at: Timestamp) async throws {
    try await disk.perform { try await base.keepVersion(id, files: files, at: at) }
  }

  func versions(page: PageRequest) async throws -> Page<VersionRecord> {
    try await disk.perform { try await base.versions(page: page) }
  }

  func version(named name: String) async throws -> VersionRecord {
    try await disk.perform { try await base.version(named: name) }
  }

  func sources(ofVersion id: String) async throws -> [String: [UInt8]] {
    try await disk.perform { try await base.sources(ofVersion: id) }
  }

  func deployment() async throws -> DeploymentRecord? {
    try await disk.perform { try await base.deployment() }
  }

  func setDeployment(_ deployment: DeploymentRecord, by actor: AuditEntry.Actor?) async throws {
    try await disk.perform { try await base.setDeployment(deployment, by: actor) }
  }

  func openTurn(_ turn: TurnOpening) async throws -> OpenedTurn {
    try await disk.perform { try await base.openTurn(turn) }
  }

  func earlierTurn(_ key: IdempotencyKey, userID: String, at: Timestamp) async throws -> EarlierTurn? {
    try await disk.perform { try await base.earlierTurn(key, userID: userID, at: at) }
  }

  func closeTurn(_ turn: TurnClosing) async throws {
    try await disk.perform { try await base.closeTurn(turn) }
  }

  func createSession(id: String, title: String, userID: String, at: Timestamp) async throws -> Session {
    try await disk.perform { try await base.createSession(id: id, title: title, userID: userID, at: at) }
  }

  func session(id: String, userID: String) async throws -> Session {
    try await disk.perform { try await base.session(id: id, userID: userID) }
  }

  func sessions(userID: String, page: PageRequest) async throws -> Page<Session> {
    try await disk.perform { try await base.sessions(userID: userID, page: page) }
  }

  func renameSession(id: String, title: String, userID: String, at: Timestamp) async throws -> Session {
    try await disk.perform { try await base.renameSession(id: id, title: title, userID: userID, at: at) }
  }

  func forgetSessions(before: Timestamp, loneRunsBefore: Timestamp?, at: Timestamp) async throws -> Int {
    try await disk.perform {
      try await base.forgetSessions(before: before, loneRunsBefore: loneRunsBefore, at: at)
    }
  }

  func deleteSession(id: String, by actor: AuditEntry.Actor, at: Timestamp) async throws {
    try await disk.perform { try await base.deleteSession(id: id, by: actor, at: at) }
  }

  func messages(sessionID: String, userID: String, page: PageRequest) async throws -> Page<Message> {
    try await disk.perform { try await base.messages(sessionID: sessionID, userID: userID, page: page) }
  }

  func runs(visibleTo: Visibility, page: PageRequest) async throws -> Page<RunRecord> {
    try await disk.perform { try await base.runs(visibleTo: visibleTo, page: page) }
  }

  func run(id: String, visibleTo: Visibility) async throws -> RunRecord {
    try await disk.perform { try await base.run(id: id, visibleTo: visibleTo) }
  }

  func usage(userID: String, since: Timestamp) async throws -> Usage {
    try await disk.perform { try await base.usage(userID: userID, since: since) }
  }

  func usage(sessionID: String, userID: String) async throws -> Usage {
    try await disk.perform { try await base.usage(sessionID: sessionID, userID: userID) }
  }

  func steps(ofRuns ids: [String], userID: String) async throws -> [String: [TurnStep]] {
    try await disk.perform { try await base.steps(ofRuns: ids, userID: userID) }
  }

  func interruptLoneRuns(at: Timestamp) async throws -> Int {
    try await disk.perform { try await base.interruptLoneRuns(at: at) }
  }

  func unfinishedRuns(begunBefore: Timestamp) async throws -> [UnfinishedRun] {
    try await disk.perform { try await base.unfinishedRuns(begunBefore: begunBefore) }
  }

  func resumeTurn(runID: String, from status: RunRecord.Status, historyMessages: Int, wantsSummary: Bool)
    async throws -> ResumedTurn?
  {
    try await disk.perform {
      try await base.resumeTurn(
        runID: runID, from: status, historyMessages: historyMessages, wantsSummary: wantsSummary)
    }
  }

  func suspendTurn(_ suspension: TurnSuspension) async throws {
    try await disk.perform { try await base.suspendTurn(suspension) }
  }

  func endWaitingTurn(_ turn: TurnClosing) async throws -> Bool {
    try await disk.perform { try await base.endWaitingTurn(turn) }
  }

  func queueTurn(_ turn: TurnOpening) async throws {
    try await disk.perform { try await base.queueTurn(turn) }
  }

  func askToCancel(run id: String) async throws {
    try await disk.perform { try await base.askToCancel(run: id) }
  }

  func cancellationsAsked() async throws -> [String] {
    try await disk.perform { try await base.cancellationsAsked() }
  }

  func dueRuns(at: Timestamp, limit: Int) async throws -> [UnfinishedRun] {
    try await disk.perform { try await base.dueRuns(at: at, limit: limit) }
  }

  func keptRun(id: String, visibleTo: Visibility, historyMessages: Int, wantsSummary: Bool) async throws
    -> KeptRun
  {
    try await disk.perform {
      try await base.keptRun(
        id: id, visibleTo: visibleTo, historyMessages: historyMessages, wantsSummary: wantsSummary)
    }
  }

  func waitingRun(id: String, visibleTo: Visibility) async throws -> UnfinishedRun? {
    try await disk.perform { try await base.waitingRun(id: id, visibleTo: visibleTo) }
  }

  func check() async throws {
    try await disk.perform { try await base.check() }
  }

  func close() async throws {
    try await disk.end { try await base.close() }
  }
}
