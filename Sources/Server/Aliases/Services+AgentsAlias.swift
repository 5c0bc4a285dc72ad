// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import JSONCodec

/// `POST /agents/{agent}/chat`: the advisors' own shape, which has no conversations: each user has one with each agent.
extension Services {
  func agentsRoute(_ alias: Alias, _ name: String) -> Route {
    let shape = BodyShape(fields: [
      .init(
        name: "user_id", kind: .string(lengthMin: 1, lengthMax: 100), isRequired: true,
        description: "Who asks.", example: "ann"),
      alias.messageField(4_000),
      .init(
        name: "context", kind: .object, isRequired: false,
        description: "What the agent's script gets as ctx.input."),
    ])
    return Route(
      .post, alias.path, name: "\(name)Chat", summary: "Sends a message to an agent, as the advisors do.",
      access: .agent, isAlias: true, headers: [.idempotencyKey], body: shape,
      answers: answers("AdvisorReply"), fails: Route.runFailures
    ) { exchange in
      let body = try await exchange.body(shape)
      let user = try alias.user(exchange, named: alias.value(of: "user_id", in: exchange))
      let named = try alias.user(exchange, named: body["user_id"]?.string)
      guard alias.value(of: "user_id", in: exchange) == nil || user.id == named.id else {
        throw Failure(.denied, "the path and the body name different users")
      }
      let agent = alias.agent(in: exchange)
      var request = ChatRequest(
        agent: agent, message: body["message"]?.string ?? "", sessionID: agent,
        context: body["context"]?.object ?? JSONObject())
      request.idempotencyKey = try exchange.idempotencyKey(of: body)
      return try await answer(request, as: named, exchange) { reply, writer in
        writer.member("agent_id", reply.agent)
        writer.member("user_id", body["user_id"]?.string ?? "")
        writer.member("conversation_id", reply.sessionID)
        writer.member("message_id", reply.messageID)
        writer.member("response", reply.text)
        writer.member("data", reply.data ?? .null)
        writer.member("tokens_used", reply.usage.inputTokens + reply.usage.outputTokens)
        writer.member("using_stub", reply.usingStub)
        writer.member("timestamp", reply.at.description)
      }
    }
  }
}
