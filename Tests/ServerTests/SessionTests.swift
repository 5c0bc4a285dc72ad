// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Testing

@testable import Server

@Suite("Sessions and runs", .timeLimit(.minutes(5)))
struct SessionTests {
  @Test("a session is made, shown, renamed and deleted")
  func life() async throws {
    try await TestServer.run { server in
      let made = try await server.send("POST", "/v1/sessions", body: #"{"id":"mine","title":"First"}"#)
      #expect(made.status == 201 && made.headers["location"] == "/v1/sessions/mine")
      #expect(
        try made.keys == ["id", "title", "agent", "message_count", "created_at", "updated_at"])
      #expect(try await server.send("GET", "/v1/sessions/mine").json["title"] == "First")
      let renamed = try await server.send("PATCH", "/v1/sessions/mine", body: #"{"title":"Second"}"#)
      #expect(try renamed.json["title"] == "Second")
      let deleted = try await server.send("DELETE", "/v1/sessions/mine")
      #expect(deleted.status == 204 && deleted.body.isEmpty)
      #expect(try await server.send("GET", "/v1/sessions/mine").status == 404)
    }
  }

  @Test(
    "a session tells what its own runs took, when they were, and what is thought of them"
  )
  func totals() async throws {
    try await TestServer.run(agents: [.adder, .echo], model: AddingModel()) { server in
      _ = try await server.send("POST", "/v1/sessions", body: #"{"id":"s"}"#)
      let empty = try await server.send("GET", "/v1/sessions/s").json
      #expect(empty["runs"] == 0 && empty["first_run_at"] == .null && empty["last_run_at"] == .null)
      #expect(empty["feedback"] == ["count": 0, "mean": .null])
      var runs: [String] = []
      for session in ["s", "other", "s", "s"] {
        let reply = try await server.chat("adder", #"{"message":"1 + 2","session_id":"\#(session)"}"#).json
        if session == "s" { runs.append(reply["run_id"]?.string ?? "") }
      }
      for (run, score) in zip(runs, [1, -0.5]) {
        let judged = try await server.send(
          "POST", "/v1/feedback", body: #"{"run_id":"\#(run)","score":\#(score)}"#)
        #expect(judged.status == 200)
      }
      let session = try await server.send("GET", "/v1/sessions/s").json
      #expect(session["runs"] == 3 && session["message_count"] == 6, "\(session)")
      #expect(
        session["usage"]?["input_tokens"] == 60 && session["usage"]?["output_tokens"] == 24
          && session["usage"]?["cost_usd"]?.double == 3)
      #expect(session["feedback"]?["count"] == 2 && session["feedback"]?["mean"]?.double == 0.25)
      let first = try await server.send("GET", "/v1/runs/\(runs[0])").json["started_at"]
      let last = try await server.send("GET", "/v1/runs/\(runs[2])").json["finished_at"]
      #expect(session["first_run_at"] == first && session["last_run_at"] == last)
    }
  }

  @Test("a session needs no body and no name")
  func nameless() async throws {
    try await TestServer.run { server in
      let made = try await server.send("POST", "/v1/sessions")
      #expect(made.status == 201)
      #expect(try made.json["id"]?.string?.utf8.count == 36)
      #expect(try made.json["title"] == "New chat")
    }
  }

  @Test("a name that is taken is a conflict")
  func taken() async throws {
    try await TestServer.run { server in
      _ = try await server.send("POST", "/v1/sessions", body: #"{"id":"mine"}"#)
      #expect(try await server.send("POST", "/v1/sessions", body: #"{"id":"mine"}"#).status == 409)
    }
  }

  @Test("a wrong title is a fault of its field", arguments: [#"{}"#, #"{"title":""}"#, #"{"title":null}"#])
  func wrongTitle(body: String) async throws {
    try await TestServer.run { server in
      _ = try await server.send("POST", "/v1/sessions", body: #"{"id":"mine"}"#)
      let reply = try await server.send("PATCH", "/v1/sessions/mine", body: body)
      #expect(reply.status == 400)
      #expect(try reply.faults.count == 1)
    }
  }

  @Test("pages lead to one another until the last")
  func pages() async throws {
    try await TestServer.run { server in
      for number in 1...3 {
        _ = try await server.send("POST", "/v1/sessions", body: #"{"id":"s\#(number)"}"#)
      }
      var ids: [String] = []
      var path: String? = "/v1/sessions?limit=2"
      while let current = path {
        let page = try await server.send("GET", current).json
        ids += page["data"]?.array?.compactMap { $0["id"]?.string } ?? []
        path = page["next"]?.string.map { "/v1/sessions?limit=2&after=\($0)" }
      }
      #expect(ids.sorted() == ["s1", "s2", "s3"])
    }
  }

  @Test("a wrong page is refused", arguments: ["limit=0", "limit=201", "limit=x", "after=zzz", "lmit=1"])
  func wrongPage(query: String) async throws {
    try await TestServer.run { server in
      let reply = try await server.send("GET", "/v1/runs?\(query)")
      #expect(reply.status == 400)
    }
  }

  @Test("a conversation is listed with both its messages")
  func messages() async throws {
    try await TestServer.run(agents: [.adder], model: AddingModel()) { server in
      _ = try await server.chat("adder", #"{"message":"1 + 2","session_id":"s"}"#)
      let list = try await server.send("GET", "/v1/sessions/s/messages").json["data"]?.array ?? []
      #expect(list.map { $0["role"] } == ["user", "assistant"])
      #expect(list.map { $0["content"] } == ["1 + 2", "It is 3."])
      #expect(list.last?["tool_calls"]?.array?.first?["result"] == ["sum": 3])
    }
  }

  @Test("a run is kept with its end")
  func runs() async throws {
    try await TestServer.run(agents: [.echo, .failing(Failure(.rejected, "no"))]) { server in
      let id = try #require(try await server.chat().json["run_id"]?.string)
      _ = try await server.chat("failing")
      let run = try await server.send("GET", "/v1/runs/\(id)").json
      #expect(run["status"] == "completed" && run["agent"] == "echo" && run["error"] == .null)
      let list = try await server.send("GET", "/v1/runs").json["data"]?.array ?? []
      #expect(list.map { $0["status"] } == ["failed", "completed"])
      #expect(list.first?["error"] == "rejected")
      #expect(try await server.send("GET", "/v1/runs/none").status == 404)
    }
  }
}
