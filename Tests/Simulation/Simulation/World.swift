// SPDX-License-Identifier: Apache-2.0
import CSimulation
import Core
import Foundation
import HostModules
import JSONCodec
import Logging
import Storage
import Synchronization
import Transport
import Workspace

/// One history, chosen by its seed: users talk to a server whose process ends now and then, on a disk that fails.
struct World {
  let seed: UInt64
  let workspace: String
  let data: String

  private static let users = 2
  private static let messages = 3
  private static let tokensADay = 500

  /// - Returns: What went wrong; empty = nothing.
  func run() throws -> [String] {
    let loop = Loop.shared
    sim_seed(seed)
    loop.restart(seed: seed)
    let ledger = Ledger(plan: plan(), limit: Self.tokensADay)
    let failsOneIn = [0, 40, 200][loop.random(below: 3)]
    for life in 0..<loop.random(below: 4) {
      start(ledger, Disk(failsOneIn: failsOneIn))
      let isOver = loop.run(steps: 50 + loop.random(below: 1500)) { ledger.problem != nil }
      if isOver { return [ledger.problem ?? ""] }
      // Its process is gone, and all that it was about to do.
      loop.reset(seed: seed &+ UInt64(life) &* 1000 &+ 1)
    }
    start(ledger, Disk(failsOneIn: failsOneIn))
    guard loop.run(steps: 400_000, until: { ledger.isOver || ledger.problem != nil }) else {
      return ["it has not come to its end after \(loop.elapsed): \(ledger.state)"]
    }
    loop.reset(seed: seed)
    return ledger.problem.map { [$0] } ?? ledger.check()
  }

  private func plan() -> [[Ledger.Message]] {
    var order = 0
    return (0..<Self.users).map { user in
      (0..<Self.messages).map { number in
        order += 1
        let agent = ["flow", "flow", "steps", "talk"][Loop.shared.random(below: 4)]
        return Ledger.Message(agent: agent, user: "u\(user)", order: order, key: "u\(user)-\(number)")
      }
    }
  }

  /// Starts a process; it ends where nobody runs its jobs any more.
  private func start(_ ledger: Ledger, _ disk: Disk) {
    let (workspace, data) = (workspace, data)
    Task(executorPreference: Loop.shared) {
      do {
        try await Life.begin(workspace: workspace, data: data, ledger, disk)
      } catch {
        ledger.fail("a process does not start: \(error)")
      }
    }
  }
}

/// What users know, and what was counted, over all processes.
final class Ledger: Sendable {
  struct Message: Sendable {
    var agent: String
    var user: String
    var order: Int
    var key: String
  }

  private struct State {
    /// By the keys of the messages.
    var answers: [String: ChatReply] = [:]
    var failures: [String: Failure] = [:]
    /// Small values that were counted up, by scope and key.
    var counts: [String: Int64] = [:]
    /// Users of whom a job was given up for a while: those behind it went before.
    var overtaken: Set<String> = []
    /// Orders as they were done for the first time, by user.
    var done: [String: [Int]] = [:]
    var problem: String?
    var isOver = false
    /// For what its end waits.
    var awaited = ""
    var usage: [String: Int] = [:]
    var messages: [String: Int] = [:]
  }

  let plan: [[Message]]
  let limit: Int
  private let contents = Mutex(State())

  init(plan: [[Message]], limit: Int) {
    self.plan = plan
    self.limit = limit
  }

  var problem: String? { contents.withLock(\.problem) }
  var isOver: Bool { contents.withLock(\.isOver) }
  var state: String {
    contents.withLock { state in
      plan.joined().map {
        "\($0.key) \($0.agent): \(state.answers[$0.key]?.text ?? state.failures[$0.key].map { "\($0)" } ?? "open")"
      }
      .joined(separator: "; ") + "; waiting for \(state.awaited)"
    }
  }

  func fail(_ problem: String) { contents.withLock { $0.problem = $0.problem ?? problem } }
  func wait(for what: String) { contents.withLock { $0.awaited = what } }
  func overtaken(_ user: String) { contents.withLock { _ = $0.overtaken.insert(user) } }
  func finish() { contents.withLock { $0.isOver = true } }
  func isAnswered(_ message: Message) -> Bool { contents.withLock { $0.answers[message.key] != nil } }
  var isAllAnswered: Bool { plan.joined().allSatisfy { isAnswered($0) || wasRefused($0) } }
  func wasRefused(_ message: Message) -> Bool {
    contents.withLock { $0.failures[message.key]?.code == .rateLimited }
  }

  func answered(_ message: Message, _ reply: ChatReply) {
    contents.withLock { state in
      if let before = state.answers[message.key], before.text != reply.text || before.runID != reply.runID {
        state.problem =
          "\(message.key) was answered with \(before.text) by \(before.runID), and then with \(reply.text) by \(reply.runID)"
      }
      state.answers[message.key] = reply
    }
  }

  func refused(_ message: Message, _ failure: Failure) {
    contents.withLock { $0.failures[message.key] = failure }
  }

