// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Synchronization
import Testing

@Suite("The chat endpoint as events", .timeLimit(.minutes(5)))
struct StreamTests {
  private static let body = #"{"message":"hi","session_id":"s","stream":true}"#

  @Test(
    "a turn is told step by step, and the text since the last tool is the answer",
    arguments: [(["Accept: text/event-stream"], #"{"message":"hi"}"#), ([], Self.body)])
  func tellsSteps(headers: [String], body: String) async throws {
    try await TestServer.run(agents: [.adder], model: TalkingModel(["It ", "is ", "3."])) { server in
      try await Client.connect(server.port) { client in
        try await client.send("POST", "/v1/agents/adder/chat", headers: headers, body: body)
        let head = try await client.receiveHead()
        #expect(head.status == 200)
        #expect(head.headers["content-type"] == "text/event-stream")
        #expect(head.headers["cache-control"] == "no-store")
        #expect(head.headers["x-request-id"]?.isEmpty == false)
        let events = try await client.remainingEvents()
        #expect(events.compactMap(\.id) == Array(1...events.count))
        #expect(events.first?.name == "run.started")
        let names = events.map { $0.name ?? "?" }
        let tools = try #require(names.firstIndex(of: "tool.started"))
        #expect(names[tools + 1] == "tool.finished")
        #expect(names.last == "message.completed")
        #expect(try events[tools].data == ["id": "call_1", "name": "add", "arguments": [:]])
        #expect(try events[tools + 1].data["result"] == ["sum": 3])
        let reply = try #require(try events.last?.data)
        let text = try events[tools...].compactMap { try $0.text }.joined()
        #expect(text == "It is 3." && reply["response"]?.string == text)
        #expect(try events[0].data["run_id"] == reply["run_id"])
        #expect(try events[0].data["session_id"] == reply["session_id"])
      }
    }
  }

  @Test("the connection goes on after the last event")
  func keepsConnection() async throws {
    try await TestServer.run { server in
      try await Client.connect(server.port) { client in
        for _ in 0..<2 {
          try await client.send("POST", "/v1/agents/echo/chat", body: Self.body)
          #expect(try await client.receiveHead().status == 200)
          let events = try await client.remainingEvents()
          #expect(try events.compactMap { try $0.text } == ["You said: hi"])
        }
      }
    }
  }

  @Test(
    "what is wrong before anything happened is a status, not an event",
    arguments: [("nobody", Self.body, 404), ("echo", #"{"message":" ","stream":true}"#, 400)])
  func refusesByStatus(agent: String, body: String, status: Int) async throws {
    try await TestServer.run { server in
      let reply = try await server.send("POST", "/v1/agents/\(agent)/chat", body: body)
      #expect(reply.status == status)
      #expect(reply.headers["content-type"] == "application/problem+json")
    }
  }

  @Test("a run that fails ends its stream with the problem")
  func failure() async throws {
    let agent = ScriptedAgent.failing(Failure(.rejected, "not like this"))
    try await TestServer.run(agents: [agent]) { server in
      try await Client.connect(server.port) { client in
        try await client.send(
          "POST", "/v1/agents/failing/chat", headers: ["X-Request-Id: r-1"], body: Self.body)
        #expect(try await client.receiveHead().status == 200)
        let events = try await client.remainingEvents()
        #expect(events.map(\.name) == ["run.started", "error"])
        let problem = try #require(try events.last?.data)
        #expect(problem["code"] == "rejected" && problem["status"] == 422)
        #expect(problem["detail"] == "not like this" && problem["request_id"] == "r-1")
      }
    }
  }

  @Test("a client that leaves a stream cancels the run")
  func departure() async throws {
    let model = HeldModel()
    try await TestServer.run(agents: [.talker], model: model) { server in
      try await Client.connect(server.port) { client in
        try await client.send("POST", "/v1/agents/talker/chat", body: Self.body)
        _ = try await client.receiveHead()
        while try await client.nextEvent()?.name != "message.delta" {}
        try await client.close()
      }
      try await model.cancelled.wait()
      await server.stop()
      await server.stopped()
      // What was sent and said is billed, and counted.
      let run = try #require(
        try await server.store.runs(visibleTo: .everyone, page: PageRequest()).items.first)
      #expect(run.status == .cancelled)
      #expect(run.usage.inputTokens > 0 && run.usage.outputTokens > 0)
    }
  }

  @Test("a detached run goes on without its client, who comes back for the rest")
  func detach() async throws {
    let model = HeldModel()
    try await TestServer.run(agents: [.talker], model: model) { server in
      let (run, last) = try await Client.connect(server.port) { client in
        try await client.send(
          "POST", "/v1/agents/talker/chat", body: #"{"message":"hi","stream":true,"detach":true}"#)
        _ = try await client.receiveHead()
        var (run, last) = ("", 0)
        while let event = try await client.nextEvent() {
          if event.name == "run.started" { run = try event.data["run_id"]?.string ?? "" }
          last = event.id ?? 0
          if event.name == "message.delta" { break }
        }
        try await client.close()
        return (run, last)
      }
      try await Client.connect(server.port) { client in
        try await client.send("GET", "/v1/runs/\(run)/events", headers: ["Last-Event-ID: \(last)"])
        #expect(try await client.receiveHead().status == 200)
        model.goOn.send()
        let events = try await client.remainingEvents()
        #expect(events.map(\.id) == [last + 1, last + 2])
        #expect(try events.first?.text == "second")
        #expect(try events.last?.data["response"] == "first second")
      }
      // All of it once more, for one who comes after the end.
      try await Client.connect(server.port) { client in
        try await client.send("GET", "/v1/runs/\(run)/events")
        _ = try await client.receiveHead()
        #expect(try await client.remainingEvents().last?.name == "message.completed")
      }
    }
  }

  @Test("a server that stops waits for a detached run")
  func drainsDetached() async throws {
    let model = HeldModel()
    let store = Mutex<String?>(nil)
    try await TestServer.run(agents: [.talker], model: model) { server in
      try await Client.connect(server.port) { client in
        try await client.send(
          "POST", "/v1/agents/talker/chat", body: #"{"message":"hi","stream":true,"detach":true}"#)
        _ = try await client.receiveHead()
        while let event = try await client.nextEvent() {
          if event.name == "run.started" { store.withLock { $0 = try? event.data["run_id"]?.string } }
          if event.name == "message.delta" { break }
        }
        try await client.close()
      }
      await server.stop()
      model.goOn.send()
      await server.stopped()
      let run = try await server.store.run(id: try #require(store.withLock { $0 }), visibleTo: .everyone)
      #expect(run.status == .completed)
    }
  }

  @Test("a run can be cancelled by its name, and only while it is under way")
  func cancel() async throws {
    let model = HeldModel()
    try await TestServer.run(agents: [.talker], model: model) { server in
      #expect(try await server.send("POST", "/v1/runs/none/cancel").status == 404)
      try await Client.connect(server.port) { client in
        try await client.send("POST", "/v1/agents/talker/chat", body: Self.body)
        _ = try await client.receiveHead()
        let run = try #require(try await client.nextEvent()?.data["run_id"]?.string)
        while try await client.nextEvent()?.name != "message.delta" {}
        let answer = try await server.send("POST", "/v1/runs/\(run)/cancel")
        #expect(answer.status == 202)
        #expect(try answer.json["id"]?.string == run)
        let last = try #require(try await client.remainingEvents().last)
        #expect(last.name == "error")
        #expect(try last.data["code"] == "cancelled")
        #expect(try await server.send("POST", "/v1/runs/\(run)/cancel").status == 409)
        #expect(try await server.send("GET", "/v1/runs/\(run)").json["status"] == "cancelled")
      }
    }
  }

  @Test("events of a run that nobody watched, or that does not exist, cannot be had")
  func noEvents() async throws {
    try await TestServer.run { server in
      let run = try await server.chat().json["run_id"]?.string ?? ""
      #expect(try await server.send("GET", "/v1/runs/\(run)/events").status == 409)
      #expect(try await server.send("GET", "/v1/runs/none/events").status == 404)
      let wrong = try await server.send("GET", "/v1/runs/\(run)/events", headers: ["Last-Event-ID: x"])
      #expect(wrong.status == 400)
    }
  }

  @Test("the head of a stream has no body, and the connection goes on")
  func headOnly() async throws {
    try await TestServer.run(agents: [.talker], model: TalkingModel(["a"])) { server in
      let run = try await Client.connect(server.port) { client in
        try await client.send("POST", "/v1/agents/talker/chat", body: Self.body)
        _ = try await client.receiveHead()
        return try await client.remainingEvents().first?.data["run_id"]?.string ?? ""
      }
      try await Client.connect(server.port) { client in
        try await client.send("HEAD", "/v1/runs/\(run)/events")
        #expect(try await client.receive(isHead: true).status == 200)
        try await client.send("GET", "/v1/runs/\(run)", headers: [])
        #expect(try await client.receive().json["id"]?.string == run)
        try await client.send("GET", "/v1/runs/\(run)/events", headers: ["Last-Event-ID: 99"])
        #expect(try await client.receive().status == 400)
      }
    }
  }

  @Test("a turn that waits for its session when the server stops is answered too")
  func drainsWaiting() async throws {
    let model = HeldModel()
    try await TestServer.run(agents: [.talker], model: model) { server in
      for turn in 1...2 {
        try await Client.connect(server.port) { client in
          try await client.send(
            "POST", "/v1/agents/talker/chat",
            body: #"{"message":"hi","session_id":"s","stream":true,"detach":true}"#)
          // The second one is not begun, so that nothing would come.
          if turn == 1 { _ = try await client.receiveHead() }
          try await server.taken(turn)
          try await client.close()
        }
      }
      await server.stop()
      model.goOn.send()
      await server.stopped()
      let runs = try await server.store.runs(visibleTo: .everyone, page: PageRequest()).items
      #expect(runs.map(\.status) == [.completed, .completed])
    }
  }

  @Test("a busy session whose agent rejects answers 409")
  func rejects() async throws {
    let model = HeldModel()
    try await TestServer.run(agents: [.talker, .refusing], model: model) { server in
      try await Client.connect(server.port) { client in
        try await client.send("POST", "/v1/agents/talker/chat", body: Self.body)
        _ = try await client.receiveHead()
        while try await client.nextEvent()?.name != "message.delta" {}
        let reply = try await server.send("POST", "/v1/agents/refusing/chat", body: Self.body)
        #expect(reply.status == 409)
        #expect(try reply.json["code"] == "conflict")
        model.goOn.send()
        #expect(try await client.remainingEvents().last?.name == "message.completed")
      }
    }
  }
}

extension ScriptedAgent {
  /// Lets the model talk.
  fileprivate static let talker = ScriptedAgent(
    Agent(name: "talker", file: "agents/talker.lua", body: .prompt(.constant("Talk."))))

  /// Takes no second message meanwhile.
  fileprivate static let refusing = ScriptedAgent(
    Agent(name: "refusing", file: "agents/refusing.lua", body: .run, busy: .reject))
}

/// Calls `add` once, then talks in pieces; says something before the call too.
private struct TalkingModel: Model {
  let pieces: [String]

  init(_ pieces: [String]) { self.pieces = pieces }

  func isConfigured(for models: [String]) -> Bool { true }

  func respond(
    to request: ModelRequest, within deadline: Duration, onText: TextListener?
  ) async throws -> ModelReply {
    guard case .tool = request.messages.last?.content else {
      await onText?(["One moment."])
      return ModelReply(
        model: "m", text: "One moment.",
        calls: [ToolCallRequest(id: "call_1", name: "add", arguments: "{}")], finishReason: .toolCalls)
    }
    for piece in pieces { await onText?([piece]) }
    return ModelReply(model: "m", text: pieces.joined(), finishReason: .stop)
  }
}

/// Says one word, and another one when it is let.
private struct HeldModel: Model {
  let goOn = Signal()
  let cancelled = Signal()

  func isConfigured(for models: [String]) -> Bool { true }

  func respond(
    to request: ModelRequest, within deadline: Duration, onText: TextListener?
  ) async throws -> ModelReply {
    await onText?(["first "])
    do {
      try await goOn.wait()
    } catch {
      cancelled.send()
      throw error
    }
    await onText?(["second"])
    return ModelReply(model: "m", text: "first second", finishReason: .stop)
  }
}
