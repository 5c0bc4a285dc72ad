// SPDX-License-Identifier: Apache-2.0
import Core
import Crypto
import HTTPTypes
import HummingbirdCore
import JSONCodec
import Logging
import Telemetry

extension Services {
  /// What every door takes of a message.
  static let conversationFields: [BodyShape.Field] = [
    .init(
      name: "message", kind: .string(lengthMin: 1), isRequired: true, description: "What the user says.",
      example: "show my to-dos"),
    .init(
      name: "session_id", kind: .sessionID, isRequired: false,
      description: "The caller's own name for the conversation, made on first use; absent = a new one.",
      example: "shopping"),
    .init(
      name: "input", kind: .object, isRequired: false,
      description: "What the agent's script gets as ctx.input."),
    .init(
      name: "context", kind: .object, isRequired: false,
      description: "Added to input, which wins where both name a key."),
  ]

  private static let chatBody = BodyShape(
    fields: conversationFields + [
      .init(
        name: "stream", kind: .boolean, isRequired: false,
        description: "Asks for server-sent events, as Accept: text/event-stream does."),
      .init(
        name: "detach", kind: .boolean, isRequired: false,
        description: "Lets the run go on when the client goes away."),
    ])

  var chatRoutes: [Route] {
    [
      Route(
        .post, "/v1/agents/{agent}/chat", name: "chat", summary: "Sends a message to an agent.",
        access: .agent, headers: [.idempotencyKey], body: Self.chatBody,
        answers: [
          .init(
            .ok, "The answer, with the tool calls that led to it; as events, what happens as it happens.",
            .json("ChatReply"), .events("RunEvent")),
          .init(
            .accepted, "The run waits for a person; it goes on when that is decided.", .json("WaitingRun")),
        ], fails: Route.runFailures
      ) { try await chat($0) }
    ]
  }

  private func chat(_ exchange: Exchange) async throws -> Reply {
    let body = try await exchange.body(Self.chatBody)
    let cancellation = RunCancellation()
    if body["detach"]?.bool != true { exchange.connection?.onDeparture(cancellation.cancel) }
    guard body["stream"]?.bool == true || exchange.wantsEvents else {
      return try await answer(exchange, body, cancellation)
    }
    return try await events(exchange, body, cancellation)
  }

  @inline(never) private func answer(
    _ exchange: Exchange, _ body: JSONObject, _ cancellation: RunCancellation
  ) async throws -> Reply {
    let request = try ChatRequest(exchange, body)
    switch try await runner.chat(
      request, as: exchange.user, cancellation: cancellation,
      onEnd: counted(request.message, to: request.agent, as: exchange.user, trace: exchange.trace))
    {
    case .answered(let answer):
      var reply = Reply.json(answer.json.bytes)
      reply.run = answer
      return reply
    case .waiting(let run): return .document(status: .accepted, run)
    }
  }

  @inline(never) private func events(
    _ exchange: Exchange, _ body: JSONObject, _ cancellation: RunCancellation
  ) async throws -> Reply {
    let request = try ChatRequest(exchange, body)
    let feed = try runner.stream(
      request, as: exchange.user, cancellation: cancellation,
      onEnd: counted(request.message, to: request.agent, as: exchange.user, trace: exchange.trace))
    return .events(
      try await EventStream(beginning: feed, connection: exchange.connection, encoder: RunEvents()))
  }

  /// Counts how a turn ends, and says so in the log, whichever way it came.
  func counted(_ message: String, to agent: String, as user: Principal, trace: TraceContext?) -> Runner.OnEnd
  {
    let start = time.elapsed
    return { result, version in
      log(result, of: message, to: agent, as: user, version: version, trace: trace)
      let outcome =
        switch result {
        case .success(.answered(let reply)): reply.usingStub ? "stub" : "completed"
        case .success(.waiting): "waiting"
        case .failure(let failure): failure.code.metricLabel
        }
      metrics.turned(
        agent: agent, outcome: outcome, nanoseconds: (time.elapsed - start).nanoseconds, trace: trace)
      if let outcome = VersionMetrics.Outcome(result) {
        metrics.versions.turned(agent: agent, version: version, outcome)
      }
      let deployment = scripts.deployment
      if deployment.candidate != nil {
        metrics.tried(deployment.track(of: version), outcome: outcome)
      }
      if case .success(.answered(let reply)) = result { metrics.used(reply, scripts: deployment.active) }
    }
  }
}

extension Services {
  /// Without what was said; lengths are in characters, as limits are.
  private func log(
    _ result: Result<ChatOutcome, Failure>, of message: String, to agent: String, as user: Principal,
    version: String, trace: TraceContext?
  ) {
    let level: Logger.Level = if case .failure = result { .info } else { .debug }
    guard logger.logLevel <= level else { return }
    var metadata: Logger.Metadata = [
      "agent": .string(agent), "user": .string(user.id), "version": .string(version),
      "message_length": .stringConvertible(message.unicodeScalars.count),
    ]
    if let trace { metadata["trace_id"] = .string(trace.traceID.hex) }
    switch result {
    case .success(.answered(let reply)):
      metadata["run"] = .string(reply.runID)
      metadata["session"] = .string(reply.sessionID)
      metadata["tokens_used"] = .stringConvertible(reply.usage.tokens)
      metadata["response_length"] = .stringConvertible(reply.text.unicodeScalars.count)
      logger.log(level: level, "turn completed", metadata: metadata)
    case .success(.waiting(let run)):
      metadata["run"] = .string(run.runID)
      logger.log(level: level, "turn waits", metadata: metadata)
    case .failure(let failure):
      metadata["code"] = .string(failure.code.rawValue)
      logger.log(level: level, "turn failed", metadata: metadata)
    }
  }
}

extension VersionMetrics.Outcome {
  /// `nil` = the run has not ended: it waits.
  fileprivate init?(_ result: Result<ChatOutcome, Failure>) {
    switch result {
    case .success(.answered): self = .completed
    case .success(.waiting): return nil
    case .failure(let failure): self = failure.code == .cancelled ? .cancelled : .failed
    }
  }
}

extension ChatRequest {
  fileprivate init(_ exchange: Exchange, _ body: JSONObject) throws {
    self.init(agent: exchange.parameters[0], body: body)
    idempotencyKey = try exchange.idempotencyKey(of: body)
    trace = exchange.trace
  }

  /// Reads ``Services/conversationFields``, checked already.
  init(agent: String, body: JSONObject) {
    self.init(
      agent: agent, message: body["message"]?.string ?? "", sessionID: body["session_id"]?.string,
      input: body["input"]?.object ?? JSONObject(), context: body["context"]?.object ?? JSONObject())
  }
}

extension Exchange {
  /// What the client calls this request, so that sending it again does not do it again.
  ///
  /// - Throws: ``Problem`` 400 for a name that is none.
  func idempotencyKey(of body: JSONObject) throws -> IdempotencyKey? {
    guard let name = request.headers[.idempotencyKey] else { return nil }
    var digest = SHA256()
    digest.update(data: Array(request.uri.path.utf8) + [0])
    digest.update(data: JSON.object(body).canonical.bytes)
    guard let key = IdempotencyKey(name: name, digest: Array(digest.finalize())) else {
      throw Problem.invalid([.init(field: "Idempotency-Key", message: IdempotencyKey.rule)])
    }
    return key
  }

  /// Whether the client prefers events to one document.
  var wantsEvents: Bool {
    request.headers.value(of: .accept)?.holds("text/event-stream") ?? false
  }
}

extension Duration {
  var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}