  func counted(_ scope: String, _ key: String, _ value: Int64) {
    contents.withLock { state in
      state.counts["\(scope) \(key)"] = value
      if key.hasPrefix("orders:"), let order = Int(key.dropFirst(7)),
        !(state.done[scope] ?? []).contains(order)
      {
        state.done[scope, default: []].append(order)
      }
    }
  }

  func kept(_ user: String, tokens: Int, messages: Int) {
    contents.withLock { state in
      state.usage[user] = tokens
      state.messages[user] = messages
    }
  }

  /// What must hold once all is done.
  func check() -> [String] {
    contents.withLock { state in
      var problems: [String] = []
      for messages in plan {
        for message in messages {
          guard let reply = state.answers[message.key] else { continue }
          guard message.agent != "talk" else { continue }
          let said = ((try? JSON(parsing: Array(reply.text.utf8)))?.array ?? []).compactMap(\.integer)
            .sorted()
          let counted = state.counts.filter { $0.key.contains(" done:\(reply.runID):") }.map(\.value).sorted()
          if said != counted || said.isEmpty {
            problems.append("\(message.key): the answer says \(said), but it was done \(counted) times")
          }
          if message.agent == "flow", state.counts["user:\(message.user) orders:\(message.order)"] == nil {
            problems.append("\(message.key): its order \(message.order) was never done")
          }
        }
        guard let user = messages.first?.user else { continue }
        let done = state.done["user:\(user)"] ?? []
        if done != done.sorted(), !state.overtaken.contains(user) {
          problems.append("\(user): orders were done as \(done)")
        }
        if state.usage[user, default: 0] > limit {
          problems.append("\(user): \(state.usage[user]!) tokens of \(limit)")
        }
        // One message and one answer each, however often it was sent.
        let expected = 2 * messages.count
        if state.messages[user] != expected {
          problems.append("\(user): \(state.messages[user] ?? 0) messages are kept in place of \(expected)")
        }
      }
      return problems
    }
  }
}

/// One process: from its start to wherever it is cut off.
struct Life: Sendable {
  let store: FailingStore
  let runner: Runner
  let host: any ScriptHost
  let ledger: Ledger
  let disk: Disk
  let time = LoopTime()

  /// Nothing asks for anything by it: no script may.
  private static let client = Result { () throws(TransportError) in try HTTPClient() }

