// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Testing

@testable import Server

@Suite("Tools of the caller", .timeLimit(.minutes(5)))
struct ClientToolTests {
  private static let user: JSON = ["role": "user", "content": "hi"]
  private static let tool: JSON = [
    "type": "function",
    "function": ["name": "look", "description": "Looks.", "parameters": ["type": "object"], "strict": true],
  ]

  private static func body(_ messages: [JSON], _ extra: [(String, JSON)] = []) -> String {
    RawJSON(
      .object(
        JSONObject([("model", "adder"), ("messages", .array(messages)), ("tools", [tool])] + extra))
    ).text
  }

  @Test("are offered beside the agent's, and a call of one ends the turn")
  func offered() async throws {
    let model = RecordingModel(.calling(("c1", "look", #"{"at": "it"}"#)))
    try await TestServer.run(agents: [.adder], model: model) { server in
      let reply = try await server.complete(
        Self.body([Self.user], [("tool_choice", "required"), ("parallel_tool_calls", false)])
      ).json
      let choice = try #require(reply["choices"]?.array?.first)
      #expect(choice["finish_reason"] == "tool_calls" && choice["message"]?["content"] == .null)
      let call = try #require(choice["message"]?["tool_calls"]?.array?.first)
      #expect(call["type"] == "function")
      #expect(call["function"] == ["name": "look", "arguments": #"{"at": "it"}"#])
      let request = try #require(model.requests.first)
      #expect(request.tools.map(\.name) == ["add", "look"] && request.tools[1].isStrict)
      #expect(request.toolChoice == .required && !request.allowsParallelCalls)
      #expect(try await server.send("GET", "/v1/runs").json["data"]?.array?.first?["status"] == "completed")
    }
  }

  @Test("what the agent's own tools did before reaches the model with the results of the caller's")
  func mixed() async throws {
    let model = RecordingModel(
      .calling(("o1", "add", "{}"), saying: "First."),
      .calling(("o2", "add", #"{}"#), ("c1", "look", "{}"), saying: "Then."), .saying("Done."))
    try await TestServer.run(agents: [.adder], model: model) { server in
      let first = try await server.complete(Self.body([Self.user])).json
      let message = try #require(first["choices"]?.array?.first?["message"])
      let calls = try #require(message["tool_calls"]?.array)
      #expect(calls.count == 1 && message["content"] == "Then.")
      let id = try #require(calls[0]["id"]?.string)
      #expect(id.utf8.count <= 40)

      let result: JSON = ["role": "tool", "tool_call_id": .string(id), "content": "seen"]
      let second = try await server.complete(Self.body([Self.user, message, result]))
      #expect(try second.content == "Done.", "\(second.text)")
      let own = { ToolCallRequest(id: $0, name: "add", arguments: "{}") }
      let sum = #"{"sum":3}"#
      #expect(
        model.requests.last?.messages == [
          .system("Add."), .user("hi"),
          .assistant("First.", calls: [own("o1")]), .tool(callID: "o1", name: "add", content: sum),
          .assistant(nil, calls: [own("o2")]), .tool(callID: "o2", name: "add", content: sum),
          .assistant("Then.", calls: [ToolCallRequest(id: id, name: "look", arguments: "{}")]),
          .tool(callID: id, name: "look", content: "seen"),
        ])
    }
  }

  @Test("none of them is offered where the caller says so, and one of them is asked for by its name")
  func choices() async throws {
    let model = RecordingModel(.saying("ok"))
    try await TestServer.run(agents: [.adder], model: model) { server in
      _ = try await server.complete(Self.body([Self.user], [("tool_choice", "none")]))
      #expect(model.requests.last?.tools.map(\.name) == ["add"])
      _ = try await server.complete(
        Self.body([Self.user], [("tool_choice", ["type": "function", "function": ["name": "look"]])]))
      #expect(model.requests.last?.toolChoice == .named("look"))
    }
  }

  @Test("a call id that names another user's run, or none, brings nothing along")
  func strangers() async throws {
    let model = RecordingModel(.calling(("o1", "add", "{}")), .saying("ok"))
    try await TestServer.run(agents: [.adder], model: model) { server in
      _ = try await server.complete(Self.body([Self.user]))
      let run = try #require(
        try await server.send("GET", "/v1/runs").json["data"]?.array?.first?["id"]?.string)
      #expect(try await server.store.steps(ofRuns: [run], userID: "local")[run]?.count == 1)
      #expect(try await server.store.steps(ofRuns: [run], userID: "other").isEmpty)
      let id = HandedOutCall.id(ofRun: "00000000-0000-7000-8000-000000000000", at: 0)
      #expect(HandedOutCall.runID(in: id) == "00000000-0000-7000-8000-000000000000")
      for other in ["call_1", "x", "call_" + String(repeating: "z", count: 33), id + "1234"] {
        #expect(HandedOutCall.runID(in: other) == nil)
      }
      let message: JSON = [
        "role": "assistant",
        "tool_calls": [
          ["id": .string(id), "type": "function", "function": ["name": "look", "arguments": "{}"]]
        ],
      ]
      let result: JSON = ["role": "tool", "tool_call_id": .string(id), "content": "seen"]
      #expect(try await server.complete(Self.body([Self.user, message, result])).status == 200)
      #expect(model.requests.last?.messages.count == 4)
    }
  }

  @Test("words beside a call are not shown where `after` would have to agree to them")
  func guarded() async throws {
    let agent = ScriptedAgent(
      Agent(
        name: "adder", file: "agents/adder.lua", tools: .names(["add"]), body: .prompt(.constant("p")),
        hooks: .after))
    let model = RecordingModel(.calling(("c1", "look", "{}"), saying: "secret"))
    try await TestServer.run(agents: [agent], model: model) { server in
      let reply = try await server.complete(Self.body([Self.user]))
      #expect(!reply.text.contains("secret") && reply.text.contains("tool_calls"))
    }
  }
}
