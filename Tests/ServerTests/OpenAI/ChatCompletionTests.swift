// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Testing

@testable import Server

@Suite("Chat completions", .timeLimit(.minutes(5)))
struct ChatCompletionTests {
  @Test(
    "the caller's conversation goes to the model behind the agent's prompt, and nothing is kept but the run")
  func conversation() async throws {
    let model = RecordingModel(.saying("Fine."))
    try await TestServer.run(agents: [.adder], model: model) { server in
      let reply = try await server.complete(
        """
        {"model":"adder","temperature":0.25,"max_tokens":7,"seed":3,"stop":["x"],"user":"u","store":true,"messages":[
          {"role":"system","content":"Be brief."},
          {"role":"user","content":"one"},{"role":"assistant","content":"two"},
          {"role":"developer","content":[{"type":"text","text":"Now"}]},
          {"role":"user","content":[{"type":"text","text":"three"},{"type":"text","text":"four"}]}]}
        """)
      #expect(reply.status == 200)
      let request = try #require(model.requests.first)
      #expect(
        request.messages == [
          .system("Add."), .system("Be brief."), .user("one"), .assistant("two", calls: []), .system("Now"),
          .user("three\nfour"),
        ])
      #expect(request.temperature == 0.25 && request.tokensMax == 7 && request.toolChoice == .auto)
      let json = try reply.json
      #expect(
        try reply.keys == ["id", "object", "created", "model", "system_fingerprint", "choices", "usage"])
      #expect(json["object"] == "chat.completion" && json["model"] == "adder")
      let choice = try #require(json["choices"]?.array?.first)
      #expect(choice["message"] == ["role": "assistant", "content": "Fine.", "refusal": nil])
      #expect(choice["finish_reason"] == "stop")
      #expect(json["usage"] == ["prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14])

