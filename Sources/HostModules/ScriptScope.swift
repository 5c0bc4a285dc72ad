// SPDX-License-Identifier: Apache-2.0
public import Core
import JSONCodec
public import Logging
import LuaHost
import Synchronization
public import Transport

/// What the functions of scripts reach beyond their run; the same for all runs of a server.
public struct ScriptResources: Sendable {
  public var database: any ScriptDatabase
  public var keyValue: any KeyValueStore
  public var jobs: any JobStore
  public var http: HTTPClient
  public var httpPolicy: HTTPPolicy
  public var secrets: ScriptSecrets
  public var time: any TimeSource
  public var logger: Logger

  public init(
    database: any ScriptDatabase, keyValue: any KeyValueStore, jobs: any JobStore, http: HTTPClient,
    httpPolicy: HTTPPolicy,
    secrets: ScriptSecrets = ScriptSecrets(), time: any TimeSource, logger: Logger
  ) {
    self.database = database
    self.keyValue = keyValue
    self.jobs = jobs
    self.http = http
    self.httpPolicy = httpPolicy
    self.secrets = secrets
    self.time = time
    self.logger = logger
  }
}

/// What the configuration allows `http` beside each tool's own list (`http` in perigee.yaml).
public struct HTTPPolicy: Sendable {
  /// Narrows every tool's list; empty = does not narrow.
  public var allow: [HostPattern]
  public var allowsPrivateAddresses: Bool
  /// That no request goes to, whatever the lists say.
  public var blockedPorts: Set<Int> = []
  public var timeoutSeconds: Double
  public var bodyBytesMax: Int

  public init(
    allow: [HostPattern] = [], allowsPrivateAddresses: Bool = false, timeoutSeconds: Double = 30,
    bodyBytesMax: Int = 10 << 20
  ) {
    self.allow = allow
    self.allowsPrivateAddresses = allowsPrivateAddresses
    self.timeoutSeconds = timeoutSeconds
    self.bodyBytesMax = bodyBytesMax
  }
}

/// On whose behalf a host call is made: one function of an agent, or one call of a tool.
public final class ScriptScope: Sendable {
  public let run: RunContext
  public let services: any RunServices
  public let resources: ScriptResources
  /// The tools of the run's workspace.
  public let tools: [String: Tool]
  /// The files that it may read, by path under `files/`.
  let texts: [String: [UInt8]]
  let access: Access
  /// The file whose function runs: it owns the tables that its `schema` made.
  let file: String
  /// `tool 'add_todo'`, for messages; `nil` = its access is not its author's to choose.
  let subject: String?
  /// What all functions of the run share.
  let shared: RunShared
  /// Keeps what this function's host calls do and see; `nil` = nobody asks twice.
  let journal: Journal?
  /// Inside a tool, whose call is kept as a whole.
  let isInside: Bool
  /// Before the keys of this function's host calls: `run:`.
  public let place: String
  /// In which it was called: what it does in the workspace's database, it does there.
  let transaction: TransactionRecord?
  /// The idempotency key of the tool's call; `nil` = an agent's own function.
  let callKey: String?
  private let transactions = Mutex<[Int64: TransactionRecord]>([:])
  private let streams = Mutex<[Int64: TextPipe]>([:])

  /// The scope of an agent's own functions, which may always call models.
  ///
  /// - Parameter prefix: Before the keys of what they do.
  public init(
    agentOf run: RunContext, services: any RunServices, resources: ScriptResources, tools: [String: Tool],
    texts: [String: [UInt8]], journal: Journal, prefix: String,
    within transaction: (any OpenTransaction)? = nil
  ) {
    self.journal = journal
    self.transaction = transaction as? TransactionRecord
    isInside = false
    place = prefix
    callKey = nil
    self.run = run
    self.services = services
    self.resources = resources
    self.tools = tools
    self.texts = texts
    var access = run.agent.access
    access.models = true
    self.access = access
    shared = RunShared()
    file = run.agent.file
    subject = "agent '\(run.agent.name)'"
  }

  /// The key in the journal of the call of a tool within which this is.
  var callPlace: String {
    // An attempt of a job has no number within its run.
    String(place[..<(place.lastIndex(of: "#") ?? place.lastIndex(of: ":") ?? place.endIndex)])
  }

  /// The scope of one call of one of the agent's functions.
  public convenience init(_ function: String, in scope: ScriptScope) {
    self.init(at: "\(scope.place)\(function):", in: scope)
  }

