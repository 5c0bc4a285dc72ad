// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing
import Transport

/// What a collector gets of requests and runs, and what is sent along to others.
@Suite("Traces", .timeLimit(.minutes(5)))
struct TracingTests {
  static let caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

  private static let files = [
    "agents/guide.lua":
      "return { prompt = 'Guide.', tools = { 'rate' }, model = 'm-1' }",
    "tools/rate.lua": """
    return { rate = { description = "A rate.", access = { http = { "localhost:PORT" } },
      run = function() return http.get("http://localhost:PORT/rate").json end } }
    """,
  ]

  private static let calls: JSON = [
    ["id": "call_1", "type": "function", "function": ["name": "rate", "arguments": "{}"]]
  ]

  private static func reply(_ message: JSON, _ reason: String, input: Int64, output: Int64) -> JSON {
    var message = message.object ?? JSONObject()
    message["role"] = "assistant"
    return [
      "id": "1", "model": "m-1",
      "choices": [["index": 0, "finish_reason": .string(reason), "message": .object(message)]],
      "usage": ["prompt_tokens": .integer(input), "completion_tokens": .integer(output)],
    ]
  }

  /// All spans that came so far.
  static func spans(_ collector: ScriptedProvider) throws -> [JSON] {
    try collector.requests.filter { $0.path == "/v1/traces" }.flatMap { request -> [JSON] in
      try #require(request.header("content-type") == "application/json")
      return try JSON(parsing: request.body)["resourceSpans"]?.array?.flatMap {
        $0["scopeSpans"]?.array?.flatMap { $0["spans"]?.array ?? [] } ?? []
      } ?? []
    }
  }

  static func attribute(_ name: String, of span: JSON) -> JSON? {
    let value = span["attributes"]?.array?.first { $0["key"]?.string == name }?["value"]
    return value?["stringValue"] ?? value?["intValue"] ?? value?["doubleValue"] ?? value?["arrayValue"]
  }

