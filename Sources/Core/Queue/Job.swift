// SPDX-License-Identifier: Apache-2.0
public import JSONCodec
public import Telemetry

/// Work that was published to be done later: a call of a tool with `action = true`.
public struct Job: Sendable, Hashable {
  /// A UUID made of the call that published it, so that this call publishes it once; the call's idempotency key.
  public var id: String
  /// The tool's name.
  public var action: String
  /// Its arguments, an object: validated and defaulted when they were published.
  public var payload: RawJSON
  /// On whose behalf: who published it.
  public var user: Principal
  /// Jobs of one user with one key are done one after another, in the order in which they were published.
  public var key: String?
  /// Of the jobs of one user the highest is done first; ``prioritiesAllowed``.
  public var priority: Int
  /// Of the run that published it.
  public var publisher: String
  /// Of that run; `nil` where no traces are kept.
  public var trace: TraceContext?
  public var publishedAt: Timestamp
  /// Not done before.
  public var dueAt: Timestamp

  public init(
    id: String, action: String, payload: RawJSON, user: Principal, key: String? = nil, priority: Int = 0,
    publisher: String, trace: TraceContext? = nil, publishedAt: Timestamp, dueAt: Timestamp
  ) {
    self.id = id
    self.action = action
    self.payload = payload
    self.user = user
    self.key = key
    self.priority = priority
    self.publisher = publisher
    self.trace = trace
    self.publishedAt = publishedAt
    self.dueAt = dueAt
  }
}

extension Job {
  public static let payloadBytesMax = 256 << 10
  public static let delayMax = Duration.seconds(30 * 86_400)
  public static let keyBytesMax = 255
  public static let prioritiesAllowed = -100...100
  /// That one run may publish.
  public static let publishedByRunMax = 10_000
  /// Attempts of an action that does not state `retry`.
  public static let attemptsDefault = 5
  /// How long the name of a job that was done is known, so that the call that published it does not do so again.
  public static let rememberedFor = Duration.seconds(7 * 86_400)

  /// The identifier of a job that a call of a tool publishes: the same on every attempt of that call.
  ///
  /// - Parameters:
  ///   - call: The call's idempotency key.
  ///   - site: Where in the tool's function.
  public static func identifier(publishedBy call: String, at site: String, action: String) -> String {
    var hash = StableHash()
    for word in [call, site, action] { hash.combine(word) }
    let high = hash.value
    hash.combine(high)
    return Identifier.uuid(high: high, low: hash.value)
  }

  /// What runs of jobs are called in the place of an agent's name, before the action's; no agent's name has a colon.
  public static let agentPrefix = "action:"
}

/// A job that a worker has, until its lease ends.
public struct TakenJob: Sendable, Hashable {
  public var job: Job
  /// The run that is this attempt; whoever knows it holds the lease.
  public var runID: String
  /// 1 for the first.
  public var attempt: Int
  /// Of the attempts before: those that failed, and those whose worker was not heard of again.
  public var failures: Int
  /// How long it was due.
  public var waited: Duration
  /// The attempt before this one, where nobody saw its end.
  public var interruptedRunID: String?

  public init(job: Job, runID: String, attempt: Int, failures: Int, waited: Duration) {
    self.job = job
    self.runID = runID
    self.attempt = attempt
    self.failures = failures
    self.waited = waited
  }
}

/// How an attempt ended.
public struct JobEnding: Sendable, Hashable {
  public enum Outcome: Sendable, Hashable {
    case done
    /// It failed, and is tried again from then on.
    case failed(Failure, again: Timestamp)
    /// It was stopped, which is not held against it, and is tried again at once.
    case released
    /// It is kept for an operator to look at.
    case dead(Failure)
  }

  public var jobID: String
  public var outcome: Outcome

  public init(jobID: String, outcome: Outcome) {
    self.jobID = jobID
    self.outcome = outcome
  }
}

/// A job that is done no more, unless an operator says so.
public struct DeadLetter: Sendable, Hashable {
  public var job: Job
  public var attempts: Int
  /// Why the last attempt failed.
  public var failure: Failure
  /// The last attempt.
  public var runID: String
  public var diedAt: Timestamp

  public init(job: Job, attempts: Int, failure: Failure, runID: String, diedAt: Timestamp) {
    self.job = job
    self.attempts = attempts
    self.failure = failure
    self.runID = runID
    self.diedAt = diedAt
  }
}

/// Jobs by what they wait for.
public struct JobCounts: Sendable, Hashable {
  /// Those with a delay, and those behind another with their key, too.
  public var queued: Int
  public var running: Int
  public var dead: Int

  public init(queued: Int = 0, running: Int = 0, dead: Int = 0) {
    self.queued = queued
    self.running = running
    self.dead = dead
  }
}
