// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import JSONCodec
import Synchronization
import Testing

@testable import Models

@Suite("Cassettes")
struct CassetteTests {
  private let folder: TapeFolder
  private var path: String { folder.path + "/tape.jsonl" }
  private var normalization = RequestNormalization(
    defaultModel: "base", secrets: ["hush-hush", "pin"])

  init() throws { folder = try TapeFolder() }

  /// Records what the model answers to each request.
  private func record(
    _ requests: ModelRequest..., answer: @escaping @Sendable (ModelRequest) throws -> ModelReply
  ) async throws {
    let model = try RecordingModel(StubModel(answer), to: path, normalization: normalization)
    for request in requests { _ = try? await model.respond(to: request, within: .seconds(1), onText: nil) }
  }

  private func playback() throws -> PlaybackModel {
    PlaybackModel(
      try Cassette.load(path), of: StubModel { _ in throw CancellationError() }, normalization: normalization)
  }

  private func play(_ request: ModelRequest) async throws -> ModelReply {
    try await playback().respond(to: request, within: .seconds(1), onText: nil)
  }

  private var text: String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

  @Test("what was recorded plays back: text, calls, usage and errors")
  func playsBack() async throws {
    let reply = ModelReply.saying(
      "", calls: [ToolCallRequest(id: "c1", name: "add", arguments: #"{ "a": 1 }"#)])
    try await record(ModelRequest.of(.user("add")), ModelRequest.of(.user("fail"))) { request in
      if request.messages == [.user("add")] { return reply }
      throw ModelError(.rateLimited, "slow down", status: 429, retryAfterSeconds: 2, diagnostic: "words")
    }
    #expect(try await play(ModelRequest.of(.user("add"))) == reply)
    let error = try #require(await failure { try await play(ModelRequest.of(.user("fail"))) })
    #expect(error.kind == .rateLimited && error.status == 429 && error.retryAfterSeconds == 2)
    #expect(text.split(separator: "\n").count == 2)
  }

  @Test("a stream plays back in its pieces, whether or not somebody watched, and with broken characters")
  func streams() async throws {
    let flags = "hi 🇩🇪é!"
    func pieces(_ model: any Model) async throws -> [String] {
      let told = Mutex<[String]>([])
      _ = try await model.respond(to: ModelRequest.of(.user("x")), within: .seconds(1)) { texts in
        told.withLock { $0.append(contentsOf: texts) }
      }
      return told.withLock { $0 }
    }
    let recorder = try RecordingModel(
      StubModel { _ in ModelReply.saying(flags) }, to: path, normalization: normalization)
    let live = try await pieces(recorder)
    #expect(try await pieces(playback()) == live)
    #expect(try await play(ModelRequest.of(.user("x"))).text == flags)
    // Half a flag is a piece, too.
    #expect(PlaybackModel.cut("🇩🇪", [1, 1]) == ["\u{1F1E9}", "\u{1F1EA}"])
    #expect(PlaybackModel.cut("abc", [1, 1]) == ["a", "bc"])
    #expect(PlaybackModel.cut("ab", [1, 5, 2]) == ["a", "b"])
  }

  @Test("the same request plays back in the order of its recordings, then with the last one")
  func repeats() async throws {
    let count = Atomic(0)
    try await record(ModelRequest.of(.user("x")), ModelRequest.of(.user("x"))) { _ in
      ModelReply.saying(String(count.add(1, ordering: .relaxed).newValue))
    }
    let model = try playback()
    var texts: [String] = []
    for _ in 0..<3 {
      texts.append(
        try await model.respond(to: ModelRequest.of(.user("x")), within: .seconds(1), onText: nil).text)
    }
    #expect(texts == ["1", "2", "2"])
  }

  @Test("an answer that speaks of a run's UUID speaks of this run's when it is played back")
  func restoresNames() async throws {
    func asking(_ id: String) -> ModelRequest { ModelRequest.of(.user("show \(id)")) }
    try await record(asking(TestNames.first)) { _ in
      ModelReply.saying(
        "of \(TestNames.first)",
        calls: [ToolCallRequest(id: "c", name: "show", arguments: #"{"id":"\#(TestNames.first)"}"#)])
    }
    let reply = try await play(asking(TestNames.second))
    #expect(reply.text == "of \(TestNames.second)")
    #expect(reply.calls.first?.arguments == #"{"id":"\#(TestNames.second)"}"#)
    #expect(!text.contains(TestNames.first))
  }

  @Test("secrets, keys and personal data are in no recording, and it is found nevertheless")
  func redacts() async throws {
    let key = "sk-" + String(repeating: "a1", count: 12)
    let secrets = ["hush-hush", "ada@example.com", key, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"]
    let words = secrets.joined(separator: " ") + " Authorization: Bearer abcdefghijklmnop1234"
    let request = ModelRequest.of(
      .system(words),
      .assistant(
        words,
        calls: [
          ToolCallRequest(id: "c", name: "add", arguments: RawJSON(["t": .string(words)]).text),
          // Two members become one name.
          ToolCallRequest(id: "b", name: "add", arguments: #"{"ada@example.com":1,"[email]":2}"#),
        ]),
      .tool(callID: "c", name: "add", content: RawJSON([.string(words)]).text), .user("my pin: " + words),
      .user("basic internationalization of pk_user_account_history"))
    let answer = ModelReply.saying(
      words, calls: [ToolCallRequest(id: "d", name: "add", arguments: RawJSON([words: .string(words)]).text)])
    try await record(request, ModelRequest.of(.user("fail"))) { request in
      if request.messages.count == 1 { throw ModelError(.server, words, diagnostic: words) }
      return answer
    }
    for secret in secrets + ["abcdefghijklmnop1234"] { #expect(!text.contains(secret), "\(secret)") }
    // A word of three letters is no secret, and a long one is no key.
    #expect(text.contains("my pin") && text.contains("basic internationalization of pk_user_account_history"))
    let reply = try await play(request)
    #expect(reply.text.hasPrefix("[secret] [email] [api_key] [token]"))
    #expect(try JSON(parsing: reply.calls[0].arguments).object?.count == 1)
  }

  @Test("what an older version recorded is found: its one label for keys, and what it did not blot yet")
  func older() async throws {
    let form = RequestForm(json: [
      "models": ["base"],
      "messages": [["role": "user", "content": "use [key], Basic [key], password=hunter2 and [email]"]],
    ])
    try Data(Recording(form: form, outcome: .reply(.saying("done"), pieces: nil)).line.bytes + [10])
      .write(to: URL(filePath: path))
    let key = "sk-" + String(repeating: "a1", count: 12)
    let asked = "use \(key), Basic YWRhOmh1bnRlcjI=, password=hunter2 and ada@example.com"
    #expect(try await play(.of(.user(asked))).text == "done")
    await #expect(throws: ModelError.self) { try await play(.of(.user(asked + " too"))) }
  }

  @Test("a miss names the nearest recording and what differs, and asks nobody")
  func misses() async throws {
    let prompt = String(repeating: "Keep the list. ", count: 20)
    try await record(
      ModelRequest.of(.system(prompt + "Be kind."), .user("hi")),
      ModelRequest.of(.system("Sell."), .user("bye")),
      ModelRequest.of(.system("Sell."), .user("other"), temperature: 1)
    ) { _ in ModelReply.saying("ok") }
    let near = try #require(
      await failure { try await play(ModelRequest.of(.system(prompt + "Be terse."), .user("hi"))) })
    #expect(near.kind == .cassette)
    #expect(near.message.contains("tape.jsonl; the nearest, line 1, differs in message 1 (system);"))
    let diff = try #require(near.diagnostic)
    #expect(diff.contains("recorded: …list. Keep the list. Be kind."))
    #expect(diff.contains("asked:    …list. Keep the list. Be terse."))
    #expect(diff.utf8.count < 200)
    // Prompts are content: they are not for the caller.
    #expect(!near.message.contains("Keep"))

    let far = try #require(
      await failure {
        try await play(
          ModelRequest.of(
            .system("Sell."), .user("bye"), .user("more"), models: ["m"],
            tools: [ToolDescription(name: "add", description: "d", parameters: .empty)], temperature: 0.5))
      })
    #expect(far.message.contains("line 2, differs in message 3 (user), models, temperature and 1 more"))
    #expect(far.diagnostic?.contains("recorded: (not there)") == true)
  }

  @Test("an empty cassette, an order of tools, and a call in place of words are told apart")
  func missesOfOtherKinds() throws {
    let empty = try Cassette(path: "x/empty.jsonl", bytes: [])
    #expect(
      CassetteMiss(of: RequestForm(json: [:]), in: empty).error.message
        == "nothing is recorded in empty.jsonl")
    func differences(_ old: ModelRequest, _ new: ModelRequest) -> [String] {
      RequestDifference.between(normalization.form(of: old).json, normalization.form(of: new).json).map(
        \.place)
    }
    let tools = ["a", "b"].map { ToolDescription(name: $0, description: "d", parameters: .empty) }
    #expect(
      differences(ModelRequest.of(tools: tools), ModelRequest.of(tools: tools.reversed())) == [
        "order of the tools"
      ]
    )
    #expect(differences(ModelRequest.of(tools: tools), ModelRequest.of(tools: [tools[1]])) == ["tool a"])
    #expect(
      differences(ModelRequest.of(.assistant("a", calls: [])), ModelRequest.of(.user("a"))) == [
        "message 1 (user)"
      ])
  }

  @Test(
    "a damaged line is refused with its number",
    arguments: [
      ("{", "is not JSON"), ("[]", "has no 'version'"), (#"{"version":2}"#, "is of format 2"),
      (#"{"version":1}"#, "has no 'request'"),
      (#"{"version":1,"request":{},"key":"0"}"#, "not its request's"),
    ])
  func damaged(line: String, told: String) async throws {
    try await record(ModelRequest.of(.user("x"))) { _ in ModelReply.saying("ok") }
    try Data((text + line + "\n").utf8).write(to: URL(filePath: path))
    let error = #expect(throws: CassetteError.self) { try Cassette.load(path) }
    #expect(error?.message.hasPrefix("\(path):2: the line ") == true && error?.message.contains(told) == true)
    // Nor is anything added to it.
    let writing = #expect(throws: CassetteError.self) { try CassetteWriter(path) }
    #expect(writing?.message == error?.message)
  }

  @Test("a line that was cut off, and a file that is not there, are refused")
  func cutOff() async throws {
    #expect(throws: CassetteError.self) { try Cassette.load(path) }
    try await record(ModelRequest.of(.user("x"))) { _ in ModelReply.saying("ok") }
    try Data(text.dropLast().utf8).write(to: URL(filePath: path))
    let error = #expect(throws: CassetteError.self) { try Cassette.load(path) }
    #expect(error?.message.contains(":1: the line has no end") == true)
    #expect(throws: CassetteError.self) { try CassetteWriter(folder.path + "/nowhere/tape.jsonl") }
  }

  @Test("runs beside each other, and several recorders of one file, write whole lines")
  func parallel() async throws {
    let long = String(repeating: "long ", count: 4000)
    let models = try (0..<4).map { _ in
      try RecordingModel(StubModel { _ in ModelReply.saying(long) }, to: path, normalization: normalization)
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<32 {
        group.addTask {
          _ = try await models[number % 4].respond(
            to: ModelRequest.of(.user("\(number)")), within: .seconds(1), onText: nil)
        }
      }
      try await group.waitForAll()
    }
    #expect(try Cassette.load(path).recordings.count == 32)
    #expect(try await play(ModelRequest.of(.user("31"))).text == long)
  }

  @Test("a new file is its owner's alone")
  func mode() throws {
    _ = try CassetteWriter(path)
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
  }
}
