// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Synchronization

/// What scripts ask for.
extension Run {
  struct Services: RunServices {
    let run: Run

    func callTool(
      name: String, arguments: JSON, key: String, within transaction: (any OpenTransaction)?
    ) async throws -> RawJSON {
      guard let script = run.script else { throw CancellationError() }
      return try await run.counted {
        try await run.callTool(name, arguments, key: key, in: script, within: transaction)
      }
    }

    func runAgent(
      name: String, input: JSON, key: String, within transaction: (any OpenTransaction)?
    ) async throws -> ScriptReply {
      guard run.environment.host.agents[name] != nil else {
        throw Misuse(failure: Failure(.notFound, "there is no agent '\(name)'"))
      }
      return try await run.counted {
        try await run.runAgent(name: name, input: input, key: key, within: transaction)
      }
    }

    func chat(_ request: ModelRequest, key: String, onText: TextListener?) async throws -> ModelReply {
      try await run.chat(request, key: key, onText: onText)
    }

    func embed(_ request: EmbeddingRequest, key: String) async throws -> EmbeddingReply {
      try await run.embed(request, key: key)
    }

    func ask(_ question: Approval.Question, timeout: Duration?, key: String) async throws -> JSON {
      try await run.ask(question, timeout: timeout, key: key)
    }

    func sleep(for duration: Duration, on clock: any TimeSource, key: String) async throws {
      try await run.sleep(for: duration, on: clock, key: key)
    }

    func askWhetherDone(_ begun: JournalEntry, arguments: RawJSON?) async throws -> RawJSON? {
      try await run.askWhetherDone(begun, begun.name, arguments: arguments)
    }
  }

  /// Bounds the calls under way, so that a tool that calls itself ends.
  func counted<Value>(_ body: () async throws -> Value) async throws -> Value {
    defer { calls.inFlight.subtract(1, ordering: .relaxed) }
    guard calls.inFlight.add(1, ordering: .relaxed).newValue <= Run.callsInFlightMax else {
      throw Failure(
        .limit, "more than \(Run.callsInFlightMax) calls of tools and agents are under way in this run")
    }
    return try await body()
  }

  func callTool(
    _ name: String, _ arguments: JSON, key: String, in script: any ScriptRun,
    within transaction: (any OpenTransaction)?
  ) async throws -> RawJSON {
    let names =
      switch agent.tools {
      case .names(let names): names
      case .function: try await script.tools(askedBy: key)
      }
    guard names.contains(name), let tool = environment.host.tools[name] else {
      throw Misuse(
        failure: Failure(
          .notFound,
          "\(agent.name) has no tool '\(name)'; "
            + (names.isEmpty ? "it has none" : "it has: \(names.joined(separator: ", "))")))
    }
    return try await call(tool, arguments, key: key, in: script, within: transaction)
  }

  /// Calls a tool for the script or the workflow, which may name it.
  func call(
    _ tool: Tool, _ arguments: JSON, key: String, in script: any ScriptRun,
    within transaction: (any OpenTransaction)? = nil
  ) async throws -> RawJSON {
    let valid: JSON
    do {
      // Who may not use it is told that first.
      valid = tool.admits(context.user) ? try tool.parameters.validate(arguments) : arguments
    } catch {
      throw Failure.invalidArguments(of: tool.name, error)
    }
    let id = "call_" + journal.identifier(for: key)
    let (call, brought) = try await record(
      id: id, name: tool.name, arguments: RawJSON(valid), of: tool.name, key: key, in: script
    ) {
      try await self.perform(
        tool, arguments: RawJSON(valid), id: id, key: key, in: script, within: transaction)
    }
    turn.withLock { $0.recorded(call, hasEffect: tool.effect == .write) }
    // What is kept of it models may read later; the script gets what the tool brought.
    switch brought {
    case .result(let result): return result
    case .failed(let failure): throw failure
    }
  }

  func chat(_ request: ModelRequest, key: String, onText: TextListener?) async throws -> ModelReply {
    try await onBehalfOfScript(request.models) {
      let reply = try await ask(request, at: key, onText: onText)
      return (reply, reply.usage)
    }
  }

  func embed(_ request: EmbeddingRequest, key: String) async throws -> EmbeddingReply {
    let entry = JournalCall(key: key, name: "llm.embed", digest: request.digest)
    let recorded = try await journal.observe(entry) { try await embedNow(request).json }
    guard let reply = EmbeddingReply(json: try recorded.value()) else {
      throw Failure(.internal, "the journal holds no embeddings where they should stand")
    }
    return reply
  }

  private func embedNow(_ request: EmbeddingRequest) async throws -> EmbeddingReply {
    let call = Budget.Call(
      inputTokens: Usage.estimatedTokens(bytes: request.inputs.reduce(0) { $0 + $1.utf8.count }),
      outputTokensMax: 0, price: environment.model.price(of: [request.model]),
      copies: environment.model.askedAtOnce(of: [request.model]))
    return try await onBehalfOfScript([request.model]) {
      let reply = try await spending(call) { _ in
        let reply = try await environment.model.embed(request, within: remaining)
        return (reply, reply.usage)
      }
      return (reply, reply.usage)
    }
  }