      let run = try await server.send("GET", "/v1/runs").json["data"]?.array?.first
      #expect(run?["session_id"] == .null && run?["status"] == "completed")
      #expect(json["id"]?.string == "chatcmpl-" + (run?["id"]?.string ?? "?"))
      #expect(try await server.send("GET", "/v1/sessions").json["data"] == [])
    }
  }

  @Test("a script sees the last message, the history before it, and parts that are no text")
  func script() async throws {
    let agent = ScriptedAgent("script") { context in
      let words = context.history.map { "\($0.role.rawValue): \($0.text)" }
      return ScriptReply(
        text: words.joined(separator: ", ") + " | \(context.input.text) \(context.state.text)")
    }
    try await TestServer.run(agents: [agent]) { server in
      let reply = try await server.complete(
        """
        {"model":"script","messages":[{"role":"user","content":"one"},{"role":"assistant","content":"two"},
          {"role":"user","content":[{"type":"text","text":"three"},
            {"type":"image_url","image_url":{"url":"data:,"}}]}]}
        """)
      let text = try #require(try reply.content)
      #expect(text.hasPrefix("user: one, assistant: two | "))
      #expect(text.contains(#""parts":[{"type":"image_url","image_url":{"url":"data:,"}}]"#))
      #expect(text.contains(#""message":"three""#) && text.hasSuffix(" {}"))
    }
  }

  private static let refused: [(field: String, parameter: String)] = [
    (#""n":2"#, "n"), (#""logprobs":true"#, "logprobs"), (#""audio":{}"#, "audio"),
    (#""modalities":["audio"]"#, "modalities"), (#""functions":[{}]"#, "functions"),
    (#""temperature":3"#, "temperature"), (#""max_tokens":0"#, "max_tokens"), (#""stream":1"#, "stream"),
    (#""tools":[{"type":"custom"}]"#, "tools[0].type"),
    (#""tools":[{"type":"function","function":{"name":"a b"}}]"#, "tools[0].function.name"),
    (#""tools":[{"type":"function","function":{"name":"add"}}]"#, "tools"),
    (#""tool_choice":"required""#, "tool_choice"),
    (#""tool_choice":{"type":"function","function":{"name":"x"}}"#, "tool_choice.function.name"),
    (#""response_format":{"type":"xml"}"#, "response_format.type"),
    (#""response_format":{"type":"json_schema"}"#, "response_format.json_schema"),
    (#""messages":[]"#, "messages"), (#""messages":[{"role":"user","content":" "}]"#, "messages"),
    (#""messages":[{"content":"x"}]"#, "messages[0].role"),
    (#""messages":[{"role":"robot","content":"x"}]"#, "messages[0].role"),
    (#""messages":[{"role":"user"}]"#, "messages[0].content"),
    (
      #""messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]"#,
      "messages[0].content[0]"
    ),
    (#""messages":[{"role":"tool","tool_call_id":"c","content":"x"}]"#, "messages[0]"),
    (
      #""messages":[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f"}}]},"#
        + #"{"role":"user","content":"x"}]"#,
      "messages[0]"
    ),
  ]

  @Test("what cannot be had is refused, and the field is named")
  func refusals() async throws {
    let model = RecordingModel(.saying("no"))
    try await TestServer.run(agents: [.adder], model: model) { server in
      for (field, parameter) in Self.refused {
        let start = field.contains(#""messages""#) ? "" : #""messages":[{"role":"user","content":"hi"}],"#
        let reply = try await server.complete(#"{"model":"adder",\#(start)\#(field)}"#)
        #expect(reply.status == 400, "\(field)")
        let error = try reply.json["error"]
        #expect(error?.object?.keys == ["message", "type", "param", "code"])
        #expect(error?["param"]?.string == parameter, "\(reply.text)")
        #expect(error?["type"] == "invalid_request_error")
      }
      #expect(model.requests.isEmpty)
    }
  }

  @Test("errors have OpenAI's envelope, and only on its routes")
  func errors() async throws {
    let limited = ScriptedAgent("limited") { _ in throw Failure(.rateLimited, "slow", retryAfterSeconds: 2) }
    let broken = ScriptedAgent("broken") { _ in throw Failure(.internal, "secret") }
    try await TestServer.run(agents: [limited, broken]) { server in
      func ask(_ model: String) async throws -> WireResponse {
        try await server.complete(#"{"model":"\#(model)","messages":[{"role":"user","content":"x"}]}"#)
      }
      let unknown = try await ask("gpt-4o")
      #expect(unknown.status == 404)
      #expect(try unknown.json["error"]?["code"] == "model_not_found")
      #expect(try unknown.json["error"]?["param"] == "model")
      let slow = try await ask("limited")
      #expect(slow.status == 429 && slow.headers["retry-after"] == "2")
      #expect(slow.headers["x-should-retry"] == nil)
      #expect(try slow.json["error"]?["code"] == "rate_limit_exceeded")
      let failed = try await ask("broken")
      #expect(failed.status == 500 && !failed.text.contains("secret"))
      #expect(failed.headers["x-should-retry"] == "false")
      #expect(try failed.json["error"]?["type"] == "server_error")
      for (method, path, status) in [
        ("POST", "/v1/chat/nothing", 404), ("GET", "/v1/chat/completions", 405), ("GET", "/v1/models/x", 404),
        ("GET", "/v1/models/x/y", 404),
      ] {
        let reply = try await server.send(method, path)
        #expect(reply.status == status)
        #expect(try reply.json["error"]?["message"]?.string?.isEmpty == false, "\(path)")
      }
      let vectors = try await server.send("POST", "/v1/embeddings", body: #"{"model":"m","input":"x"}"#)
      #expect(vectors.status == 404)
      #expect(try vectors.json["error"]?["code"] == "model_not_found")
      for body in ["", "{", "[]"] { #expect(try await server.complete(body).json["error"] != nil) }
      #expect(try await server.send("GET", "/v1/nothing").json["code"] == "not_found")
    }
  }

  @Test("agents are the models")
  func models() async throws {
    try await TestServer.run(agents: [.echo, .adder]) { server in
      let list = try await server.send("GET", "/v1/models").json
      let echo: JSON = ["id": "echo", "object": "model", "created": 0, "owned_by": "perigee"]
      #expect(list["object"] == "list" && list["data"]?.array?.map { $0["id"] } == ["adder", "echo"])
      #expect(try await server.send("GET", "/v1/models/echo").json == echo)
    }
  }

  @Test("the format that the caller asks for goes to the model, and is checked")
  func formats() async throws {
    let model = RecordingModel(.saying(#"{"a":1}"#), .saying("{}"), .saying(#"{"a":"x"}"#))
    try await TestServer.run(agents: [.adder], model: model) { server in
      func ask(_ format: String) async throws -> WireResponse {
        try await server.complete(
          #"{"model":"adder","messages":[{"role":"user","content":"x"}],"response_format":\#(format)}"#)
      }
      let schema =
        ##"{"type":"object","properties":{"a":{"type":"integer"},"b":{"$ref":"#/$defs/B"}},"$defs":{"B":{}}}"##
      let wanted = #"{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":\#(schema)}}"#
      let fitting = try await ask(wanted)
      #expect(try fitting.content == #"{"a":1}"#)
      #expect(try await ask(#"{"type":"json_object"}"#).content == "{}")
      #expect(try await ask(wanted).status == 502)
      #expect(
        model.requests[0].output?.json.text == schema && model.requests[0].output?.strict?.text == schema)
      #expect(model.requests[1].output == .anyObject)
    }
  }

  @Test("an agent's own output wins, and a caller that wants JSON gets its data")
  func ownOutput() async throws {
    let output = try Schema(["title": ["type": "string"], "count": ["type": "integer", "default": 1]])
    let agent = ScriptedAgent(
      Agent(name: "typed", file: "agents/typed.lua", body: .prompt(.constant("p")), output: output))
    let model = RecordingModel(.saying(#"{"title":"t"}"#))
    try await TestServer.run(agents: [agent], model: model) { server in
      let format = #","response_format":{"type":"json_object"}"#
      for (extra, text) in [("", #"{"title":"t"}"#), (format, #"{"count":1,"title":"t"}"#)] {
        let reply = try await server.complete(
          #"{"model":"typed","messages":[{"role":"user","content":"x"}]\#(extra)}"#)
        #expect(try reply.content == text, "\(reply.text)")
      }
      #expect(model.requests.allSatisfy { $0.output == output })
    }
  }

  @Test("a script cannot be made to call tools, nor to answer in a format that it does not have")
  func scriptForced() async throws {
    try await TestServer.run { server in
      for field in [
        #""tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required""#,
        #""response_format":{"type":"json_object"}"#,
      ] {
        let reply = try await server.complete(
          #"{"model":"echo","messages":[{"role":"user","content":"x"}],\#(field)}"#)
        #expect(reply.status == 400)
      }
    }
  }
}

extension TestServer {
  func complete(_ body: String) async throws -> WireResponse {
    try await send("POST", "/v1/chat/completions", body: body)
  }
}

extension WireResponse {
  /// The text of a chat completion.
  var content: String? {
    get throws { try json["choices"]?.array?.first?["message"]?["content"]?.string }
  }
}
