// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

@Suite("Chat in a terminal", .timeLimit(.minutes(3)))
struct TerminalTests {
  private func start(_ folder: Folder, _ provider: ScriptedProvider) throws -> ChildProcess {
    try ChildProcess(
      inTerminal: PerigeeBinary.url.path, ["chat", "a", "--workspace", folder.path],
      environment: PerigeeBinary.environment([
        "OPENAI_BASE_URL": provider.baseURL, "OPENAI_API_KEY": "sk-secret", "NO_COLOR": "1",
      ]))
  }

  @Test("text comes as the model says it; Ctrl-C cancels the turn, and the next one is in the same session")
  func interrupted() async throws {
    let never = Gate()
    defer { never.open() }
    let asked = Tally()
    let provider = try ScriptedProvider { _ in
      let words = ScriptedProvider.Reply.streamedCompletion(["one ", "two"])
      return asked.increment() == 0
        ? .events(words.enumerated().map { (gate: $0 == 0 ? nil : never, data: $1) }) : .completion("Here.")
    }
    let folder = try Folder(["agents/a.lua": "return { prompt = 'p' }"])
    let chat = try start(folder, provider)
    _ = await chat.output.text(until: "> ")
    chat.type("hello\n")
    _ = await chat.output.text(until: "one ")
    chat.type("\u{3}")
    let end = await chat.output.text(until: "> ")
    #expect(end.contains("error: the run was cancelled [cancelled]\r\n"), "\(end)")
    chat.type("again\n")
    #expect(await chat.output.text(until: "> ").contains("Here.\r\n"))
    chat.type("\u{4}")
    #expect(await chat.end() == 0)
    let messages = try #require(provider.requests.last?.json["messages"]?.array)
    #expect(messages.contains { $0["content"] == "hello" })
  }

  @Test("Ctrl-C at the prompt ends the conversation")
  func ended() async throws {
    let folder = try Folder(["agents/a.lua": "return { prompt = 'p' }"])
    let chat = try start(folder, try ScriptedProvider(.silence))
    _ = await chat.output.text(until: "> ")
    chat.type("\u{3}")
    #expect(await chat.end() == 130)
  }

  @Test("a tool is shown while it runs, and nothing that comes from a model or a tool commands the terminal")
  func controls() async throws {
    let (provider, service) = (
      try ScriptedProvider(
        .toolCalls([("c1", "look", #"{"at":"\u001b]0;x\u0007 \u009b2J"}"#)]),
        .completion("\u{1B}[31mred\u{9B}2J\rover\ttab\u{7F}\nline")), Gate()
    )
    let held = try ScriptedProvider(ScriptedProvider.Reply.json([:]).held(by: service))
    let folder = try Folder([
      "agents/a.lua": "return { prompt = 'p', tools = { 'look' } }",
      "tools/look.lua": """
      return { look = {
        description = "d", effect = "read", parameters = { at = "string" },
        access = { http = { "127.0.0.1:\(held.port)" } },
        run = function() http.get("\(held.origin)/") error({ code = "x\\27[2J", message = "m\\27[2J" }) end,
      } }
      """,
      "perigee.yaml": "http: { private_addresses: true }\n",
    ])
    let chat = try start(folder, provider)
    _ = await chat.output.text(until: "> ")
    chat.type("hello\n")
    var all = await chat.output.text(until: " …\r\n")
    service.open()
    all += await chat.output.text(until: "> ")
    chat.type("\u{4}")
    #expect(await chat.end() == 0)
    #expect(all.contains("· look"), "\(all)")
    #expect(all.contains("␛[31mred\u{FFFD}2J␍over\ttab␡\r\nline\r\n"), "\(all)")
    let controls = all.unicodeScalars.filter {
      ($0.value < 0x20 && ![0x09, 0x0A, 0x0D].contains($0.value)) || (0x7F...0x9F).contains($0.value)
    }
    #expect(controls.isEmpty, "\(all.debugDescription)")
  }
}
