// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Testing

@testable import Core

@Suite("Structured answers")
struct StructuredAnswerTests {
  private static func agent(steps: Int = 8) throws -> Agent {
    Agent(
      name: "seller", file: "agents/seller.lua", body: .prompt(.constant("")),
      output: try Schema(["title": "string", "note": "string?", "stars": ["type": "integer", "default": 3]]),
      limits: RunLimits(steps: steps))
  }

  private struct Unexpected: Error {}

  /// A turn that waits for the model's first answer.
  private static func asked(_ agent: Agent) throws -> Turn {
    var turn = Turn(agent: agent, limits: agent.limits, message: "sell", history: [])
    guard case .callModel = try turn.prepared(prompt: "Sell.", toolbox: Toolbox()) else { throw Unexpected() }
    return turn
  }

  private static func reply(_ text: String, _ reason: ModelReply.FinishReason = .stop) -> ModelReply {
    ModelReply(
      model: "m", text: text, finishReason: reason, usage: Usage(inputTokens: 10, outputTokens: 5))
  }

  private static func ending(_ action: Turn.Action) throws -> Turn.Ending {
    guard case .finish(let ending) = action else { throw Unexpected() }
    return ending
  }

  @Test("an answer that fits is checked, defaulted, and freed of nulls for what was left out")
  func fits() throws {
    var turn = try Self.asked(try Self.agent())
    let ending = try Self.ending(try turn.replied(Self.reply(#"{"title":"Chair","note":null,"stars":null}"#)))
    #expect(try ending.reply.data?.value() == ["title": "Chair", "stars": 3])
  }

  @Test(
    "a code fence around the JSON is no fault",
    arguments: [
      "```json\n{\"title\":\"Chair\"}\n```", "  ```\n{\"title\":\"Chair\"}```\n",
      "```JSON {\"title\":\"Chair\"}```",
    ])
  func fence(text: String) throws {
    var turn = try Self.asked(try Self.agent())
    let reply = try Self.ending(try turn.replied(Self.reply(text))).reply
    #expect(reply.text == #"{"title":"Chair"}"#)
    #expect(try reply.data?.value() == ["title": "Chair", "stars": 3])
  }

  @Test(
    "an answer that does not fit goes back once, with what is wrong, and counts as a step",
    arguments: [
      ("Sure! A chair.", "is not JSON"), (#"{"titel":"Chair"}"#, "title: is missing"), ("```", "JSON"),
    ])
  func repairs(text: String, told: String) throws {
    var turn = try Self.asked(try Self.agent(steps: 2))
    guard case .callModel(let messages) = try turn.replied(Self.reply(text)) else { throw Unexpected() }
    #expect(messages.dropLast() == [.system("Sell."), .user("sell"), .assistant(text, calls: [])])
    guard case .user(let request, _)? = messages.last?.content else { throw Unexpected() }
    #expect(request.contains(told))
    let ending = try Self.ending(try turn.replied(Self.reply(#"{"title":"Chair"}"#)))
    #expect(try ending.reply.data?.value() == ["title": "Chair", "stars": 3])
    #expect(ending.finishReason == .stop)
    #expect(turn.usage.inputTokens == 20)
  }

  @Test("an empty answer goes back as words alone: an empty message would be refused")
  func repairsSilence() throws {
    var turn = try Self.asked(try Self.agent())
    guard case .callModel(let messages) = try turn.replied(Self.reply(" \n")) else { throw Unexpected() }
    #expect(messages.count == 3)
  }

  @Test("a second misfit is a typed failure with the text as the model wrote it and every fault")
  func fails() throws {
    var turn = try Self.asked(try Self.agent())
    _ = try turn.replied(Self.reply("Sure!"))
    let text = "```json\n{\"title\":1,\"stars\":\"x\"}\n```"
    let failure = #expect(throws: Failure.self) { try turn.replied(Self.reply(text)) }
    #expect(failure?.code == .upstream && failure?.retryable == true)
    #expect(failure?.detail?["text"] == .string(text))
    #expect(failure?.misfittingText == text)
    #expect(failure?.detail?["faults"]?.array?.map { $0["path"] } == ["stars", "title"])
  }

  @Test("without a step left for repair the first misfit is the failure")
  func failsAtLimit() throws {
    var turn = try Self.asked(try Self.agent(steps: 1))
    let failure = #expect(throws: Failure.self) { try turn.replied(Self.reply("Sure!")) }
    #expect(failure?.misfittingText == "Sure!")
  }

  @Test(
    "a refusal, and an answer that was cut off, are no bad JSON",
    arguments: [
      (ModelReply.FinishReason.refusal, FinishReason.refusal), (.length, .length),
      (.contentFilter, .contentFilter), (.interrupted, .interrupted),
    ])
  func passesOn(reason: ModelReply.FinishReason, expected: FinishReason) throws {
    var turn = try Self.asked(try Self.agent())
    let ending = try Self.ending(try turn.replied(Self.reply("I can't help with that.", reason)))
    #expect(ending.finishReason == expected)
    #expect(ending.reply.text == "I can't help with that." && ending.reply.data == nil)
  }

  @Test("a long list with one mistake does not become a long message")
  func boundsFaults() throws {
    let schema = try Schema(["n": ["type": "array", "items": "integer"]])
    let text = RawJSON(["n": .array(Array(repeating: "x", count: 1000))]).text
    let misfit = #expect(throws: StructuredAnswer.Misfit.self) { try StructuredAnswer(text, fitting: schema) }
    #expect(misfit?.faults.count == 1000)
    guard case .user(let request, _)? = misfit?.repair.last?.content else { throw Unexpected() }
    #expect(request.contains("n[19]") && !request.contains("n[20]") && request.contains("980 more"))
  }
}
