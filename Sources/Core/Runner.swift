// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Runs the turns of all sessions: opens them in the store, lets a ``Run`` do the work, and writes how they ended.
public final class Runner: Sendable {
  public struct Limits: Sendable {
    public var messageCharactersMax: Int
    /// Runs at once, of all users.
    public var runsMax: Int

    public init(messageCharactersMax: Int = 10_000, runsMax: Int = 20_000) {
      self.messageCharactersMax = messageCharactersMax
      self.runsMax = runsMax
    }
  }

  private let store: any Store
  private let model: any Model
  private let time: any TimeSource
  private let limits: Limits
  private let host: @Sendable () -> any ScriptHost
  private let executor: @Sendable () -> (any TaskExecutor)?
  private let deadlines: DeadlineQueue
  private let gate = SessionGate()
  private let running = Atomic<Int>(0)

  /// - Parameters:
  ///   - executor: On which the task of a new run prefers to run.
  ///   - host: Gives the version of the scripts that a new run takes.
  public init(
    store: any Store, model: any Model, time: any TimeSource, limits: Limits = Limits(),
    executor: @escaping @Sendable () -> (any TaskExecutor)? = { nil },
    host: @escaping @Sendable () -> any ScriptHost
  ) {
    self.store = store
    self.model = model
    self.time = time
    self.executor = executor
    deadlines = DeadlineQueue(time: time)
    self.limits = limits
    self.host = host
  }

  public var runsInProgress: Int { running.load(ordering: .relaxed) }

  /// Answers one message; cancelling the task cancels the run.
  ///
  /// - Parameter cancellation: Cancels the run as well, from wherever.
  /// - Throws: ``Failure``: `invalid_arguments`, `not_found` (agent), `denied`, `rejected`, `conflict` (busy session),
  ///   `rate_limited`, `timeout`, `upstream`, `cancelled`, `internal`, or what the script raised.
  public func chat(
    _ request: ChatRequest, as user: Principal, cancellation: RunCancellation = RunCancellation(),
    onEvent: (@Sendable (RunEvent) -> Void)? = nil
  ) async throws(Failure) -> ChatReply {
    try request.validate(messageCharactersMax: limits.messageCharactersMax)
    let host = host()
    guard let agent = host.agents[request.agent] else {
      throw Failure(.notFound, "there is no agent '\(request.agent)'")
    }
    try agent.admit(user)
    defer { running.subtract(1, ordering: .relaxed) }
    guard running.add(1, ordering: .relaxed).newValue <= limits.runsMax else {
      throw Failure(.limit, "the server is at its limit of runs", retryable: true, retryAfterSeconds: 1)
    }
    let turn = StoredTurn(
      request: request, sessionID: request.sessionID ?? Identifier.randomUUID(), user: user, agent: agent,
      store: store,
      environment: Run.Environment(
        host: host, model: model, time: time, deadlines: deadlines, onEvent: onEvent),
      cancellation: cancellation)
    // A task of its own: what cancels the run leaves the caller to hear how it ended.
    let task = Task(executorPreference: executor()) { [gate] in await turn.complete(behind: gate) }
    cancellation.set { task.cancel() }
    return try await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }.get()
  }
}
