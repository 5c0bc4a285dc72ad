// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import HummingbirdCore
import JSONCodec

extension Services {
  var openAIRoutes: [Route] {
    [
      Route(
        .get, "/v1/models", name: "listModels", summary: "Lists the agents as OpenAI lists models.",
        access: .agent, answers: [.init(.ok, "All agents.", .json("OpenAIModelList"))]
      ) { _ in
        let names = host().agents.keys.sorted()
        return .json {
          $0.member("object", "list")
          $0.key("data")
          $0.array { list in for name in names { list.writeModel(name) } }
        }
      },
      Route(
        .get, "/v1/models/{model}", name: "getModel", summary: "Shows one agent as OpenAI shows a model.",
        access: .agent, answers: [.init(.ok, "The agent.", .json("OpenAIModel"))]
      ) { exchange in
        var writer = JSONWriter()
        writer.writeModel(try agent(exchange.parameters[0]).name)
        return .json(writer.bytes)
      },
      Route(
        .post, "/v1/chat/completions", name: "createChatCompletion",
        summary: "Answers a conversation that the caller keeps, in OpenAI's format.",
        access: .agent, headers: [.idempotencyKey], bodySchema: "ChatCompletionRequest",
        answers: [
          .init(
            .ok, "The answer; in chunks, as it comes, when the request says stream.", .json("ChatCompletion"),
            .events("ChatCompletionEvent"))
        ], fails: [.notFound] + Route.runFailures
      ) { try await completeChat($0) },
      Route(
        .post, "/v1/responses", name: "createResponse",
        summary: "Answers a conversation that the caller keeps, in the format of OpenAI's responses.",
        access: .agent, headers: [.idempotencyKey], bodySchema: "ResponseRequest",
        answers: [
          .init(
            .ok, "The answer; in events, as it comes, when the request says stream.", .json("Response"),
            .events("ResponseEvent"))
        ], fails: [.notFound] + Route.runFailures
      ) { try await respond($0) },
    ]
  }

  private func completeChat(_ exchange: Exchange) async throws -> Reply {
    let body = try await exchange.object()
    let agent = try agent(body)
    let request = try ChatCompletionRequest(body)
    let call = request.call
    let completion = ChatCompletion(model: agent.name, version: host().version)
    return try await answer(call, by: agent, body, exchange) { reply in
      completion.document(reply, content: call.content(of: reply, agent: agent))
    } encoder: {
      ChatCompletionChunks(completion, includesUsage: request.includesUsage, isHeld: call.isHeld(by: agent)) {
        call.content(of: $0, agent: agent)
      }
    }
  }

  private func respond(_ exchange: Exchange) async throws -> Reply {
    let body = try await exchange.object()
    let agent = try agent(body)
    let request = try ResponseRequest(body)
    let call = request.call
    let response = ModelResponse(model: agent.name, echo: request.echo)
    return try await answer(call, by: agent, body, exchange) { reply in
      let content = call.content(of: reply, agent: agent)
      var response = response
      response.runID = reply.runID
      var writer = JSONWriter(reservingCapacity: 1024 + content.utf8.count)
      response.write(.ended(reply, content: content), to: &writer)
      return writer.bytes
    } encoder: {
      ResponseEvents(response, isHeld: call.isHeld(by: agent)) { call.content(of: $0, agent: agent) }
    }
  }

  /// Runs the agent, and says what came of it as one document or as events.
  func answer(
    _ call: AgentCall, by agent: Agent, _ body: JSONObject, _ exchange: Exchange,
    document: (ChatReply) -> [UInt8],
    encoder: () -> any RunEventEncoder
  ) async throws -> Reply {
    let runs = call.dialogue.runIDs
    var request = try call.request(
      to: agent, steps: runs.isEmpty ? [:] : try await store.steps(ofRuns: runs, userID: exchange.user.id),
      now: time.now)
    request.idempotencyKey = try exchange.idempotencyKey(of: body)
    request.trace = exchange.trace
    let cancellation = RunCancellation()
    exchange.connection?.onDeparture(cancellation.cancel)
    let onEnd = counted(request.message, to: agent.name, as: exchange.user, trace: exchange.trace)
    guard call.isStreamed else {
      return .json(
        document(
          try await runner.chat(request, as: exchange.user, cancellation: cancellation, onEnd: onEnd).reply())
      )
    }
    let feed = try runner.stream(request, as: exchange.user, cancellation: cancellation, onEnd: onEnd)
    return .events(
      try await EventStream(
        beginning: feed, connection: exchange.connection, encoder: encoder(), holdsHead: true))
  }

  /// The agent that a body names: whoever names none that exists need not hear of the rest.
  private func agent(_ body: JSONObject) throws(Problem) -> Agent {
    try agent(try Fields(body).requiredString("model"))
  }

  /// - Throws: ``Problem`` 404 in the words that OpenAI's clients know.
  private func agent(_ name: String) throws(Problem) -> Agent {
    let agents = host().agents
    guard let agent = agents[name] else {
      let names = agents.keys.sorted().joined(separator: ", ")
      let message = "'\(name)' does not exist; the models here are the agents: \(names)"
      throw Problem(
        status: .notFound, code: "model_not_found", detail: "the model \(message)",
        faults: [.init(field: "model", message: message)])
    }
    return agent
  }
}

extension JSONWriter {
  fileprivate mutating func writeModel(_ name: String) {
    object {
      $0.member("id", name)
      $0.member("object", "model")
      // A file's age means nothing to whoever chooses a model, and differs from one copy to the next.
      $0.member("created", 0)
      $0.member("owned_by", "perigee")
    }
  }
}
