// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Models
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct RequestTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture() }

  /// The body of the request that `request` becomes.
  func body(
    _ request: ModelRequest, change: (inout ProviderConfiguration) -> Void = { _ in }
  ) async throws -> JSON {
    let server = try ScriptedProvider(.completion("ok"))
    _ = try await fixture.models(server, change: change).respond(
      to: request, within: .seconds(60), onText: nil)
    return try #require(server.requests.first).json
  }

  @Test("the smallest request has a model and messages, and nothing else")
  func smallest() async throws {
    let body = try await body(.hello)
    #expect(body == ["model": "gpt-4o-mini", "messages": [["role": "user", "content": "hello"]]])
  }

  @Test("messages of every kind are written as the protocol has them")
  func messages() async throws {
    let text = "quote \" line\n\u{1} ünï 🙂 </s>"
    let body = try await body(
      ModelRequest(
        models: ["m"],
        messages: [
          .system("be kind"), .user(text),
          .assistant(nil, calls: [ToolCallRequest(id: "c1", name: "add", arguments: #"{"a":1}"#)]),
          .tool(callID: "c1", name: "add", content: "2"), .assistant("done", calls: []),
        ]))
    #expect(
      body["messages"] == [
        ["role": "system", "content": "be kind"], ["role": "user", "content": .string(text)],
        [
          "role": "assistant", "content": nil,
          "tool_calls": [
            ["id": "c1", "type": "function", "function": ["name": "add", "arguments": #"{"a":1}"#]]
          ],
        ],
        ["role": "tool", "tool_call_id": "c1", "content": "2"], ["role": "assistant", "content": "done"],
      ])
  }

  @Test("images stand before the words")
  func images() async throws {
    let body = try await body(
      ModelRequest(
        models: ["m"],
        messages: [.user("what is it?", images: [ModelImage(url: "https://example.com/a.png", detail: .low)])]
      ))
    #expect(
      body["messages"] == [
        [
          "role": "user",
          "content": [
            ["type": "image_url", "image_url": ["url": "https://example.com/a.png", "detail": "low"]],
            ["type": "text", "text": "what is it?"],
          ],
        ]
      ])
  }

  @Test("tools are functions with their schemas")
  func tools() async throws {
    let request = ModelRequest(
      models: [], messages: [.user("hello")],
      tools: [
        ToolDescription(
          name: "add", description: "Adds.", schema: RawJSON(["type": "object", "properties": [:]]))
      ])
    #expect(
      try await body(request)["tools"] == [
        [
          "type": "function",
          "function": [
            "name": "add", "description": "Adds.", "parameters": ["type": "object", "properties": [:]],
          ],
        ]
      ])
  }

  @Test("an output schema becomes the response format")
  func output() async throws {
    let schema = try Schema(["title": "string"])
    let request = ModelRequest(models: [], messages: [.user("hello")], output: schema)
    let format = try await body(request)["response_format"]
    #expect(format?["type"] == "json_schema")
    #expect(format?["json_schema"]?["schema"] == (try schema.json.value()))
    #expect(format?["json_schema"]?["name"]?.string?.isEmpty == false)
    #expect(format?["json_schema"]?["strict"] == true)
  }

  @Test("a schema goes out in its strict form when it has one, and as it is when not")
  func strict() async throws {
    let closed = try Schema(["title": "string?"])
    let open = try Schema(["type": "object"])
    for schema in [closed, open] {
      let body = try await body(
        ModelRequest(
          models: [], messages: [.user("hello")],
          tools: [ToolDescription(name: "add", description: "Adds.", parameters: schema)], output: schema))
      let isStrict: JSON? = schema.strict == nil ? nil : true
      let sent = try (schema.strict ?? schema.json).value()
      let format = body["response_format"]?["json_schema"]
      #expect(format?["schema"] == sent && format?["strict"] == isStrict)
      let function = body["tools"]?.array?.first?["function"]
      #expect(function?["parameters"] == sent && function?["strict"] == isStrict)
    }
  }

  @Test("what a caller wants of its tools and of its format goes along")
  func callersWishes() async throws {
    let tool = ToolDescription(
      name: "look", description: "", schema: RawJSON(["type": "object"]), isStrict: true)
    let format = JSONObject([("type", "object"), ("$defs", [:])])
    let forced = try await body(
      ModelRequest(
        models: [], messages: [.user("x")], tools: [tool], output: Schema(passingOn: format, isStrict: true),
        toolChoice: .named("look"), allowsParallelCalls: false))
    #expect(forced["tool_choice"] == ["type": "function", "function": ["name": "look"]])
    #expect(forced["parallel_tool_calls"] == false)
    #expect(forced["tools"]?.array?.first?["function"]?["strict"] == true)
    let schema = forced["response_format"]?["json_schema"]
    #expect(schema?["schema"] == .object(format) && schema?["strict"] == true)

    let free = try await body(
      ModelRequest(models: [], messages: [.user("x")], output: .anyObject, toolChoice: .required))
    #expect(free["response_format"] == ["type": "json_object"])
    // A server answers 400 to a choice among no tools.
    #expect(free["tool_choice"] == nil && free["parallel_tool_calls"] == nil)
    let required = try await body(
      ModelRequest(models: [], messages: [.user("x")], tools: [tool], toolChoice: .required))
    #expect(required["tool_choice"] == "required" && required["parallel_tool_calls"] == nil)
  }

  @Test("temperature and limit are the request's own, or else the configured ones")
  func defaults() async throws {
    let server = try ScriptedProvider(.completion("ok"))
    let models = fixture.models(
      ModelClient.Configuration(
        providers: [ProviderConfiguration(baseURL: server.baseURL)], temperature: 0.5, tokensMax: 100))
    let explicit = ModelRequest(models: [], messages: [.user("hello")], temperature: 0, tokensMax: 7)
    _ = try await models.respond(to: .hello, within: .seconds(60), onText: nil)
    _ = try await models.respond(to: explicit, within: .seconds(60), onText: nil)
    #expect(server.requests.map { $0.json["temperature"]?.double } == [0.5, 0])
    #expect(server.requests.map { $0.json["max_tokens"]?.integer } == [100, 7])
  }

  @Test("newer servers get their own words for the same things")
  func newerWords() async throws {
    let request = ModelRequest(models: [], messages: [.system("x")], tokensMax: 9)
    let body = try await body(request) {
      $0.usesDeveloperRole = true
      $0.usesMaxCompletionTokens = true
    }
    #expect(body["messages"] == [["role": "developer", "content": "x"]])
    #expect(body["max_completion_tokens"] == 9)
    #expect(body["max_tokens"] == nil)
  }

  @Test("the key and further headers go along, on the path of chat completions")
  func headers() async throws {
    let server = try ScriptedProvider(.completion("ok"))
    let models = fixture.models(server) {
      $0.baseURL += "/"
      $0.headers = [("X-Team", "blue")]
    }
    _ = try await models.respond(to: .hello, within: .seconds(60), onText: nil)
    let request = try #require(server.requests.first)
    #expect(request.method == "POST")
    #expect(request.path == "/v1/chat/completions")
    #expect(request.header("authorization") == "Bearer sk-secret-key")
    #expect(request.header("content-type") == "application/json")
    #expect(request.header("x-team") == "blue")
  }

  @Test("without a key there is no authorization")
  func noKey() async throws {
    let server = try ScriptedProvider(.completion("ok"))
    _ = try await fixture.models(server) { $0.apiKey = nil }
      .respond(to: .hello, within: .seconds(60), onText: nil)
    #expect(server.requests.first?.header("authorization") == nil)
  }

  @Test("a model's name chooses the provider only when one has that name")
  func providers() async throws {
    let first = try ScriptedProvider(.completion("first"))
    let second = try ScriptedProvider(.completion("second"))
    let models = fixture.models(
      ModelClient.Configuration(
        providers: [
          ProviderConfiguration(name: "a", baseURL: first.baseURL),
          ProviderConfiguration(name: "b", baseURL: second.baseURL),
        ], defaultModel: "b/base"))
    for name in ["plain", "b/other", "a/own", "meta-llama/llama-3", "b/meta-llama/llama-3"] {
      _ = try await models.respond(
        to: ModelRequest(models: [name], messages: [.user("x")]), within: .seconds(60), onText: nil)
    }
    _ = try await models.respond(to: .hello, within: .seconds(60), onText: nil)
    #expect(first.requests.map { $0.json["model"] } == ["plain", "own", "meta-llama/llama-3"])
    #expect(second.requests.map { $0.json["model"] } == ["other", "meta-llama/llama-3", "base"])
  }

  @Test("a provider is configured when it has a key or is not the public one")
  func isConfigured() throws {
    let models = fixture.models(
      ModelClient.Configuration(
        providers: [
          ProviderConfiguration(name: "openai", baseURL: "https://api.openai.com/v1/"),
          ProviderConfiguration(name: "empty", apiKey: ""), ProviderConfiguration(name: "keyed", apiKey: "k"),
          ProviderConfiguration(name: "local", baseURL: "http://127.0.0.1:8081/v1"),
        ]))
    #expect(!models.isConfigured(for: []))
    #expect(!models.isConfigured(for: ["gpt-4o", "empty/x"]))
    #expect(models.isConfigured(for: ["gpt-4o", "keyed/x"]))
    #expect(models.isConfigured(for: ["local/x"]))
    #expect(!fixture.models(ModelClient.Configuration(providers: [])).isConfigured(for: ["x"]))
  }
}
