// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Logging
import Storage
import Testing

@testable import Server

@Suite("Operations", .timeLimit(.minutes(5)))
struct OperationsTests {
  @Test("a ready server names its parts")
  func ready() async throws {
    try await TestServer.run { server in
      let reply = try await server.send("GET", "/health/ready")
      #expect(reply.status == 200)
      #expect(
        try reply.json == [
          "status": "ready",
          "parts": [
            "store": ["status": "ok"], "scripts": ["status": "ok", "version": "sha256:0123"],
            "model": ["status": "not_configured"], "models": [],
          ],
        ])
    }
  }

  @Test("its health is one word, and one for each part that it stands on")
  func health() async throws {
    try await TestServer.run { server in
      let reply = try await server.send("GET", "/health")
      #expect(reply.status == 200)
      #expect(
        try reply.json == [
          "status": "healthy",
          "checks": [
            "database": "healthy", "openai": "healthy", "redis": "not_used", "memory": "healthy",
            "disk": "healthy",
          ],
        ])
    }
    try await TestServer.run { server in
      try await server.store.close()
      let reply = try await server.send("GET", "/health")
      #expect(reply.status == 503 && reply.headers["retry-after"] == "5")
      #expect(try reply.json["status"] == "unhealthy" && reply.json["checks"]?["database"] == "unhealthy")
    }
  }

  @Test("a line of the log says who asked whom, and which run answered on which version")
  func lines() async throws {
    try await TestServer.run { server in
      let answer = try await server.chat().json
      let lines = server.log.text.split(separator: "\n")
      let line = try #require(lines.first { $0.contains("request answered") })
      let (run, session) = (answer["run_id"]?.string ?? "?", answer["session_id"]?.string ?? "?")
      for field in [
        "agent=echo", "run=\(run)", "session=\(session)", "user=local", "version=sha256:0123", "request_id=",
        "status=200",
      ] {
        #expect(line.contains(field), "\(line)")
      }
      #expect(!line.contains("hi"))
      _ = try await server.send("POST", "/v1/agents/none/chat", body: #"{"message":"hi"}"#)
      #expect(server.log.text.contains("agent=none code=not_found"))
    }
  }

  @Test(
    "each turn has a line with how long message and answer were, what it took, and nothing of what was said"
  )
  func turnLines() async throws {
    try await TestServer.run(
      agents: [.adder, .failing(Failure(.denied, "not you"))], model: AddingModel()
    ) { server in
      let answer = try await server.chat("adder", #"{"message":"1 + ü","session_id":"s"}"#).json
      _ = try await server.chat("failing", #"{"message":"four","session_id":"s"}"#)
      try await Client.connect(server.port) { client in
        try await client.send(
          "POST", "/v1/agents/adder/chat", body: #"{"message":"123","stream":true,"session_id":"t"}"#)
        _ = try await client.receiveHead()
        #expect(try await client.remainingEvents().last?.name == "message.completed")
      }
      // A stream's line comes once it has ended.
      while !server.log.text.contains("session=t") { await Task.yield() }
      let lines = server.log.text.split(separator: "\n")
      let completed = lines.filter { $0.contains("turn completed") }
      try #require(completed.count == 2)
      let run = answer["run_id"]?.string ?? "?"
      for field in [
        "agent=adder", "user=local", "version=sha256:0123", "message_length=5", "response_length=8",
        "tokens_used=28", "run=\(run)", "session=s",
      ] { #expect(completed[0].contains(field), "\(field): \(completed[0])") }
      #expect(completed[1].contains("message_length=3"))
      let failed = lines.filter { $0.contains("turn failed") }
      #expect(failed.count == 1)
      for field in ["agent=failing", "user=local", "message_length=4", "code=denied"] {
        #expect(failed.first?.contains(field) == true, "\(failed)")
      }
      #expect(!server.log.text.contains("It is 3") && !server.log.text.contains("1 + ü"))
    }
  }

  @Test("a server whose store is gone is alive and not ready")
  func notReady() async throws {
    try await TestServer.run { server in
      try await server.store.close()
      let reply = try await server.send("GET", "/health/ready")
      #expect(reply.status == 503 && reply.headers["retry-after"] != nil)
      #expect(try reply.json["parts"]?["store"]?["status"] == "failed")
      #expect(try await server.send("GET", "/health/live").status == 200)
    }
  }

  @Test("a model that is left alone is named, and takes no server out of service")
  func breakers() async throws {
    try await TestServer.run(model: FailingModel()) { server in
      let ready = try await server.send("GET", "/health/ready")
      #expect(ready.status == 200)
      #expect(
        try ready.json["parts"]?["models"] == [
          ["name": "azure/gpt", "status": "open", "retry_after_seconds": 7.5],
          ["name": "openai/mini", "status": "probing"], ["name": "openai/gpt", "status": "closed"],
        ])
      let metrics = try await server.send("GET", "/metrics").text
      for line in [
        #"perigee_model_breaker_state{provider="azure",model="gpt"} 2"#,
        #"perigee_model_breaker_state{provider="openai",model="mini"} 1"#,
        #"perigee_model_breaker_state{provider="openai",model="gpt"} 0"#,
      ] { #expect(metrics.contains(line + "\n"), "\(line)") }
    }
  }

  @Test("turns, tools, tokens and requests are counted")
  func metrics() async throws {
    try await TestServer.run(agents: [.adder], model: AddingModel()) { server in
      _ = try await server.chat("adder")
      _ = try await server.send("GET", "/v1/sessions/a")
      _ = try await server.send("GET", "/v1/sessions/b")
      let reply = try await server.send("GET", "/metrics")
      #expect(reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
      let lines = reply.text.split(separator: "\n").map(String.init)
      for line in [
        #"perigee_http_requests_total{method="POST",route="/v1/agents/{agent}/chat",status="200"} 1"#,
        #"perigee_http_requests_total{method="GET",route="/v1/sessions/{id}",status="404"} 2"#,
        #"perigee_turns_total{agent="adder",outcome="completed"} 1"#,
        #"perigee_turn_seconds_count{agent="adder"} 1"#, #"perigee_tokens_total{kind="input"} 20"#,
        #"perigee_tool_calls_total{tool="add",outcome="ok"} 1"#, "perigee_runs_in_progress 0",
        "perigee_lua_cells 2", "perigee_lua_runs 3", "perigee_lua_memory_bytes 4096",
        "# TYPE perigee_turn_seconds histogram",
      ] { #expect(lines.contains(line), "\(line)") }
    }
  }

  @Test("a path that does not exist and an agent that does not exist make no label")
  func labels() async throws {
    try await TestServer.run { server in
      _ = try await server.send("GET", "/wp-login.php")
      _ = try await server.chat("made-up")
      let text = try await server.send("GET", "/metrics").text
      #expect(!text.contains("wp-login") && !text.contains("made-up"))
      #expect(text.contains(#"route="none""#))
    }
  }

  @Test("an agent is listed with its tools and version")
  func agents() async throws {
    try await TestServer.run(agents: [.echo, .adder]) { server in
      let list = try await server.send("GET", "/v1/agents").json
      #expect(list["data"]?.array?.map { $0["name"] } == ["adder", "echo"])
      let agent = try await server.send("GET", "/v1/agents/adder").json
      #expect(agent["tools"] == ["add"] && agent["version"] == "sha256:0123" && agent["problems"] == [])
      #expect(agent["state"] == "READY")
      #expect(list["problems"] == [])
      #expect(try await server.send("GET", "/v1/agents/none").status == 404)
    }
  }

  @Test(
    "a server without authentication does not listen to the world",
    arguments: ["0.0.0.0", "::", "10.0.0.1", ""])
  func publicAddress(host: String) async throws {
    await #expect(throws: ServerError.self) {
      try await TestServer.run(configuration: .init(host: host, port: 0)) { _ in }
    }
  }

  @Test("a port that is taken is an error of its own")
  func portInUse() async throws {
    try await TestServer.run { first in
      let error = await #expect(throws: ServerError.self) {
        try await TestServer.run(configuration: .init(port: first.port)) { _ in }
      }
      #expect(error?.code == .addressInUse)
    }
  }

  @Test(
    "a web page of another name or origin is not the local user",
    arguments: [
      "Host: evil.example:8080", "Origin: http://evil.example", "Origin: null",
    ])
  func foreignPage(header: String) async throws {
    try await TestServer.run { server in
      let reply = try await server.send("GET", "/v1/sessions", headers: [header])
      #expect(reply.status == 403)
      #expect(try reply.json["code"] == "denied")
    }
  }

  @Test(
    "a page of the server itself is the local user", arguments: ["localhost:1", "127.0.0.1:1", "[::1]:1"])
  func ownPage(authority: String) async throws {
    try await TestServer.run { server in
      let headers = ["Host: \(authority)", "Origin: http://\(authority)"]
      let reply = try await server.send("GET", "/v1/sessions", headers: headers)
      #expect(reply.status == 200)
    }
  }
}
