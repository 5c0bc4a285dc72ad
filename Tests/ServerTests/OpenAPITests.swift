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
          #expect(responses["\(reply.status)"] != nil, "\(method) \(template): \(reply.status)")
        }
      }
      #expect(paths.count == 46)
    }
  }

  @Test("every operation has what comes before its route: 408, a problem wherever, and 501 as its others are")
  func early() async throws {
    try await TestServer.run { server in
      let document = try await server.send("GET", "/openapi.json").json
      for (path, item) in try #require(document["paths"]?.object).members {
        let envelope = OpenAIDoor.covers(path) ? "OpenAIError" : "Problem"
        for (method, operation) in item.object?.members ?? [] where method != "parameters" {
          let responses = operation["responses"]
          #expect(responses?["408"]?["$ref"] == "#/components/responses/Problem408", "\(method) \(path)")
          #expect(responses?["501"]?["$ref"] == .string("#/components/responses/\(envelope)501"), "\(path)")
        }
      }
      for (path, code) in [("/v1/agents/echo/chat", "code"), ("/v1/chat/completions", "error")] {
        let reply = try await server.send("POST", path, headers: ["Transfer-Encoding: gzip, chunked"])
        #expect(try reply.status == 501 && reply.json[code] != nil, "\(path) \(reply.text)")
      }
    }
  }

  @Test("every reference leads to a component, and every component is used")
  func references() async throws {
    try await TestServer.run { server in
      let reply = try await server.send("GET", "/openapi.json")
      let components = try #require(reply.json["components"]?.object)
      for (kind, members) in components.members {
        for name in members.object?.keys ?? [] {
          #expect(reply.text.contains("\"#/components/\(kind)/\(name)\""), "\(kind) \(name)")
        }
      }
      for match in reply.text.matches(of: /#\/components\/(\w+)\/([\w-]+)/) {
        #expect(components[String(match.1)]?[String(match.2)] != nil, "\(match.0)")
      }
    }
  }

  @Test("every operation has a group, every parameter a description, and every body an example")
  func described() async throws {
    try await TestServer.run { server in
      let document = try await server.send("GET", "/openapi.json").json
      let groups = document["tags"]?.array?.map { $0["name"] } ?? []
      for (path, item) in try #require(document["paths"]?.object).members {
        var parameters = item["parameters"]?.array ?? []
        for (method, operation) in item.object?.members ?? [] where method != "parameters" {
          #expect(groups.contains(operation["tags"]?.array?.first), "\(method) \(path)")
          parameters += operation["parameters"]?.array ?? []
          guard let body = operation["requestBody"]?["content"]?["application/json"] else { continue }
          #expect(body["example"] != nil, "\(method) \(path)")
        }
        for parameter in parameters where parameter["$ref"] == nil {
          #expect(
            parameter["description"]?.string?.isEmpty == false, "\(path) \(parameter["name"]?.string ?? "")")
        }
      }
    }
  }

  @Test("what a query or a header says is held against the document")
  func parameters() async throws {
    try await TestServer.run { server in
      for query in ["user_id=a%00b", "run_id=%00", "actions=tool.called,nothing", "other=1", "limit=0"] {
        #expect(try await server.send("GET", "/v1/audit?\(query)").status == 400, "\(query)")
      }
      #expect(try await server.send("GET", "/v1/audit?actions=tool.called,data.read").status == 200)
      for query in ["types=Agent", "types=*", "types=a..b"] {
        #expect(try await server.send("GET", "/v1/events?\(query)").status == 400, "\(query)")
      }
      #expect(try await server.send("GET", "/v1/events?types=agent.executed,workflow.*").status == 200)
      for last in ["+5", "-1", "x", "1234567890123456789"] {
        let reply = try await server.send("GET", "/v1/events", headers: ["Last-Event-ID: \(last)"])
        #expect(reply.status == 400, "\(last)")
      }
    }
  }

  @Test("a server without authentication knows no credentials and no limits")
  func open() async throws {
    try await TestServer.run { server in
      let document = try await server.send("GET", "/openapi.json")
      #expect(try document.json["security"] == nil && document.json["components"]?["securitySchemes"] == nil)
      #expect(!document.text.contains("RateLimit") && !document.text.contains("\"401\""))
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
      try expect(try await server.send("GET", "/v1/sessions/s").json, is: "SessionWithTotals")
      let sessions = try await server.send("GET", "/v1/sessions").json
      try expect(sessions, is: "SessionList")
      try expect(sessions["data"]?.array?.first, is: "Session")
      let run = chat["run_id"]?.string ?? ""
      let judged = try await server.send("POST", "/v1/feedback", body: #"{"run_id":"\#(run)","score":1}"#)
      try expect(judged.json, is: "Feedback")
      try expect(try await server.send("GET", "/v1/feedback").json, is: "FeedbackList")
      try expect(try await server.send("GET", "/v1/feedback/summary").json, is: "FeedbackSums")
      try expect(try await server.send("GET", "/v1/runs/\(run)").json, is: "RunWithFeedback")
      try expect(try await server.send("GET", "/v1/runs/\(run)/trace").json, is: "RunTrace")
      let users = try await server.send("GET", "/v1/users").json
      try expect(users, is: "UserList")
      try expect(users["data"]?.array?.first, is: "User")
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
