// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Core

@Suite("Compaction")
struct CompactionTests {
  private static func history(_ turns: Int, words: Int = 1) -> [Message] {
    (0..<turns).flatMap { number in
      let at = Timestamp(milliseconds: Int64(number))
      return [
        Message(
          id: "q\(number)", runID: "r\(number)", role: .user, text: "question \(number)", createdAt: at),
        Message(
          id: "a\(number)", runID: "r\(number)", role: .assistant,
          text: String(repeating: "answer ", count: words) + "\(number)", createdAt: at),
      ]
    }
  }

  @Test("nothing is folded while all fits, and nothing at all without a history")
  func fits() {
    #expect(Compaction(Self.history(10), messagesMax: 20, tokensMax: 1000) == nil)
    #expect(Compaction(Self.history(3), messagesMax: 0, tokensMax: 1000) == nil)
  }

  @Test(
    "the newest half stays, in whole turns, by number or by tokens", arguments: [(20, 16_000), (100, 100)])
  func keepsHalf(messagesMax: Int, tokensMax: Int) throws {
    let history = Self.history(11, words: 4)
    let compaction = try #require(Compaction(history, messagesMax: messagesMax, tokensMax: tokensMax))
    #expect(Array(compaction.folded) + Array(compaction.kept) == history)
    #expect(compaction.kept.first?.role == .user && compaction.kept.count.isMultiple(of: 2))
    #expect(!compaction.kept.isEmpty && compaction.kept.count <= messagesMax / 2)
    #expect(
      Conversation.window(Array(compaction.kept), tokensMax: tokensMax / 2).count == compaction.kept.count)
  }

  @Test("the summary is made of what is folded and of the one before")
  func request() throws {
    let compaction = try #require(Compaction(Self.history(3), messagesMax: 4, tokensMax: 1000))
    let request = compaction.request(models: ["m"], after: "They like tea.")
    guard case .user(let text, _) = request.messages.last?.content else {
      Issue.record("no text")
      return
    }
    #expect(
      text
        == "Summary so far:\nThey like tea.\n\nUser: question 0\nAssistant: answer 0\nUser: question 1\nAssistant: answer 1\n"
    )
    #expect(request.tools.isEmpty && request.tokensMax == Compaction.tokensMax)
  }
}