  /// Asks a model for the script, and counts what it took.
  func onBehalfOfScript<Reply>(
    _ models: [String], _ ask: () async throws -> (Reply, Usage)
  ) async throws -> Reply {
    guard journal.isReplaying || environment.model.isConfigured(for: models) else {
      throw Failure(.upstream, "no model is configured", detail: ["kind": "notConfigured"])
    }
    do {
      let (reply, usage) = try await ask()
      turn.withLock { $0.spent(usage) }
      return reply
    } catch let error as ModelError {
      throw Failure(error)
    } catch let exhausted as Budget.Exhausted {
      throw exhausted.failure(at: environment.time.now)
    }
  }

  /// Runs another agent, unless it has answered in an earlier life of the run.
  ///
  /// - Parameter given: In which it is called; `nil` = the one in which this run was, if any.
  func runAgent(
    name: String, input: JSON, key: String, within given: (any OpenTransaction)? = nil
  ) async throws -> ScriptReply {
    let reply = try await answer(of: name, to: input, key: key, within: given)
    if reply.usingStub { turn.withLock { $0.heardStub() } }
    return reply
  }

  private func answer(
    of name: String, to input: JSON, key: String, within given: (any OpenTransaction)?
  ) async throws -> ScriptReply {
    if let transaction = given ?? transaction {
      // Its answer is worth nothing without what its tools wrote: it is run again, and asks its models no more.
      journal.enclose("\(key)/", in: transaction)
      return try await transaction.calling(key) {
        try await tellingAgent(name, journal.identifier(for: key), input, key: key) {
          try await runAgentNow(name: name, input: input, heard: $0, key: key, within: transaction)
        }
      }
    }
    let call = JournalCall(key: key, name: "agent \(name)", digest: RawJSON(input).digest)
    // What it did is handed back with its answer, and is not seen again.
    let mark = JournalCall(key: "\(key).acted", name: JournalCall.acted)
    if journal.isReplaying, try journal.recall(mark) != nil { journal.acted(key) }
    let recorded = try await journal.observe(call) {
      defer {
        if journal.hasActed(under: "\(key)/") {
          journal.keep(mark, .result(.null), startedAt: environment.time.now, milliseconds: 0)
        }
      }
      return try await tellingAgent(name, journal.identifier(for: key), input, key: key) {
        try await runAgentNow(name: name, input: input, heard: $0, key: key, within: nil)
      }.json
    }
    return ScriptReply(json: try recorded.value())
  }

  private func runAgentNow(
    name: String, input: JSON, heard: borrowing Mutex<JSON>, key: String,
    within transaction: (any OpenTransaction)?
  ) async throws -> ScriptReply {
    guard depth < Run.depthMax else {
      throw Failure(.limit, "agents call one another more than \(Run.depthMax) deep")
    }
    guard let agent = environment.host.agents[name] else {
      throw Failure(.notFound, "there is no agent '\(name)'")
    }
    try agent.admit(context.user)
    if transaction != nil, !agent.body.tasks.isEmpty {
      throw Failure(
        .invalidArguments,
        "the agent '\(name)' may not be called inside db.transaction: its steps are kept one by one")
    }
    guard calls.agents.add(1, ordering: .relaxed).newValue <= Run.agentCallsMax else {
      throw Failure(.limit, "more than \(Run.agentCallsMax) agents were called in this run")
    }
    let message = input["message"]?.string ?? input.string ?? RawJSON(input).text
    var object = input.object ?? JSONObject()
    object["message"] = nil
    do {
      // One that has begun was let in, whatever the rules are by now.
      if !journal.isRecorded(under: "\(key)/") {
        try environment.cabinet.guards(of: agent)?.check(message, object)
      }
    } catch {
      heard.withLock { $0 = .null }
      decided(.input, isRefused: true, error.guardRules, by: agent, key: "\(key)/guard.input")
      throw error
    }
    object["message"] = .string(message)
    var child = context
    child.runID = journal.identifier(for: key)
    child.agent = agent
    child.limits = agent.limits
    child.limits.seconds = min(agent.limits.seconds, remaining / .seconds(1))
    child.state = .emptyObject
    child.history = []
    child.input = RawJSON(.object(object))
    let run = Run(
      child, message: message, environment: environment.silent, journal: journal, prefix: "\(key)/",
      calledBy: self, within: transaction)
    defer {
      let progress = run.progress
      turn.withLock { $0.spent(progress.usage) }
      if !progress.isChecked {
        heard.withLock { $0 = .null }
      } else if progress.message != message {
        object["message"] = .string(progress.message)
        heard.withLock { $0 = .object(object) }
      }
    }
    // Time in which it waits for a person is not its own.
    let isHeld = { @Sendable [waits = journal.waits] in waits.isWaiting(under: "\(key)/") }
    let lifecycle = environment.host.lifecycles[name]
    try lifecycle?.begin()
    var isCompleted = false
    defer { lifecycle?.end(completed: isCompleted) }
    let reply = try await environment.deadlines.withTimeout(
      .seconds(child.limits.seconds), run.timeout.message, unless: isHeld
    ) {
      let (ending, _) = try await run.complete()
      var reply = ending.reply
      reply.usingStub = ending.usingStub
      return reply
    }
    isCompleted = true
    return reply
  }
}