  /// - Parameter place: Before the keys of its host calls.
  public init(at place: String, in scope: ScriptScope) {
    run = scope.run
    services = scope.services
    resources = scope.resources
    tools = scope.tools
    texts = scope.texts
    access = scope.access
    shared = scope.shared
    file = scope.file
    subject = scope.subject
    journal = scope.journal
    isInside = scope.isInside
    transaction = scope.transaction
    self.place = place
    callKey = scope.callKey
  }

  /// The scope of one attempt of a call of `tool`.
  ///
  /// - Parameter given: In which it is called; `nil` = the one in which the agent is, if any.
  public init(
    _ tool: Tool, _ call: ToolCallContext, in scope: ScriptScope, within given: (any OpenTransaction)? = nil
  ) {
    journal = scope.journal
    transaction = given as? TransactionRecord ?? scope.transaction
    // In a transaction no call is kept as a whole but the transaction.
    isInside = transaction == nil || scope.isInside
    place = "\(call.place):"
    callKey = call.key
    run = scope.run
    services = scope.services
    resources = scope.resources
    tools = scope.tools
    texts = scope.texts
    access = tool.access
    shared = scope.shared
    file = tool.file
    subject = "tool '\(tool.name)'"
  }

  /// The scope of a `check` in an eval: it looks at what the agent left behind, and changes nothing.
  public init(checkOf run: RunContext, resources: ScriptResources) {
    journal = nil
    transaction = nil
    isInside = false
    place = ""
    callKey = nil
    self.run = run
    services = NoServices()
    self.resources = resources
    tools = [:]
    texts = [:]
    access = Access(database: .read, keyValue: .read)
    shared = RunShared()
    file = run.agent.file
    subject = nil
  }

  /// - Throws: ``HostError`` `denied` that says what the `access` of the caller must name.
  func need(_ isGranted: (Access) -> Bool, _ name: String, for call: String) throws(HostError) {
    guard isGranted(access) else {
      let remedy = subject.map { "add access = { \(name) } to \($0)" } ?? "a check may only look"
      throw HostError(
        code: "denied", message: "\(call) is not allowed here: \(remedy)", retryable: false, detail: nil)
    }
  }

  /// The transaction of that number, or for 0 the one in which it was called; `nil` = none.
  ///
  /// - Throws: ``HostError`` `timeout` when it has ended.
  func transaction(_ number: Int64) throws(HostError) -> TransactionRecord? {
    guard number != 0 else { return transaction }
    guard let transaction = transactions.withLock({ $0[number] }) else { throw .transactionEnded }
    return transaction
  }

  func add(_ transaction: TransactionRecord) -> Int64 {
    let number = shared.nextNumber()
    transactions.withLock { $0[number] = transaction }
    return number
  }

  /// Takes a transaction out, so that it ends once; one that is let go of is rolled back.
  func remove(_ number: Int64) -> TransactionRecord? {
    transactions.withLock { $0.removeValue(forKey: number) }
  }

  /// The answer of that number that is being streamed; `nil` when it is over.
  func stream(_ number: Int64) -> TextPipe? { streams.withLock { $0[number] } }

  func openStream() -> Int64 {
    let number = shared.nextNumber()
    streams.withLock { $0[number] = TextPipe() }
    return number
  }

  /// Tells the reader of an answer that it is over.
  func endStream(_ number: Int64) { streams.withLock { $0.removeValue(forKey: number) }?.finish() }

  /// Whether an error that the script let pass was a host call's complaint about the script, not about its caller.
  public func isOwnFault(_ code: String, _ message: String) -> Bool {
    shared.faults.withLock { $0.contains("\(code) \(message)") }
  }

  func note(fault error: HostError) {
    guard ["invalid_arguments", "denied", "not_found"].contains(error.code) else { return }
    shared.faults.withLock { faults in
      // The last ones are enough: a script that lets an error pass does so at once.
      if faults.count >= 16 { faults.removeFirst() }
      faults.append("\(error.code) \(error.message)")
    }
  }
}

/// There is no run behind a check: it can ask neither tools, agents nor models.
private struct NoServices: RunServices {
  private func refusal(_ call: String) -> Failure {
    Failure(.denied, "\(call) is not allowed here: a check may only look")
  }

