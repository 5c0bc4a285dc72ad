// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import JSONCodec

/// `POST /api/{user_id}/chat`: the to-do assistant's own shape.
extension Services {
  func todoRoute(_ alias: Alias, _ name: String) -> Route {
    let shape = BodyShape(fields: [
      alias.messageField(9_999),
      .init(
        name: "conversation_id", kind: .uuid, isRequired: false,
        description: "The conversation, made on first use; absent = a new one.",
        example: "0b8f2f0e-6a4e-4d0c-9f5e-2f1d1c0a9b8e"),
    ])
    return Route(
      .post, alias.path, name: "\(name)Chat",
      summary: "Sends a message to an agent, as the to-do system does.",
      access: .agent, isAlias: true, headers: [.idempotencyKey], body: shape,
      answers: answers("TodoReply"), fails: Route.runFailures
    ) { exchange in
      let user = try alias.user(exchange, named: alias.value(of: "user_id", in: exchange))
      let body = try await exchange.body(shape)
      var request = ChatRequest(
        agent: alias.agent(in: exchange), message: body["message"]?.string ?? "",
        sessionID: body["conversation_id"]?.string?.lowercased())
      request.idempotencyKey = try exchange.idempotencyKey(of: body)
      return try await answer(request, as: user, exchange) { reply, writer in
        writer.member("session_id", reply.sessionID)
        writer.member("message_id", reply.messageID)
        writer.member("response", reply.text)
        writer.member("timestamp", reply.at.description)
        writer.key("tool_calls")
        writer.array {
          for call in reply.calls { $0.object { call.writeRequest(to: &$0) } }
        }
        writer.key("tool_results")
        writer.array {
          for call in reply.calls { $0.object { call.writeResult(to: &$0) } }
        }
        writer.member("using_stub", reply.usingStub)
      }
    }
  }
}

extension ToolCall {
  fileprivate func writeRequest(to writer: inout JSONWriter) {
    writer.member("id", id)
    writer.member("name", name)
    writer.member("arguments", arguments)
  }

  fileprivate func writeResult(to writer: inout JSONWriter) {
    writer.member("tool_call_id", id)
    writer.member("name", name)
    switch outcome {
    case .result(let result): writer.member("result", result)
    case .failed(let failure):
      writer.key("error")
      writer.object {
        $0.member("code", failure.code.rawValue)
        $0.member("message", failure.message)
      }
    }
  }
}
