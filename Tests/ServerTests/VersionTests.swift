// SPDX-License-Identifier: Apache-2.0
import Core
import Crypto
import Foundation
import JSONCodec
import Storage
import Testing

@testable import Server

@Suite("Versions", .timeLimit(.minutes(5)))
struct VersionTests {
  private static func problem(in file: String) -> ScriptProblem {
    ScriptProblem(
      file: file, line: 2, column: 3, severity: "error", code: "P001", message: "unexpected", hint: nil,
      text: "\(file):2:3: error: unexpected [P001]\n    x y\n      ^")
  }

  @Test("what is wrong with an edit degrades the server and takes it out of no service")
  func degraded() async throws {
    try await TestServer.run { server in
      server.scripts.refuse(Self.problem(in: "agents/echo.lua"))
      let ready = try await server.send("GET", "/health/ready")
      #expect(ready.status == 200)
      #expect(try ready.json["status"] == "degraded")
      #expect(
        try ready.json["parts"]?["scripts"] == [
          "status": "degraded", "version": "sha256:0123", "problems": 1,
        ])
      // Whoever may ask may not see the scripts.
      #expect(!ready.text.contains("x y"))
      #expect(try await server.send("GET", "/metrics").text.contains("perigee_script_problems 1\n"))
    }
  }

  @Test("a problem is shown with the agents whose file, tool or module it is in, and with all of them")
  func problems() async throws {
    try await TestServer.run(agents: [.echo, .adder]) { server in
      for (file, agents) in [
        ("agents/echo.lua", ["echo"]), ("tools/add.lua", ["adder"]), ("lib/x.lua", ["adder", "echo"]),
        ("agents/new.lua", []),
      ] {
        server.scripts.refuse(Self.problem(in: file))
        let list = try await server.send("GET", "/v1/agents").json
        #expect(list["problems"]?.array?.count == 1)
        let shown = list["data"]?.array?.filter { $0["problems"] != [] }.map { $0["name"]?.string }
        #expect(shown == agents, "\(file)")
      }
      server.scripts.refuse(Self.problem(in: "agents/echo.lua"))
      let text = try await server.send("GET", "/v1/agents/echo").json["problems"]?.array?.first?["text"]
      #expect(text?.string?.hasSuffix("\n    x y\n      ^") == true)
    }
  }

  @Test("what is in force is told at once, and again when it changes, until the server stops")
  func events() async throws {
    try await TestServer.run { server in
      let now = try await server.send("GET", "/v1/versions/current").json
      #expect(now == ["version": "sha256:0123", "candidate": nil, "problems": []])
      try await Client.connect(server.port) { client in
        try await client.send("GET", "/v1/versions/current", headers: ["Accept: text/event-stream"])
        #expect(try await client.receiveHead().headers["content-type"] == "text/event-stream")
        let first = try #require(try await client.nextEvent())
        #expect(first.name == "scripts")
        #expect(try first.data == now)
        server.scripts.refuse(Self.problem(in: "agents/echo.lua"))
        let next = try #require(try await client.nextEvent())
        #expect(try next.data["problems"]?.array?.first?["file"] == "agents/echo.lua")
        await server.stop()
        #expect(try await client.nextEvent() == nil)
      }
    }
  }

  @Test("a version that does not load is refused with the places of its problems")
  func refused() async throws {
    try await TestServer.run { server in
      let file = ScriptFile(path: "agents/a.lua", digest: [1], bytes: [])
      try await server.store.keepVersion("sha256:ab12", files: [file], at: Timestamp(milliseconds: 0))
      server.scripts.refuse(Self.problem(in: "agents/a.lua"))
      let reply = try await server.send("POST", "/v1/versions/ab/activate", body: "{}")
      #expect(reply.status == 422)
      #expect(try reply.json["code"] == "version_refused")
      #expect(try reply.json["errors"] == [["field": "agents/a.lua:2:3", "message": "unexpected"]])
      #expect(try await server.send("POST", "/v1/versions/cd/activate", body: "{}").status == 404)
      let wrong = try await server.send("POST", "/v1/versions/ab/activate", body: #"{"canary_percent":100}"#)
      #expect(try wrong.json["errors"] == [["field": "canary_percent", "message": "must be 1 to 99"]])
    }
  }

  @Test(
    "a page needs nothing from elsewhere, and its policy lets nothing else work in it",
    arguments: ["/", "/console", "/admin", "/docs"])
  func page(path: String) async throws {
    try await TestServer.run { server in
      let reply = try await server.send("GET", path)
      #expect(reply.status == 200)
      #expect(reply.headers["content-type"] == "text/html; charset=utf-8")
      let policy = try #require(reply.headers["content-security-policy"])
      #expect(policy.hasPrefix("default-src 'none'; ") && !policy.contains("unsafe"))
      for element in ["script", "style"] {
        let content = try #require(reply.text.components(separatedBy: "<\(element)>").last)
          .components(separatedBy: "</\(element)>")[0]
        let hash = Data(SHA256.hash(data: Data(content.utf8))).base64EncodedString()
        #expect(policy.contains("\(element)-src 'sha256-\(hash)'"))
        #expect(reply.text.components(separatedBy: "<\(element)").count == 2)
      }
      // Nothing that the policy would stop, and no text that is taken for HTML.
      for banned in ["http://", "https://", " style=", " onclick=", "innerHTML", "eval("] {
        #expect(!reply.text.contains(banned), "\(banned)")
      }
    }
  }
}
