// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import TestSupport
import Testing

@Suite("Structured output over HTTP")
struct StructuredOutputTests {
  private static func workspace() throws -> Folder {
    try Folder([
      "agents/seller.lua": """
      return { prompt = "Sell.", tools = { "look_up", "store" },
        output = { title = "string", price = { type = "number", minimum = 0, optional = true } } }
      """,
      "agents/careful.lua": """
      return { prompt = "Sell.", output = { title = "string" }, guardrails = { output = { "pii" } } }
      """,
      "tools/shop.lua": """
      return {
        look_up = { description = "d", parameters = { word = "string?" }, effect = "read",
          run = function(_, args) return { word = args.word or "none" } end },
        store = { description = "d", run = function() return {} end,
          parameters = { fields = { type = "object", additionalProperties = true } } },
      }
      """,
    ])
  }

  private func with(
    _ replies: ScriptedProvider.Reply..., body: (RunningServer, ScriptedProvider) async throws -> Void
  ) async throws {
    let provider = try ScriptedProvider(inTurn: replies)
    let workspace = try Self.workspace()
    try await RunningServer.with(
      workspace: workspace.path, environment: ["OPENAI_BASE_URL": provider.baseURL]
    ) { try await body($0, provider) }
  }

  @Test("the provider is asked to enforce what it can, and a null stands for what is left out")
  func strict() async throws {
    try await with(
      .toolCalls([("c", "look_up", #"{"word":null}"#)]),
      .completion(#"{"title":"Chair","price":null}"#)
    ) { server, provider in
      let answer = try await server.chat("seller", "sell")
      #expect(answer.json["data"] == ["title": "Chair"])
      #expect(answer.json["tool_calls"]?.array?.first?["result"] == ["word": "none"])
      let body = try #require(provider.requests.first).json
      let format = body["response_format"]?["json_schema"]
      #expect(format?["strict"] == true)
      #expect(format?["schema"]?["required"] == ["price", "title"])
      #expect(format?["schema"]?["properties"]?["price"] == ["type": ["number", "null"], "minimum": 0])
      let tools = body["tools"]?.array?.compactMap { $0["function"] }
      #expect(tools?.map { $0["strict"] } == [true, nil])
      #expect(tools?[0]["parameters"]?["properties"]?["word"] == ["type": ["string", "null"]])
    }
  }

  @Test("an answer that does not fit is repaired by the model in one more step")
  func repair() async throws {
    try await with(.completion("Sure, a chair!"), .completion("```json\n{\"title\":\"Chair\"}\n```")) {
      server, provider in
      let answer = try await server.chat("seller", "sell")
      #expect(answer.status == 200)
      #expect(answer.json["data"] == ["title": "Chair"])
      #expect(answer.json["usage"]?["input_tokens"] == 20)
      let messages = try #require(provider.requests.last?.json["messages"]?.array)
      #expect(messages.map { $0["role"] } == ["system", "user", "assistant", "user"])
      #expect(messages[2]["content"] == "Sure, a chair!")
    }
  }

  @Test("an answer that still does not fit is a bad gateway, and its text stays with the turn")
  func misfit() async throws {
    try await with(.completion("Sure!"), .completion(#"{"title":5}"#)) { server, provider in
      let failed = try await server.chat("seller", "sell", session: "s")
      #expect(failed.status == 502)
      #expect(failed.json["code"] == "upstream")
      #expect(failed.json["detail"]?.string?.contains("title: expected string") == true)
      #expect(provider.requests.count == 2)
      let messages = try await server.get("/v1/sessions/s/messages").json["data"]?.array
      #expect(messages?.last?["content"] == #"{"title":5}"#)
      #expect(messages?.last?["error"] == "upstream")
    }
  }

  @Test("what an answer would hide is hidden in one that does not fit, too")
  func guardedMisfit() async throws {
    let said = "Sure: the customer is zoe@example.com"
    try await with(.completion(said), .completion(said)) { server, _ in
      let failed = try await server.chat("careful", "sell", session: "s")
      #expect(failed.status == 502 && !failed.text.contains("zoe"))
      let messages = try await server.get("/v1/sessions/s/messages")
      #expect(
        messages.json["data"]?.array?.last?["content"]?.string?.hasPrefix("Sure: the customer is") == true)
      #expect(!messages.text.contains("zoe"))
      let run = try #require(try await server.get("/v1/runs").json["data"]?.array?.first?["id"]?.string)
      #expect(try await !server.get("/v1/runs/\(run)").text.contains("zoe"))
    }
  }

  @Test("a refusal is an answer, not bad JSON")
  func refusal() async throws {
    let choice: JSON = [
      "message": ["role": "assistant", "content": nil, "refusal": "I can't sell that."],
      "finish_reason": "stop",
    ]
    try await with(.json(["choices": [choice]])) { server, provider in
      let answer = try await server.chat("seller", "sell")
      #expect(answer.status == 200)
      #expect(answer.json["response"] == "I can't sell that.")
      #expect(answer.json["finish_reason"] == "refusal")
      #expect(provider.requests.count == 1)
    }
  }
}

extension ScriptedProvider {
  /// Answers with each reply in turn, and with the last one from then on.
  fileprivate convenience init(inTurn replies: [Reply]) throws {
    let next = Tally()
    try self.init { _ in replies[min(next.increment(), replies.count - 1)] }
  }
}
