// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Synchronization
import Testing

/// A queue, and workers that a test moves by hand.
final class JobScene: Sendable {
  let store: SQLiteStore
  let time = ManualTime()
  private let runs = Mutex(0)

  init(_ store: SQLiteStore) { self.store = store }

  static func with(_ body: (JobScene) async throws -> Void) async throws {
    try await withStore { try await body(JobScene($0)) }
  }

  func job(
    _ id: String, user: String = "ann", key: String? = nil, priority: Int = 0, delay: Duration = .zero
  ) -> Job {
    Job(
      id: id, action: "send", payload: RawJSON(["n": 1]),
      user: Principal(
        id: user, name: "Of \(user)", roles: ["user", "clerk"], claims: JSONObject([("a", 1)])),
      key: key, priority: priority, publisher: "run-p", publishedAt: time.now, dueAt: time.now + delay)
  }

  func publish(
    _ id: String, user: String = "ann", key: String? = nil, priority: Int = 0, delay: Duration = .zero
  ) async throws {
    try await store.publish([job(id, user: user, key: key, priority: priority, delay: delay)])
  }

  /// Takes the next job, for 30 s.
  @discardableResult
  func take() async throws -> TakenJob? {
    let run = runs.withLock { runs in
      runs += 1
      return "run-\(runs)"
    }
    return try await store.takeJob(runID: run, lease: time.now + .seconds(30), at: time.now)
  }

  /// Names of the jobs that can be taken now, in their order; they stay taken.
  func takeAll() async throws -> [String] {
    var names: [String] = []
    while let taken = try await take() { names.append(taken.job.id) }
    return names
  }

  @discardableResult
  func end(_ taken: TakenJob, _ outcome: JobEnding.Outcome = .done) async throws -> Bool {
    try await store.endAttempt(
      runID: taken.runID, JobEnding(jobID: taken.job.id, outcome: outcome), at: time.now)
  }

  /// Lets a taken job fail, to be tried again after a while.
  func fail(_ taken: TakenJob, again: Duration = .seconds(1)) async throws {
    try await end(taken, .failed(Failure(.upstream, "down", retryable: true), again: time.now + again))
  }

  func kill(_ id: String) async throws {
    let taken = try #require(try await take())
    #expect(taken.job.id == id)
    try await end(taken, .dead(Failure(.denied, "no", diagnostic: "at line 3")))
  }
}
