// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

@Suite("Chat with a running server", .timeLimit(.minutes(3)))
struct RemoteChatTests {
  private static let workspace = [
    "agents/a.lua": """
    return { tools = { "look" }, prompt = "p", before = function(_, message)
      if message == "no" then reject("not that") end
      return message
    end }
    """,
    "tools/look.lua":
      "return { look = { description = 'd', effect = 'read', run = function() return { seen = true } end } }",
  ]

  /// A server, a chat with it through a proxy, and what stands behind both.
  private struct Scene {
    let workspace: Folder
    let data: Folder
    let environment: [String: String]
    /// Stops when nobody has it.
    let provider: ScriptedProvider
    let server: RunningServer
    let proxy: CuttingProxy

    init(_ provider: ScriptedProvider, _ cuts: [CuttingProxy.Cut] = []) async throws {
      self.provider = provider
      workspace = try Folder(RemoteChatTests.workspace)
      data = try Folder()
      environment = ["OPENAI_BASE_URL": provider.baseURL, "OPENAI_API_KEY": "sk-secret"]
      server = try await RunningServer(
        workspace: workspace.path, data: data.path, environment: environment)
      proxy = try CuttingProxy(to: server.port, cuts)
    }

    func chat(_ more: String...) throws -> ChildProcess {
      try PerigeeBinary.start(["chat", "a", "--server", proxy.origin] + more)
    }
  }

  private static func words(_ pieces: [(gate: Gate?, text: String)]) -> ScriptedProvider.Reply {
    let data = ScriptedProvider.Reply.streamedCompletion(pieces.map(\.text))
    return .events(
      data.enumerated().map { index, data in
        (gate: index < pieces.count ? pieces[index].gate : nil, data: data)
      })
  }

  @Test("an answer whose connection is cut, within an event and between two, is shown whole and once")
  func cutInTheMiddle() async throws {
    let (second, third) = (Gate(), Gate())
    let provider = try ScriptedProvider(
      .toolCalls([("c1", "look", "{}")]),
      Self.words([(nil, "one "), (second, "two "), (third, "three")]))
    let scene = try await Scene(
      provider,
      [
        .init(request: "POST /v1/agents/a/chat", after: "\"one"),
        .init(request: "GET /v1/runs/", after: "\"two \"}\n\n"),
      ])
    let chat = try scene.chat("--session", "s")
    chat.send(input: "hello\n")
    await scene.proxy.cuts(atLeast: 1)
    second.open()
    await scene.proxy.cuts(atLeast: 2)
    third.open()
    async let errors = chat.errors.text()
    let output = await chat.output.text()
    #expect(output == "one two three\n")
    #expect(await chat.end() == 0)
    let notes = await errors.split(separator: "\n").map { $0.prefix { $0 != "(" } }
    #expect(notes == ["· look {} ", "connection lost, trying again…", "connection lost, trying again…"])
    let sent = scene.proxy.sent
    #expect(sent.components(separatedBy: "POST /v1/agents/a/chat").count == 2)
    #expect(sent.contains("Last-Event-ID: 3\r\n") && sent.contains("Last-Event-ID: 5\r\n"))
    #expect(provider.requests.count == 2)
    await scene.server.stop()
  }

  @Test("a message whose connection is cut before anything came is sent again as the same one")
  func cutBeforeHead() async throws {
    let provider = try ScriptedProvider(.toolCalls([("c1", "look", "{}")]), .completion("Seen."))
    let scene = try await Scene(provider, [.init(request: "POST /v1/agents/a/chat")])
    let chat = try scene.chat()
    chat.send(input: "hello\n")
    async let errors = chat.errors.text()
    let output = await chat.output.text()
    #expect(output == "Seen.\n")
    #expect(await chat.end() == 0)
    let calls = await errors.components(separatedBy: "\n").filter { $0.hasPrefix("· look {} (") }
    #expect(calls.count == 1)
    let keys = scene.proxy.sent.components(separatedBy: "\r\n").filter { $0.hasPrefix("Idempotency-Key: ") }
    #expect(keys.count == 2 && Set(keys).count == 1)
    #expect(provider.requests.count == 2)
    await scene.server.stop()
  }