  static func begin(workspace: String, data: String, _ ledger: Ledger, _ disk: Disk) async throws {
    let base = try await disk.end { try await SQLiteStore.open(directory: data, synchronous: .normal) }
    let store = FailingStore(base: base, disk: disk)
    let time = LoopTime()
    let counting = CountingKeyValueStore(
      base: FailingKeyValueStore(base: SQLiteKeyValueStore(store: base, time: time), disk: disk),
      ledger: ledger)
    let scripts = try await disk.end(needsJobs: true) {
      let database = try await SQLiteScriptDatabase.open(directory: data)
      return try await Workspace(
        directory: workspace,
        resources: ScriptResources(
          database: database, keyValue: counting, jobs: store, http: Self.client.get(),
          httpPolicy: HTTPPolicy(),
          time: time, logger: Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }),
        settings: LuaScriptHost.Settings(), defaults: RunLimits(seconds: 300), store: base)
    }
    let runner = Runner(
      store: store, model: CountingModel(), time: time,
      limits: Runner.Limits(day: SpendingLimits(tokens: ledger.limit)), executor: { Loop.shared },
      deployment: { scripts.deployment })
    let life = Life(store: store, runner: runner, host: scripts.deployment.active, ledger: ledger, disk: disk)
    let start = time.now
    let unfinished = try await disk.end {
      _ = try await base.interruptLoneRuns(at: start)
      _ = try await base.endLeases(at: start)
      return try await base.unfinishedRuns(begunBefore: Timestamp(milliseconds: start.milliseconds + 1))
    }
    await life.live(unfinished.map { runner.adopt($0) })
  }

  private func live(_ unfinished: [AdoptedRun]) async {
    let workers = JobWorkers(runner: runner, settings: JobWorkers.Settings(count: 2))
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await workers.run() }
      for run in unfinished { group.addTask { _ = try? await runner.resume(run, on: host) } }
      group.addTask { await resumeDue() }
      for messages in ledger.plan { group.addTask { await talk(messages) } }
      group.addTask { await watch() }
    }
  }

  private final class Awake: Sendable {
    let runs = Mutex<[String: UnfinishedRun.Session]>([:])
  }

  /// As the server does.
  private func resumeDue() async {
    let awake = Awake()
    await withTaskGroup(of: Void.self) { group in
      while true {
        let sessions = awake.runs.withLock { Set($0.values) }
        for run in (try? await runner.dueRuns(limit: 8, except: sessions)) ?? [] {
          guard awake.runs.withLock({ $0.updateValue(run.session, forKey: run.runID) }) == nil else {
            continue
          }
          let adopted = runner.adopt(run, keepingSession: false)
          group.addTask {
            _ = try? await runner.resume(adopted, on: host)
            awake.runs.withLock { $0[run.runID] = nil }
          }
        }
        try? await time.sleep(for: .seconds(1))
      }
    }
  }

  /// One user: says one thing after another, each until there is an answer.
  private func talk(_ messages: [Ledger.Message]) async {
    for message in messages where !ledger.isAnswered(message) && !ledger.wasRefused(message) {
      let user = Principal(id: message.user)
      var request = ChatRequest(
        agent: message.agent, message: "order \(message.order)", sessionID: "s",
        input: JSONObject([("order", .integer(Int64(message.order)))]))
      request.idempotencyKey = IdempotencyKey(name: message.key, digest: Array(message.key.utf8))
      var last = "none"
      for attempt in 0... {
        if attempt == 30 { disk.mend() }
        if attempt > 300 { return ledger.fail("\(message.key) gets no answer: \(last)") }
        do {
          switch try await runner.chat(request, as: user) {
          case .answered(let reply):
            ledger.answered(message, reply)
          case .waiting(let run):
            last = "it waits for \(run.approval.map { "\($0.status)" } ?? "time")"
            if let approval = run.approval {
              _ = try? await runner.decide(approval: approval.id, "approve", as: user)
            }
          }
          if ledger.isAnswered(message) { break }
        } catch {
          last = "\(error)"
          if error.code == .rateLimited {
            ledger.refused(message, error)
            break
          }
        }
        try? await time.sleep(for: .seconds(2))
      }
    }
  }

  /// Ends the history once everybody has an answer and nothing is left to do.
  private func watch() async {
    while true {
      try? await time.sleep(for: .seconds(5))
      guard ledger.isAllAnswered else { continue }
      disk.mend()
      do {
        for letter in try await store.deadLetters(visibleTo: .everyone, page: PageRequest(limit: 100)).items {
          ledger.overtaken(letter.job.user.id)
          try await store.retryDeadLetter(id: letter.job.id, by: Principal.local.actor, at: time.now)
        }
        let jobs = try await store.jobCounts()
        let runs = try await store.runs(visibleTo: .everyone, page: PageRequest(limit: 200)).items
        let open = runs.filter { $0.finishedAt == nil }
        guard jobs.queued + jobs.running + jobs.dead == 0, open.isEmpty else {
          ledger.wait(for: "\(jobs), \(open)")
          continue
        }
        for messages in ledger.plan {
          guard let user = messages.first?.user else { continue }
          let tokens = try await store.usage(userID: user, since: Timestamp(milliseconds: 0))
          let kept = try await store.messages(sessionID: "s", userID: user, page: PageRequest(limit: 200))
            .items
          ledger.kept(user, tokens: tokens.inputTokens + tokens.outputTokens, messages: kept.count)
        }
        for fault in try await store.verifyAudit().faults {
          ledger.fail("the audit trail: \(fault.number) \(fault.message)")
        }
        try await auditEnds(of: runs)
        return ledger.finish()
      } catch {
        ledger.fail("what there is cannot be read: \(error)")
      }
    }
  }

  /// The trail tells of each run how it ended.
  private func auditEnds(of runs: [RunRecord]) async throws {
    var (ends, after): ([String: Int], String?) = ([:], nil)
    repeat {
      let page = try await store.auditTrail(
        AuditFilter(actions: [.runEnded]), page: PageRequest(limit: 200, after: after))
      for entry in page.items { ends[entry.entry.runID ?? "", default: 0] += 1 }
      after = page.next
    } while after != nil
    for run in runs where ends[run.id] == nil {
      ledger.fail("the end of run \(run.id) is not in the audit trail")
    }
  }
}

/// Tells of everything that is counted up.
private struct CountingKeyValueStore: KeyValueStore {
  let base: FailingKeyValueStore
  let ledger: Ledger

  func get(scope: KeyValueScope, key: String) async throws -> RawJSON? {
    try await base.get(scope: scope, key: key)
  }
  func set(scope: KeyValueScope, key: String, value: RawJSON, ttl: Duration?) async throws {
    try await base.set(scope: scope, key: key, value: value, ttl: ttl)
  }
  func delete(scope: KeyValueScope, key: String) async throws -> Bool {
    try await base.delete(scope: scope, key: key)
  }
  func increment(scope: KeyValueScope, key: String, by amount: Int64, ttl: Duration?) async throws -> Int64 {
    try await base.increment(scope: scope, key: key, by: amount, ttl: ttl) {
      ledger.counted(scope.text, key, $0)
    }
  }
}

/// Answers after a while, for a hundred tokens.
private struct CountingModel: Model {
  func isConfigured(for models: [String]) -> Bool { true }

  func respond(
    to request: ModelRequest, within deadline: Duration, onText: TextListener?
  ) async throws -> ModelReply {
    try await LoopTime().sleep(for: .milliseconds(10 + Loop.shared.random(below: 2000)))
    return ModelReply(
      model: "m", text: "hello", finishReason: .stop, usage: Usage(inputTokens: 60, outputTokens: 40))
  }

  func embed(_ request: EmbeddingRequest, within deadline: Duration) async throws -> EmbeddingReply {
    throw CancellationError()
  }
}
