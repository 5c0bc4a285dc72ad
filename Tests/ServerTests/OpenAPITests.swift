// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Testing

@testable import Server

@Suite("OpenAPI", .timeLimit(.minutes(5)))
struct OpenAPITests {
  @Test("every path and method of the document answers, and no answer is missing in it")
  func complete() async throws {
    try await TestServer.run { server in
      let document = try await server.send("GET", "/openapi.json").json
      let paths = try #require(document["paths"]?.object)
      let methods = ["get", "post", "patch", "delete", "put"]
      for (template, item) in paths.members {
        let path = template.replacing("{agent}", with: "echo").replacing("{model}", with: "x").replacing(
          "{id}", with: "x"
        ).replacing("{version}", with: "x").replacing("{a}", with: "x").replacing("{b}", with: "x")
        for method in methods {
          let isDescribed = item[method] != nil
          let reply = try await server.send(method.uppercased(), path, body: method == "get" ? nil : "[]")
          #expect((reply.status == 405) == !isDescribed, "\(method) \(template)")
          guard isDescribed else { continue }
          let responses = try #require(item[method]?["responses"]?.object)
          #expect(responses["\(reply.status)"] != nil || responses["default"] != nil)
        }
      }
      #expect(paths.count == 37)
    }
  }

  @Test("every reference leads to a schema, and every schema is used")
  func references() async throws {
    try await TestServer.run { server in
      let text = try await server.send("GET", "/openapi.json").text
      let schemas = try #require(OpenAPI.schemas.object)
      for name in schemas.keys { #expect(text.contains("\"#/components/schemas/\(name)\""), "\(name)") }
      for match in text.matches(of: /#\/components\/schemas\/(\w+)/) {
        #expect(schemas[String(match.1)] != nil, "\(match.1)")
      }
    }
  }

  @Test("replies have exactly the members of their schemas")
  func members() async throws {
    try await TestServer.run(agents: [.adder], model: AddingModel()) { server in
      let chat = try await server.chat("adder", #"{"message":"1 + 2","session_id":"s"}"#).json
      try expect(chat, is: "ChatReply")
      try expect(chat["tool_calls"]?.array?.first, is: "ToolCall")
      try expect(chat["usage"], is: "Usage", without: ["estimated"])
      try expect(try await server.send("GET", "/v1/agents/adder").json, is: "Agent")
      try expect(try await server.send("GET", "/v1/agents").json, is: "AgentList")
      try expect(try await server.send("GET", "/v1/sessions/s").json, is: "Session")
      try expect(try await server.send("GET", "/v1/sessions").json, is: "SessionList")
      let messages = try await server.send("GET", "/v1/sessions/s/messages").json
      try expect(messages["data"]?.array?.first, is: "Message")
      let runs = try await server.send("GET", "/v1/runs").json
      try expect(runs["data"]?.array?.first, is: "Run")
      try expect(try await server.send("GET", "/health/ready").json, is: "Readiness")
      let completion = #"{"model":"adder","messages":[{"role":"user","content":"1 + 2"}]}"#
      try expect(try await server.complete(completion).json, is: "ChatCompletion")
      try expect(try await server.complete("{}").json, is: "OpenAIError")
      let input = #"{"model":"adder","input":"1 + 2"}"#
      try expect(try await server.send("POST", "/v1/responses", body: input).json, is: "Response")
      try expect(try await server.send("GET", "/v1/versions/current").json, is: "CurrentVersion")
      try expect(try await server.send("GET", "/v1/versions").json, is: "VersionList")
      let file = ScriptFile(path: "agents/a.lua", digest: [1], bytes: Array("return".utf8))
      try await server.store.keepVersion("sha256:0123", files: [file], at: Timestamp(milliseconds: 0))
      let versions = try await server.send("GET", "/v1/versions").json
      try expect(versions["data"]?.array?.first, is: "Version")
      try expect(try await server.send("GET", "/v1/versions/0123").json, is: "VersionWithFiles")
      try expect(try await server.send("GET", "/v1/versions/01/diff/012").json, is: "VersionDiff")
      try await server.store.kill("dead")
      let letters = try await server.send("GET", "/v1/dead-letters").json
      try expect(letters, is: "DeadLetterList")
      try expect(letters["data"]?.array?.first, is: "DeadLetter")
      let models = try await server.send("GET", "/v1/models").json
      try expect(models, is: "OpenAIModelList")
      try expect(models["data"]?.array?.first, is: "OpenAIModel")
    }
  }

  /// - Parameter absent: Members that the schema allows and that this reply has no reason for.
  private func expect(_ value: JSON?, is name: String, without absent: Set<String> = []) throws {
    let schema = try #require(OpenAPI.schemas[name])
    let keys = schema["properties"]?.object?.keys.filter { !absent.contains($0) }
    #expect(value?.object?.keys == keys, "\(name)")
    #expect(schema["required"]?.array?.compactMap(\.string) == keys, "\(name)")
  }
}
