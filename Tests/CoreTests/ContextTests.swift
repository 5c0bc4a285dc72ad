// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Testing

@testable import Core

@Suite("What fits into the model's context")
struct ContextTests {
  private static func call(_ id: String, _ content: String) -> ToolCall {
    ToolCall(
      id: id, name: "read", arguments: .emptyObject, outcome: .result(RawJSON(.string(content))),
      startedAt: Timestamp(milliseconds: 0), durationMilliseconds: 1)
  }

  private static func turn(
    _ number: Int, answer: String = "yes", tokens: Int? = nil, calls: [ToolCall] = []
  ) -> [Message] {
    let at = Timestamp(milliseconds: Int64(number))
    return [
      Message(id: "q\(number)", runID: "r\(number)", role: .user, text: "ask?", createdAt: at),
      Message(
        id: "a\(number)", runID: "r\(number)", role: .assistant, text: answer,
        steps: calls.isEmpty ? [] : [TurnStep(text: "", calls: calls)], countedTokens: tokens, createdAt: at),
    ]
  }

  @Test(
    "history is the newest whole turns that fit, counted by the provider or by length",
    arguments: [(1000, 4), (54, 4), (53, 3), (33, 3), (32, 2), (22, 2), (21, 1), (10, 0), (0, 0)])
  func window(tokensMax: Int, turns: Int) {
    // 21, 11, 11 and 11 tokens, questions included.
    let history =
      Self.turn(1, tokens: 20) + Self.turn(2, answer: String(repeating: "x", count: 40))
      + Self.turn(3, tokens: 10) + Self.turn(4, tokens: 10)
    let window = Conversation.window(history, tokensMax: tokensMax)
    #expect(window.count == 2 * turns)
    #expect(window.first.map { $0.role == .user } ?? true)
    #expect(Array(window) == Array(history.suffix(2 * turns)))
  }

  @Test("a count of the provider's is no estimate, a length is one")
  func marks() {
    #expect(Self.turn(1, tokens: 7)[1].tokens == (7, false))
    #expect(Self.turn(1, answer: "12345678")[1].tokens == (2, true))
    let long = Self.turn(1, calls: [Self.call("c", String(repeating: "x", count: 1_000_000))])[1]
    // Only the beginning of a long result is read.
    #expect((5000...5100).contains(long.tokens.count))
  }

  @Test("a long result is cut, and read to its end in parts, every byte once")
  func readsOn() throws {
    let content = String(repeating: "añ🙂\\\"", count: 6000)
    let call = Self.call("call_7", content)
    #expect(call.isLong)
    let text = call.content
    let beginning = call.modelContent
    #expect(beginning.utf8.count < LongResult.bytesMax + 200)
    let trailer = try #require(beginning.firstRange(of: "\n[cut after "))
    #expect(beginning[trailer.lowerBound...].contains(#"{"handle": "call_7", "offset": "#))
    var whole = String(beginning[..<trailer.lowerBound])
    var offset: Int? = whole.utf8.count
    while let from = offset {
      let part = try LongResult.part(of: text, from: from).value()
      whole += part["text"]?.string ?? ""
      offset = part["next_offset"]?.integer.map { Int($0) }
      #expect(part["total"]?.integer == Int64(text.utf8.count))
      #expect(RawJSON(part).bytes.count <= LongResult.bytesMax)
    }
    #expect(whole == text)
    #expect(try LongResult.part(of: text, from: 1 << 40).value()["text"] == "")
  }

  @Test("a short result, and a failure, are read whole")
  func short() {
    #expect(Self.call("c", "short").modelContent == "\"short\"")
    #expect(!Self.call("c", String(repeating: "x", count: LongResult.bytesMax - 2)).isLong)
  }
}
