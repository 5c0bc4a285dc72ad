// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

@Suite("Cassettes on the command line")
struct CassetteTests {
  private static let tools = """
    return { save = { description = "Saves a note.", parameters = { text = "string" },
      run = function(ctx, args) return { id = uuid(), at = time.format(time.now()), text = args.text } end } }
    """

  private static func agent(_ prompt: String) -> String {
    "return { prompt = '\(prompt)', tools = { 'save' }, stub = function() return 'the stub' end }"
  }

  private static func workspace() throws -> Folder {
    try Folder(["agents/notes.lua": agent("Keep notes. Be kind."), "tools/notes.lua": tools])
  }

  /// A model that saves a note, then says which.
  private static func provider() throws -> ScriptedProvider {
    try ScriptedProvider { request in
      let messages = request.json["messages"]?.array ?? []
      guard let result = messages.last, result["role"] == "tool" else {
        return .toolCalls([("call_abc", "save", #"{"text":"milk, sk-verysecret"}"#)])
      }
      let saved = try? JSON(parsing: result["content"]?.string ?? "")
      return .completion("Saved \(saved?["id"]?.string ?? "?").")
    }
  }

  private func run(_ workspace: Folder, _ arguments: String..., environment: [String: String] = [:])
    async throws
    -> Outcome
  {
    try await perigee(
      ["run", "notes", "--workspace", workspace.path, "--input", "note milk"] + arguments,
      environment: environment)
  }

  @Test("a run is recorded, played back with the provider gone and no key, and a changed prompt is a miss")
  func recordAndPlay() async throws {
    let workspace = try Self.workspace()
    let provider = try Self.provider()
    let live = try await run(
      workspace, "--record", "evening",
      environment: ["OPENAI_BASE_URL": provider.baseURL, "OPENAI_API_KEY": "sk-verysecret"])
    #expect(live.status == 0, "\(live.errors)")
    #expect(live.output.hasPrefix("Saved "))
    provider.stop()
    #expect(provider.requests.count == 2)
    let cassette = try workspace.read(".perigee/cassettes/evening.jsonl")
    #expect(cassette.split(separator: "\n").count == 2)
    #expect(!cassette.contains("verysecret"))

    // The note has another id and another time now.
    let path = workspace.path + "/.perigee/cassettes/evening.jsonl"
    for name in ["evening", path] {
      let played = try await run(workspace, "--cassette", name, "--json")
      #expect(played.status == 0, "\(played.errors)")
      let json = try JSON(parsing: played.output)
      let id = try #require(json["tool_calls"]?.array?.first?["result"]?["id"]?.string)
      #expect(json["response"] == .string("Saved \(id)."))
      #expect(!live.output.contains(id) && json["using_stub"] == false)
    }

    try workspace.write("agents/notes.lua", Self.agent("Keep notes. Be terse."))
    let miss = try await run(workspace, "--cassette", "evening")
    #expect(miss.status == 1)
    #expect(miss.output == "", "the stub may not answer")
    #expect(miss.errors.contains("evening.jsonl; the nearest, line 1, differs in message 1 (system)"))
    #expect(miss.errors.contains("recorded: Keep notes. Be kind."))
    #expect(miss.errors.contains("asked:    Keep notes. Be terse."))
  }

  @Test("chat and serve record and play back as well")
  func otherCommands() async throws {
    let workspace = try Self.workspace()
    let provider = try Self.provider()
    let path = workspace.path + "/tape.jsonl"
    let arguments = ["chat", "notes", "--workspace", workspace.path]
    let recorded = try await perigee(
      arguments + ["--record", path], environment: ["OPENAI_BASE_URL": provider.baseURL], input: "note milk\n"
    )
    #expect(recorded.status == 0, "\(recorded.errors)")
    provider.stop()
    let played = try await perigee(arguments + ["--cassette", path], input: "note milk\n")
    #expect(played.status == 0 && played.output.contains("Saved "), "\(played.errors)")
    let data = try Folder()
    let server = try await RunningServer(
      workspace: workspace.path, data: data.path, arguments: ["--cassette", path])
    let answer = try await server.chat("notes", "note milk")
    #expect(answer.json["response"]?.string?.hasPrefix("Saved ") == true, "\(answer.text)")
    let miss = try await server.chat("notes", "something else")
    #expect(miss.status == 502 && miss.json["detail"]?.string?.contains("message 2 (user)") == true)
    #expect(!miss.text.contains("note milk"))
    await server.stop()
  }

  @Test("what cannot be used is refused before anything runs, with the way to mend it")
  func refusals() async throws {
    let workspace = try Self.workspace()
    try workspace.write("bad.jsonl", "{}\n")
    let cases: [(arguments: [String], told: String)] = [
      (["--record", "a", "--cassette", "b"], "exclude each other"), (["--record", ""], "name a file"),
      (["--cassette", "nothing"], "there is no cassette"),
      (["--cassette", workspace.path + "/bad.jsonl"], "bad.jsonl:1: the line has no 'version'"),
      (["--record", workspace.path + "/bad.jsonl"], "bad.jsonl:1: the line has no 'version'"),
      (["--record", workspace.path + "/no/where.jsonl"], "cannot be written"),
    ]
    for (arguments, told) in cases {
      let outcome = try await perigee(
        ["run", "notes", "--workspace", workspace.path, "--input", "x"] + arguments)
      #expect(outcome.status == 2, "\(arguments) \(outcome.errors)")
      #expect(outcome.errors.contains(told), "\(arguments) \(outcome.errors)")
      #expect(outcome.output == "")
    }
  }

  @Test("help explains recording", arguments: ["run", "chat", "serve"])
  func help(command: String) async throws {
    let help = try await perigee(command, "--help").output
    #expect(help.contains("--record <file>") && help.contains("--cassette <file>"))
  }
}
