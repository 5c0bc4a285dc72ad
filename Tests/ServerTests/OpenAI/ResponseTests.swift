// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Testing

@testable import Server

@Suite("Responses", .timeLimit(.minutes(5)))
struct ResponseTests {
  @Test("instructions and items become the conversation, and calls of one answer stay together")
  func items() async throws {
    let model = RecordingModel(.saying("Fine."))
    try await TestServer.run(agents: [.adder], model: model) { server in
      let reply = try await server.respond(
        """
        {"model":"adder","instructions":"Be brief.","max_output_tokens":9,"input":[
          {"role":"developer","content":[{"type":"input_text","text":"Now."}]},
          {"type":"message","role":"user","content":"hi"},
          {"type":"reasoning","id":"r","summary":[]},
          {"type":"function_call","call_id":"a","name":"look","arguments":"{}"},
          {"type":"message","role":"assistant","content":[{"type":"output_text","text":"Looking.","annotations":[]}]},
          {"type":"function_call","call_id":"b","name":"look","arguments":"{}"},
          {"type":"function_call_output","call_id":"b","output":"B"},
          {"type":"function_call_output","call_id":"a","output":[{"type":"input_text","text":"A"}]}]}
        """)
      #expect(reply.status == 200)
      let call = { ToolCallRequest(id: $0, name: "look", arguments: "{}") }
      #expect(
        model.requests.first?.messages == [
          .system("Add."), .system("Be brief."), .system("Now."), .user("hi"),
          .assistant("Looking.", calls: [call("a"), call("b")]),
          .tool(callID: "b", name: "look", content: "B"), .tool(callID: "a", name: "look", content: "A"),
        ])
      #expect(model.requests.first?.tokensMax == 9)
      let json = try reply.json
      #expect(json["object"] == "response" && json["status"] == "completed" && json["store"] == false)
      #expect(json["instructions"] == "Be brief." && json["max_output_tokens"] == 9)
      let message = try #require(json["output"]?.array?.first)
      #expect(message["role"] == "assistant" && message["status"] == "completed")
      #expect(message["content"]?.array?.first?["text"] == "Fine.")
      #expect(json["usage"]?["total_tokens"] == 14)
    }
  }

  private static let refused: [(field: String, parameter: String)] = [
    (#""previous_response_id":"r""#, "previous_response_id"), (#""conversation":"c""#, "conversation"),
    (#""background":true"#, "background"), (#""prompt":{"id":"p"}"#, "prompt"),
    (#""tools":[{"type":"web_search"}]"#, "tools[0].type"),
    (#""text":{"format":{"type":"json_schema","name":"n"}}"#, "text.format.schema"),
    (#""input":[{"type":"item_reference","id":"x"}]"#, "input[0].type"),
    (#""input":[{"type":"function_call_output","call_id":"x","output":"y"}]"#, "input[0]"),
    (#""input":[{"role":"user","content":[{"type":"input_image"}]}]"#, "input[0].content[0]"),
    (#""metadata":[1]"#, "metadata"), (#""top_p":"much""#, "top_p"),
    (#""input":5"#, "input"), (#""input":[]"#, "input"),
  ]

  @Test("what cannot be had is refused, and the field is named")
  func refusals() async throws {
    try await TestServer.run(agents: [.adder], model: RecordingModel(.saying("no"))) { server in
      for (field, parameter) in Self.refused {
        let start = field.contains(#""input""#) ? "" : #""input":"hi","#
        let reply = try await server.respond(#"{"model":"adder",\#(start)\#(field)}"#)
        #expect(reply.status == 400, "\(field)")
        #expect(try reply.json["error"]?["param"]?.string == parameter, "\(reply.text)")
      }
    }
  }

  @Test(
    "an answer that was cut short is incomplete, and a refusal is said as one",
    arguments: [
      (ModelReply.FinishReason.length, "incomplete", "output_text"),
      (.contentFilter, "incomplete", "output_text"), (.refusal, "completed", "refusal"),
    ])
  func endings(reason: ModelReply.FinishReason, status: String, part: String) async throws {
    try await TestServer.run(agents: [.adder], model: RecordingModel(.saying("Hm", reason))) { server in
      let reply = try await server.respond(#"{"model":"adder","input":"hi"}"#).json
      #expect(reply["status"]?.string == status)
      #expect(reply["incomplete_details"]?.isNull == (status == "completed"))
      #expect(reply["output"]?.array?.first?["content"]?.array?.first?["type"]?.string == part)
    }
  }

  @Test("text that calls follow is an item of its own, and the items have their places")
  func streamedCalls() async throws {
    let model = RecordingModel(.calling(("c", "look", #"{"a":1}"#), saying: "Wait."))
    try await TestServer.run(agents: [.adder], model: model) { server in
      try await Client.connect(server.port) { client in
        try await client.send(
          "POST", "/v1/responses",
          body:
            #"{"model":"adder","input":"hi","stream":true,"tools":[{"type":"function","name":"look"}]}"#)
        _ = try await client.receiveHead()
        let events = try await client.remainingEvents()
        let data = try events.map { try $0.data }
        #expect(events.map(\.name) == data.map { $0["type"]?.string })
        #expect(data.compactMap { $0["output_index"]?.integer } == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1])
        let output = try #require(data.last?["response"]?["output"]?.array)
        #expect(output.map { $0["type"] } == ["message", "function_call"])
        #expect(output[1]["arguments"] == #"{"a":1}"#)
        let added = data.filter { $0["type"] == "response.output_item.added" }
        #expect(added.map { $0["item"]?["id"] } == output.map { $0["id"] })
      }
    }
  }
}

extension TestServer {
  fileprivate func respond(_ body: String) async throws -> WireResponse {
    try await send("POST", "/v1/responses", body: body)
  }
}