  func callTool(
    name: String, arguments: JSON, key: String, within transaction: (any OpenTransaction)?
  ) async throws -> RawJSON { throw refusal("tools.call") }
  func runAgent(
    name: String, input: JSON, key: String, within transaction: (any OpenTransaction)?
  ) async throws -> ScriptReply {
    throw refusal("agents.run")
  }
  func chat(_ request: ModelRequest, key: String, onText: TextListener?) async throws -> ModelReply {
    throw refusal("llm.chat")
  }
  func embed(_ request: EmbeddingRequest, key: String) async throws -> EmbeddingReply {
    throw refusal("llm.embed")
  }
  func ask(_ question: Approval.Question, timeout: Duration?, key: String) async throws -> JSON {
    throw refusal("approval.request")
  }
  func sleep(for duration: Duration, on clock: any TimeSource, key: String) async throws {
    try await clock.sleep(for: duration)
  }
  func askWhetherDone(_ begun: JournalEntry, arguments: RawJSON?) async throws -> RawJSON? { nil }
}

/// What the functions of one run share, whoever called them.
final class RunShared: Sendable {
  /// Lines and bytes that one run may log.
  static let logLinesMax = 1000
  static let logBytesMax = 256 << 10

  enum LogVerdict {
    case write, writeLast, drop
  }

  private struct Log {
    var lines = 0
    var bytes = 0
  }

  fileprivate let faults = Mutex<[String]>([])
  private let log = Mutex(Log())
  private let numbers = Atomic<Int64>(0)

  private let jobs = Atomic<Int>(0)
  private let events = Atomic<Int>(0)

  /// Counts an event that is emitted; false when there were too many.
  func admitEvent() -> Bool {
    events.add(1, ordering: .relaxed).newValue <= Event.emittedByRunMax
  }

  /// Counts a job that is published; false when there were too many.
  func admitJob() -> Bool { jobs.add(1, ordering: .relaxed).newValue <= Job.publishedByRunMax }

  func nextNumber() -> Int64 { numbers.wrappingAdd(1, ordering: .relaxed).newValue }

  /// Counts a line of the log.
  func admit(logBytes: Int) -> LogVerdict {
    log.withLock { log in
      if log.lines > RunShared.logLinesMax { return .drop }
      log.lines += 1
      log.bytes += logBytes
      if log.bytes > RunShared.logBytesMax { log.lines = RunShared.logLinesMax + 1 }
      return log.lines > RunShared.logLinesMax ? .writeLast : .write
    }
  }
}

extension HostError {
  init(_ failure: Failure) {
    self.init(
      code: failure.code.rawValue, message: failure.message, retryable: failure.retryable,
      detail: failure.detail.map { RawJSON($0) })
  }

  /// A workspace is being loaded: there is no run to act for.
  static func loading(_ name: String) -> HostError {
    .invalid(
      "\(name) is not available while a script loads; call it from a tool, prompt, before, after or run")
  }

  static func invalid(_ message: String) -> HostError {
    HostError(code: "invalid_arguments", message: message, retryable: false, detail: nil)
  }
}

extension HostFunction.Body where Context == ScriptScope? {
  /// A call that may wait; a ``Failure`` becomes the script's error table.
  static func waits(
    _ body: @escaping @Sendable (Arguments, ScriptScope) async throws -> LuaValue, named name: String,
    recorded recording: Recording = .none
  ) -> Self {
    .suspending { values, scope, site in
      guard let scope else { throw HostError.loading(name) }
      do {
        return try await scope.recorded(Arguments(values, of: name, at: site), recording, body)
      } catch {
        throw scope.noted(error, of: name)
      }
    }
  }

  /// A call that answers at once.
  ///
  /// - Parameter recorded: It may answer something else another time.
  static func answers(
    _ body: @escaping @Sendable (Arguments, ScriptScope) throws -> LuaValue, named name: String,
    recorded: Bool = false
  ) -> Self {
    .immediate { values, scope, site in
      guard let scope else { throw HostError.loading(name) }
      let arguments = Arguments(values, of: name, at: site)
      do {
        return try recorded ? scope.recordedAtOnce(arguments, body) : body(arguments, scope)
      } catch {
        throw scope.noted(error, of: name)
      }
    }
  }
}

extension ScriptScope {
  /// The error that the script gets; what tools and agents raised is theirs, the rest is about the script itself.
  fileprivate func noted(_ error: any Error, of name: String) -> any Error {
    let hostError: HostError
    switch error {
    case let error as HostError: hostError = error
    case let failure as Failure: hostError = HostError(failure)
    case let misuse as Misuse:
      note(fault: HostError(misuse.failure))
      return HostError(misuse.failure)
    default: return error
    }
    if !isCalledOnes(hostError, name) { note(fault: hostError) }
    return hostError
  }

  /// Whether an error is what a tool or an agent raised that the script called, or that its user may not use it.
  private func isCalledOnes(_ error: HostError, _ name: String) -> Bool {
    name == "tools.call" || name == "agents.run" && error.code != "invalid_arguments"
  }
}
