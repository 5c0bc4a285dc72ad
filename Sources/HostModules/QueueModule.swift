// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import LuaHost

extension HostModule {
  /// `queue`: work for later.
  static let queue = HostModule(
    "queue",
    "Work that a worker does later, tried again while it fails, and kept as a dead letter when that is no use.",
    types: """
      ---@class (exact) perigee.PublishOptions
      ---@field delay? number seconds before it may be done, at most 30 days
      ---@field key? string jobs of the user with one key are done one after another, as they were published
      ---@field priority? integer -100 to 100, 0 unless said: of the user's jobs the highest is done first
      """,
    functions: [
      Function(
        "publish",
        "Publishes a call of a tool with `action = true`, and answers the job's id at once. In db.transaction it is published when that is committed.",
        [
          Parameter("action", "string", "the tool's name"),
          Parameter("payload", "table?", "its arguments: they must fit its `parameters`; at most 256 KiB"),
          Parameter("opts", "perigee.PublishOptions?", "`delay`, `key`, `priority`"),
        ],
        returns: "string", capability: "queue = true", mayWait: true,
        example: #"queue.publish("send_receipt", { order = 17 }, { key = "order-17", delay = 60 })"#)
    ],
    privateFunctions: [
      // Takes the number of the open transaction first, 0 for none.
      HostFunction("_queue.publish", .waits(publish, named: "queue.publish"))
    ])

  @Sendable private static func publish(_ given: Arguments, _ scope: ScriptScope) async throws -> LuaValue {
    try scope.need({ $0.queue }, "queue = true", for: "queue.publish")
    let arguments = given.rest
    let transaction = try scope.transaction(given.integer(1))
    try await admit(arguments, scope, isJournaled: transaction == nil)
    let job = try job(arguments, scope)
    let id = LuaValue.string(job.id)
    if let transaction {
      transaction.publish(job)
      return id
    }
    guard let journal = scope.journal else { return .nil }
    if scope.isInside {
      try await scope.resources.jobs.publish([job])
      return id
    }
    let call = arguments.journalCall(in: scope)
    if case .ended(let outcome)? = try journal.recall(call) {
      journal.acted(call.key)
      return try LuaValue(recorded: outcome.get())
    }
    try await journal.publish(call, RawJSON(recording: id), [job])
    return id
  }

  /// Refuses a job that would do what the run's user may not.
  private static func admit(
    _ arguments: Arguments, _ scope: ScriptScope, isJournaled: Bool
  ) async throws {
    let tool = try action(try arguments.string(1), in: scope)
    let run = scope.run
    guard !tool.admits(run.user), let journal = scope.journal else { return }
    let refuse = { () throws -> RawJSON in
      journal.record(
        AuditEntry(
          refusalOf: tool.name, to: run.user.actor, runID: run.runID, agent: run.agent.name,
          version: nil, arguments: RawJSON(try arguments.json(2)), at: scope.resources.time.now))
      throw tool.refusal
    }
    // What a tool does is in the journal with its call.
    guard isJournaled, !scope.isInside else {
      _ = try refuse()
      return
    }
    _ = try await journal.observe(arguments.journalCall(in: scope)) { try refuse() }
  }

  private static func job(_ arguments: Arguments, _ scope: ScriptScope) throws -> Job {
    let tool = try action(try arguments.string(1), in: scope)
    let payload = try payload(arguments, of: tool)
    let options = try arguments.options(3, ["delay", "key", "priority"])
    let delay = try options.number("delay") ?? 0
    guard delay >= 0, delay <= Job.delayMax / .seconds(1) else {
      throw arguments.fault(3, "option 'delay': 0 to \(Int(Job.delayMax / .seconds(1))) seconds expected")
    }
    let key = try options.string("key")
    if let key, key.isEmpty || key.utf8.count > Job.keyBytesMax {
      throw arguments.fault(3, "option 'key': 1 to \(Job.keyBytesMax) bytes expected, got \(key.utf8.count)")
    }
    let priority = try options.integer("priority") ?? 0
    guard Job.prioritiesAllowed.contains(priority) else {
      throw arguments.fault(3, "option 'priority': -100 to 100 expected, got \(priority)")
    }
    guard scope.shared.admitJob() else {
      throw Failure(.limit, "a run may publish at most \(Job.publishedByRunMax) jobs")
    }
    let now = scope.resources.time.now
    return Job(
      id: scope.jobIdentifier(arguments, of: tool.name), action: tool.name, payload: payload,
      user: scope.run.user, key: key, priority: priority, publisher: scope.run.runID,
      trace: scope.run.trace?.context, publishedAt: now,
      dueAt: now + .seconds(delay))
  }

  private static func action(_ name: String, in scope: ScriptScope) throws -> Tool {
    if let tool = scope.tools[name], tool.isAction { return tool }
    let names = scope.tools.values.filter(\.isAction).map(\.name).sorted()
    let known =
      names.isEmpty ? "no tool has action = true" : "the actions are: \(names.joined(separator: ", "))"
    throw Failure(
      .notFound,
      scope.tools[name] == nil
        ? "there is no action '\(name)'; \(known)" : "the tool '\(name)' has no action = true; \(known)",
      detail: ["actions": .array(names.map { .string($0) })])
  }

  private static func payload(_ arguments: Arguments, of tool: Tool) throws -> RawJSON {
    let given = try arguments.json(2)
    let isEmpty = given == .null || given == .array([])
    let payload: RawJSON
    do {
      payload = RawJSON(try tool.parameters.validate(isEmpty ? .object(JSONObject()) : given))
    } catch {
      throw Failure.invalidArguments(of: tool.name, error)
    }
    guard payload.bytes.count <= Job.payloadBytesMax else {
      throw Failure(
        .limit, "the payload has \(payload.bytes.count) bytes, more than \(Job.payloadBytesMax)")
    }
    return payload
  }
}

extension ScriptScope {
  /// The same whenever the same call is made again.
  fileprivate func jobIdentifier(_ arguments: Arguments, of action: String) -> String {
    // Each attempt of a tool has keys of its own, and its jobs are the same.
    if let journal, callKey == nil { return journal.identifier(for: key(arguments)) }
    return Job.identifier(publishedBy: callKey ?? run.runID, at: "\(arguments.site)", action: action)
  }
}

extension HostError {
  static let transactionEnded = HostError(
    code: "timeout", message: "the transaction had already ended", retryable: true, detail: nil)
}
