// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Testing

@testable import Models

@Suite("Keys of recordings")
struct RequestNormalizationTests {
  private let normalization = RequestNormalization(defaultModel: "base")

  @Test("whatever the model is told is part of the key", arguments: 0..<10)
  func keys(which: Int) throws {
    func tool(_ description: String) -> ToolDescription {
      ToolDescription(name: "add", description: description, parameters: .empty)
    }
    let output = try Schema(["title": "string"])
    let base = ModelRequest.of(
      .system("s"), .user("u"), models: ["m"], tools: [tool("d")], output: output, temperature: 0.5,
      tokensMax: 9)
    func with(
      _ messages: [ModelMessage] = base.messages, models: [String] = ["m"],
      tools: [ToolDescription] = [tool("d")], output: Schema? = output, temperature: Double? = 0.5,
      tokensMax: Int? = 9, choice: ToolChoice = .auto, isParallel: Bool = true
    ) -> ModelRequest {
      ModelRequest(
        models: models, messages: messages, tools: tools, output: output, temperature: temperature,
        tokensMax: tokensMax, toolChoice: choice, allowsParallelCalls: isParallel)
    }
    let other = [
      with([.system("s "), .user("u")]), with([.system("s"), .user("u"), .user("u")]),
      with(models: ["m", "n"]),
      with(tools: [tool("e")]), with(output: nil), with(output: try Schema(["title": "integer"])),
      with(temperature: 0.6), with(tokensMax: 10), with(choice: .required), with(isParallel: false),
    ][which]
    let key = normalization.form(of: base).key
    #expect(normalization.form(of: with()).key == key)
    #expect(normalization.form(of: other).key != key)
  }

  @Test("defaults of the configuration are part of the key, too")
  func defaults() {
    var other = normalization
    other.defaultModel = "gpt"
    let request = ModelRequest.of(.user("u"))
    #expect(other.form(of: request).key != normalization.form(of: request).key)
    #expect(
      other.form(of: ModelRequest.of(.user("u"), models: ["base"])).key == normalization.form(of: request).key
    )
  }

  /// A conversation as it is in a run that makes these names.
  private static func conversation(
    _ callID: String, _ id: String, _ other: String, _ time: String, _ row: String
  )
    -> ModelRequest
  {
    ModelRequest.of(
      .system("Session \(id)."),
      .assistant(nil, calls: [ToolCallRequest(id: callID, name: "add", arguments: #"{"a":1,"b":2}"#)]),
      .tool(callID: callID, name: "add", content: row), .user("\(id) \(other) at \(time)"))
  }

  @Test("identifiers of calls, UUIDs, times and the order of members change no key; which is which does")
  func volatileNames() {
    func key(_ request: ModelRequest) -> String { normalization.form(of: request).key }
    let one = Self.conversation(
      "call_1", TestNames.first, TestNames.second, "2026-11-21T09:30:00.5Z", #"{"a":1,"b":[]}"#)
    let two = Self.conversation(
      "zzz", TestNames.second, TestNames.first, "2027-01-01 00:00:00", #"{ "b": [], "a": 1 }"#)
    #expect(key(one) == key(two))
    let mixed = Self.conversation(
      "zzz", TestNames.second, TestNames.second, "2027-01-01 00:00:00", #"{"a":1,"b":[]}"#)
    #expect(key(one) != key(mixed))
    let otherDay = Self.conversation(
      "zzz", TestNames.second, TestNames.first, "2027-01-01", #"{"a":1,"b":[]}"#)
    #expect(key(one) != key(otherDay))
  }

  @Test("a number that is a secret does not break the JSON that it stands in")
  func redactsNumbers() async throws {
    let normalization = RequestNormalization(defaultModel: "base", secrets: ["4111111111111111"])
    let request = ModelRequest.of(.user("x"))
    let arguments = #"{"card":4111111111111111,"n":2}"#
    let form = normalization.form(of: request)
    let reply = normalization.blotted(
      ModelReply.saying("", calls: [ToolCallRequest(id: "c", name: "pay", arguments: arguments)]), in: form)
    #expect(reply.calls.first?.arguments == #"{"card":0,"n":2}"#)
  }
}