  @Test("a server that crashes in mid-answer and comes back finishes what it began to say")
  func crash() async throws {
    let never = Gate()
    defer { never.open() }
    let asked = Tally()
    let provider = try ScriptedProvider { _ in
      asked.increment() == 0
        ? Self.words([(nil, "one "), (never, "?")]) : Self.words([(nil, "one "), (nil, "two")])
    }
    let scene = try await Scene(provider)
    let chat = try scene.chat("--session", "s")
    chat.send(input: "hello\n")
    #expect(await chat.output.text(until: "one ") == "one ")
    await scene.server.stop(signal: SIGKILL)
    let second = try await RunningServer(
      workspace: scene.workspace.path, data: scene.data.path, environment: scene.environment)
    scene.proxy.redirect(to: second.port)
    async let errors = chat.errors.text()
    let output = await chat.output.text()
    #expect(output == "two\n")
    #expect(await chat.end() == 0)
    #expect(await !errors.contains("anew"))
    let messages = try await second.get("/v1/sessions/s/messages").json["data"]?.array ?? []
    #expect(messages.map { $0["content"]?.string } == ["hello", "one two"])
    await second.stop()
  }

  @Test("a server that is gone for good is given up, and the way to go on is named")
  func gone() async throws {
    let never = Gate()
    defer { never.open() }
    let provider = try ScriptedProvider(Self.words([(nil, "one "), (never, "?")]))
    let scene = try await Scene(provider)
    let chat = try scene.chat("--session", "s", "--retry-seconds", "1")
    chat.send(input: "hello\n")
    #expect(await chat.output.text(until: "one ") == "one ")
    await scene.server.stop(signal: SIGKILL)
    async let errors = chat.errors.text()
    #expect(await chat.end() == 1)
    let text = await errors
    #expect(
      text.contains(
        "error: the connection to \(scene.proxy.origin) was lost and did not come back within 1 s\n"),
      "\(text)")
    #expect(text.contains("hint: go on later with --session s\n"))
    #expect(text.components(separatedBy: "connection lost").count == 2)
  }

  @Test("Ctrl-C cancels the turn on the server, and the conversation goes on in its session")
  func interrupted() async throws {
    let never = Gate()
    defer { never.open() }
    let asked = Tally()
    let provider = try ScriptedProvider { _ in
      asked.increment() == 0 ? Self.words([(nil, "one "), (never, "?")]) : .completion("Here.")
    }
    let scene = try await Scene(provider)
    let chat = try scene.chat()
    chat.type("hello\n")
    #expect(await chat.output.text(until: "one ") == "one ")
    chat.send(signal: SIGINT)
    #expect(await chat.errors.text(until: "[cancelled]\n") == "error: the run was cancelled [cancelled]\n")
    chat.send(input: "again\n")
    let output = await chat.output.text()
    #expect(output == "\nHere.\n")
    #expect(await chat.end() == 0)
    let runs = try await scene.server.get("/v1/runs").json["data"]?.array ?? []
    #expect(runs.map { $0["status"]?.string } == ["completed", "cancelled"])
    #expect(Set(runs.map { $0["session_id"]?.string }).count == 1)
    await scene.server.stop()
  }

  /// Answers as a server would of which the test is the run.
  private static func fake(_ chat: ScriptedProvider.Reply, cancelled: Gate) throws -> ScriptedProvider {
    try ScriptedProvider { request in
      switch request.path {
      case "/v1/agents": return .json(["data": [["name": "a"]]])
      case "/v1/agents/a/chat": return chat
      case "/v1/runs/r/cancel":
        cancelled.open()
        return .json([:], status: 202)
      default: return .status(500)
      }
    }
  }

  @Test("Ctrl-C before the run has begun cancels it when it begins")
  func interruptedEarly() async throws {
    let (begun, cancelled) = (Gate(), Gate())
    func event(_ number: Int, _ name: String, _ data: String) -> [UInt8] {
      Array("id: \(number)\nevent: \(name)\ndata: \(data)\n\n".utf8)
    }
    let server = try Self.fake(
      .pieces([
        (begun, event(1, "run.started", #"{"run_id":"r","session_id":"s"}"#)),
        (cancelled, event(2, "error", #"{"code":"cancelled","detail":"the run was cancelled"}"#)),
      ]), cancelled: cancelled)
    let chat = try PerigeeBinary.start(["chat", "a", "--server", server.origin])
    chat.type("hello\n")
    await server.requests(atLeast: 2)
    chat.send(signal: SIGINT)
    #expect(await chat.errors.line().hasPrefix("the run is cancelled as soon as it begins"))
    begun.open()
    #expect(await chat.errors.line() == "error: the run was cancelled [cancelled]")
    chat.send(input: "")
    #expect(await chat.end() == 130)
  }

  @Test("a second Ctrl-C waits no longer for a server that says nothing")
  func left() async throws {
    let server = try Self.fake(.silence, cancelled: Gate())
    let chat = try PerigeeBinary.start(["chat", "a", "--server", server.origin])
    chat.type("hello\n")
    await server.requests(atLeast: 2)
    chat.send(signal: SIGINT)
    _ = await chat.errors.line()
    chat.send(signal: SIGINT)
    #expect(await chat.errors.line().hasPrefix("error: the turn was left"))
    chat.send(input: "")
    #expect(await chat.end() == 130)
  }

  @Test("a problem is shown and the conversation goes on; the last one decides how it ends")
  func problems() async throws {
    let scene = try await Scene(try ScriptedProvider(.completion("Yes.")))
    func talk(_ input: String, _ more: String...) async throws -> Outcome {
      try await perigee(["chat", "a", "--server", scene.proxy.origin] + more, input: input)
    }
    let mixed = try await talk("no\nyes\n")
    #expect(mixed.status == 0 && mixed.output == "Yes.\n")
    #expect(mixed.errors == "error: not that [rejected]\n")
    let bad = try await talk("no\n")
    #expect(bad.status == 1 && bad.errors.hasSuffix("error: the last message failed: not that\n"))
    let invalid = try await talk("yes\n", "--session", "a b")
    #expect(invalid.status == 1 && invalid.errors.contains("[invalid_arguments]"))
    let unknown = try await perigee("chat", "b", "--server", scene.proxy.origin)
    #expect(unknown.status == 2 && unknown.errors.contains("hint: the agents are: a\n"))
    await scene.server.stop()
    let absent = try await talk("yes\n")
    #expect(absent.status == 2 && absent.errors.contains("hint: start it: perigee serve\n"))
  }

  @Test(
    "what only an own workspace can do is refused with a server",
    arguments: [
      ["--server", "http://127.0.0.1:1", "--workspace", "."],
      ["--server", "http://127.0.0.1:1", "--data", "d"],
      ["--server", "http://127.0.0.1:1", "--record", "r"], ["--server", "http://127.0.0.1:1", "--as", "ada"],
      ["--server", "http://127.0.0.1:1", "--cassette", "c"], ["--retry-seconds", "5"],
      ["--server", "127.0.0.1:1"], ["--server", "http://127.0.0.1:1?x"],
      ["--server", "http://127.0.0.1:1", "--retry-seconds", "90000"],
    ])
  func exclusions(arguments: [String]) async throws {
    let outcome = try await perigee(["chat", "a"] + arguments)
    #expect(outcome.status == 2 && outcome.output == "")
    #expect(outcome.errors.lowercased().hasPrefix("error: --"), "\(outcome.errors)")
  }
}
