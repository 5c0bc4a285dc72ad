// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import HummingbirdCore
import JSONCodec

extension Services {
  private static let chatBody = BodyShape(fields: [
    .init(name: "message", kind: .string(lengthMin: 1), isRequired: true, description: "What the user says."),
    .init(
      name: "session_id", kind: .sessionID, isRequired: false,
      description: "The caller's own name for the conversation, made on first use; absent = a new one."),
    .init(
      name: "input", kind: .object, isRequired: false,
      description: "What the agent's script gets as ctx.input."),
    .init(
      name: "context", kind: .object, isRequired: false,
      description: "Added to input, which wins where both name a key."),
    .init(
      name: "stream", kind: .unavailable, isRequired: false,
      description: "Asks for server-sent events, which are not available yet."),
    .init(
      name: "detach", kind: .unavailable, isRequired: false,
      description: "Lets the run go on when the client goes away, which is not available yet."),
  ])

  var chatRoutes: [Route] {
    [
      Route(
        .post, "/v1/agents/{agent}/chat", name: "chat", summary: "Sends a message to an agent.",
        body: Self.chatBody,
        answers: [.init(.ok, "The answer, with the tool calls that led to it.", .json("ChatReply"))]
      ) { try await chat($0) }
    ]
  }

  private func chat(_ exchange: Exchange) async throws -> Reply {
    let body = try await exchange.body(Self.chatBody)
    guard exchange.request.headers[.accept]?.contains("text/event-stream") != true else {
      throw Problem.invalid([.init(field: "stream", message: "is not available yet; send it without")])
    }
    // A client that counts on it would do everything twice.
    if let name = HTTPField.Name("Idempotency-Key"), exchange.request.headers[name] != nil {
      throw Problem.invalid([
        .init(field: "Idempotency-Key", message: "is not available yet; send it without")
      ])
    }
    let request = ChatRequest(
      agent: exchange.parameters[0], message: body["message"]?.string ?? "",
      sessionID: body["session_id"]?.string, input: body["input"]?.object ?? JSONObject(),
      context: body["context"]?.object ?? JSONObject())
    let cancellation = RunCancellation()
    exchange.connection?.onDeparture(cancellation.cancel)
    let start = time.elapsed
    do throws(Failure) {
      let reply = try await runner.chat(request, as: exchange.user, cancellation: cancellation)
      metrics.turned(
        agent: reply.agent, outcome: reply.usingStub ? "stub" : "completed",
        nanoseconds: (time.elapsed - start).nanoseconds)
      metrics.used(reply, tools: host().tools)
      return .json(reply.json.bytes)
    } catch {
      // A name that nobody gave an agent is no label.
      if host().agents[request.agent] != nil {
        metrics.turned(
          agent: request.agent, outcome: error.code.metricLabel,
          nanoseconds: (time.elapsed - start).nanoseconds)
      }
      throw error
    }
  }
}

extension Duration {
  var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}