  @Test(
    "a request, its run, its model and its tool are one trace, which goes on from the caller's and to others")
  func whole() async throws {
    let collector = try ScriptedProvider { _ in .json([:]) }
    let other = try ScriptedProvider { _ in .json(["value": 1]) }
    let provider = try ScriptedProvider(
      .json(Self.reply(["content": .null, "tool_calls": Self.calls], "tool_calls", input: 3, output: 1)),
      .json(Self.reply(["content": "One, secretly."], "stop", input: 5, output: 2)))
    let workspace = try Folder(
      Self.files.mapValues { $0.replacing("PORT", with: String(other.port)) }.merging([
        "perigee.yaml": "http: { private_addresses: true }"
      ]) { $1 })
    let data = try Folder()
    let server = try await RunningServer(
      workspace: workspace.path, data: data.path,
      environment: [
        "OPENAI_API_KEY": "sk-hidden", "OPENAI_BASE_URL": "http://127.0.0.1:\(provider.port)/v1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:\(collector.port)",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-key=k%201",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test",
      ])
    let answer = try await server.send(
      "POST", "/v1/agents/guide/chat", body: RawJSON(["message": "What is the rate?"]).bytes,
      headers: [("traceparent", Self.caller), ("tracestate", "a=b")])
    #expect(answer.status == 200, "\(answer.text)")
    let metrics = try await server.get("/metrics").text
    for line in [
      #"perigee_model_request_seconds_count{provider="openai",model="m-1",outcome="ok"} 2"#,
      "conversations_total 1", "response_time_seconds_count 1",
    ] {
      #expect(metrics.contains("\n\(line)\n"), "\(line)")
    }
    // What is under way is sent before the server ends.
    let ended = await server.stop()
    #expect(ended.status == 0)
    let spans = try Self.spans(collector)
    func one(_ name: String) throws -> JSON {
      let names = spans.compactMap { $0["name"]?.string }
      return try #require(spans.first { $0["name"]?.string == name }, "\(names)")
    }
    let request = try one("POST /v1/agents/{agent}/chat")
    let run = try one("invoke_agent guide")
    let model = try one("chat m-1")
    let tool = try one("execute_tool rate")
    #expect(spans.count == 5)
    #expect(
      spans.allSatisfy { $0["traceId"] == "0af7651916cd43dd8448eb211c80319c" && $0["traceState"] == "a=b" })
    #expect(request["parentSpanId"] == "b7ad6b7169203331" && request["kind"] == 2)
    #expect(run["parentSpanId"] == request["spanId"])
    #expect(model["parentSpanId"] == run["spanId"] && model["kind"] == 3)
    #expect(tool["parentSpanId"] == run["spanId"])
    #expect(Self.attribute("http.response.status_code", of: request) == "200")
    #expect(Self.attribute("gen_ai.operation.name", of: run) == "invoke_agent")
    #expect(Self.attribute("gen_ai.agent.version", of: run)?.string?.hasPrefix("sha256:") == true)
    #expect(Self.attribute("gen_ai.conversation.id", of: run) == answer.json["session_id"])
    #expect(Self.attribute("gen_ai.usage.input_tokens", of: run) == "8")
    #expect(Self.attribute("gen_ai.request.model", of: model) == "m-1")
    #expect(Self.attribute("gen_ai.provider.name", of: model) == "openai")
    #expect(Self.attribute("gen_ai.usage.output_tokens", of: model) == "1")
    #expect(Self.attribute("gen_ai.tool.name", of: tool) == "rate")
    // Others are told whose child they are.
    let asked = provider.requests.compactMap { $0.header("traceparent") }
    #expect(asked.first == "00-0af7651916cd43dd8448eb211c80319c-\(model["spanId"]?.string ?? "")-01")
    #expect(asked.count == 2 && Set(asked).count == 2 && provider.requests[0].header("tracestate") == "a=b")
    #expect(other.requests.first?.header("traceparent")?.contains(tool["spanId"]?.string ?? "?") == true)
    // Nothing of what was said.
    let sent = collector.requests.map { String(decoding: $0.body, as: UTF8.self) }.joined()
    #expect(!sent.contains("secretly") && !sent.contains("What is the rate") && !sent.contains("sk-hidden"))
    #expect(sent.contains("deployment.environment") && collector.requests[0].header("x-key") == "k 1")
  }

  @Test(
    "what its caller does not record is not recorded here, and what nobody asked for is a trace of its own")
  func sampling() async throws {
    let collector = try ScriptedProvider { _ in .json([:]) }
    let workspace = try Folder([
      "agents/a.lua": "return { run = function() return 'ok' end }",
      "agents/b.lua":
        "return { run = function(ctx, input) error({ code = 'upstream', message = 'no: ' .. input.message }) end }",
    ])
    let data = try Folder()
    let server = try await RunningServer(
      workspace: workspace.path, data: data.path,
      environment: ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:\(collector.port)/"])
    let path = "/v1/agents/a/chat"
    let body = RawJSON(["message": "hi"]).bytes
    _ = try await server.send(
      "POST", path, body: body, headers: [("traceparent", Self.caller.dropLast(2) + "00")])
    _ = try await server.send("POST", path, body: body, headers: [("traceparent", "00-zz-1")])
    let streamed = try await server.send(
      "POST", path, body: RawJSON(["message": "hi", "stream": true]).bytes)
    #expect(streamed.text.contains("message.completed"))
    #expect(try await server.post("/v1/agents/b/chat", ["message": "hush"]).status == 502)
    await server.stop()
    let spans = try Self.spans(collector)
    #expect(spans.count == 6 && Set(spans.compactMap { $0["traceId"]?.string }).count == 3)
    #expect(spans.count { $0["parentSpanId"]?.string ?? "" == "" } == 3)
    // What failed is told by its code: a message may hold what was said.
    #expect(spans.count { Self.attribute("error.type", of: $0) == "upstream" } == 2)
    #expect(!collector.requests.contains { String(decoding: $0.body, as: UTF8.self).contains("hush") })
  }

  @Test(
    "the sampler of the environment decides, and what it leaves out is sent on as not recorded",
    arguments: [
      ("traceidratio", "0", false, false, false), ("parentbased_always_off", "", false, true, false),
      ("parentbased_traceidratio", "0", false, true, false), ("always_on", "", true, true, true),
      ("parentbased_always_on", "", true, true, false),
    ])
  func sampler(name: String, argument: String, root: Bool, sampled: Bool, unsampled: Bool) async throws {
    let collector = try ScriptedProvider { _ in .json([:]) }
    let provider = try ScriptedProvider { _ in .completion("Well.") }
    let workspace = try Folder(["agents/a.lua": "return { prompt = 'p' }"])
    let data = try Folder()
    let server = try await RunningServer(
      workspace: workspace.path, data: data.path,
      environment: [
        "OPENAI_API_KEY": "sk-hidden", "OPENAI_BASE_URL": provider.baseURL,
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:\(collector.port)",
        "OTEL_TRACES_SAMPLER": name, "OTEL_TRACES_SAMPLER_ARG": argument,
      ])
    let parent = { (trace: String, flags: String) in ("traceparent", "00-\(trace)-b7ad6b7169203331-\(flags)")
    }
    let traces = [String(repeating: "5", count: 32), String(repeating: "6", count: 32)]
    let headers = [[], [parent(traces[0], "01")], [parent(traces[1], "00")]]
    for headers in headers {
      let answer = try await server.send(
        "POST", "/v1/agents/a/chat", body: RawJSON(["message": "hi"]).bytes, headers: headers)
      #expect(answer.status == 200)
    }
    await server.stop()
    let expected = [root, sampled, unsampled]
    let sent = provider.requests.compactMap { $0.header("traceparent") }
    #expect(sent.map { $0.hasSuffix("-01") } == expected, "\(sent)")
    #expect(sent.allSatisfy { $0.hasSuffix("-01") || $0.hasSuffix("-00") })
    #expect(Array(sent.dropFirst().map { $0.dropFirst(3).prefix(32) }) == traces.map { $0[...] })
    let recorded = Set(try Self.spans(collector).compactMap { $0["traceId"]?.string })
    #expect(recorded == Set(zip(sent, expected).filter(\.1).map { String($0.0.dropFirst(3).prefix(32)) }))
    #expect(try Self.spans(collector).count == 3 * expected.count { $0 })
  }

  @Test(
    "what became of spans is counted",
    arguments: [
      (200, "perigee_spans_exported_total 2"), (400, #"perigee_spans_dropped_total{reason="undelivered"} 2"#),
    ])
  func counted(status: Int, line: String) async throws {
    let collector = try ScriptedProvider { _ in status == 200 ? .json([:]) : .failure(status) }
    let workspace = try Folder(["agents/a.lua": "return { run = function() return 'ok' end }"])
    try await RunningServer.with(
      workspace: workspace.path,
      environment: ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:\(collector.port)"]
    ) { server in
      #expect(try await server.chat("a", "hi").status == 200)
      try await waitWhile { try await !server.get("/metrics").text.contains("\n\(line)\n") }
    }
  }

  @Test(
    "a turn in OpenAI's format goes on the caller's trace, and is not recorded unless it is"
  )
  func otherFormats() async throws {
    let collector = try ScriptedProvider { _ in .json([:]) }
    let workspace = try Folder(["agents/a.lua": "return { run = function() return 'ok' end }"])
    let body = RawJSON(["model": "a", "messages": [["role": "user", "content": "hi"]]]).bytes
    try await RunningServer.with(
      workspace: workspace.path,
      environment: ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:\(collector.port)"]
    ) { server in
      for flags in ["00", "01"] {
        let caller = "00-0af7651916cd43dd8448eb211c8031\(flags)-b7ad6b7169203331-\(flags)"
        let answer = try await server.send(
          "POST", "/v1/chat/completions", body: body, headers: [("traceparent", caller)])
        #expect(answer.status == 200)
      }
    }
    let spans = try Self.spans(collector)
    #expect(Set(spans.compactMap { $0["traceId"]?.string }) == ["0af7651916cd43dd8448eb211c803101"])
    #expect(spans.contains { $0["name"] == "invoke_agent a" })
  }

  @Test("a collector that is not there keeps nobody waiting, and is said once")
  func absent() async throws {
    let workspace = try Folder(["agents/a.lua": "return { run = function() return 'ok' end }"])
    let data = try Folder()
    // Nobody listens on port 1.
    let server = try await RunningServer(
      workspace: workspace.path, data: data.path,
      environment: ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"])
    for _ in 0..<3 {
      #expect(try await server.post("/v1/agents/a/chat", ["message": "hi"]).status == 200)
    }
    let ended = await server.stop()
    #expect(ended.status == 0 && ended.log.contains("traces: "))
  }

  @Test(
    "what cannot be used is refused at the start, and no value is shown",
    arguments: [
      ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://ann:hunter2@localhost:4318"),
      ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2"), ("OTEL_RESOURCE_ATTRIBUTES", "=hunter2"),
      ("OTEL_TRACES_SAMPLER", "hunter2"), ("OTEL_TRACES_SAMPLER_ARG", "hunter2"),
    ])
  func refused(name: String, value: String) async throws {
    let workspace = try Folder(["agents/a.lua": "return { run = function() return 'ok' end }"])
    let data = try Folder()
    let result = try await perigee(
      ["serve", "--port", "0", "--workspace", workspace.path, "--data", data.path],
      environment: [
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318", "OTEL_TRACES_SAMPLER": "traceidratio",
      ].merging([name: value]) { $1 })
    #expect(result.status == 2 && result.errors.contains("error: "), "\(result.errors)")
    #expect(!result.errors.contains("hunter2"))
  }
}
