// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Testing

@Suite("Turns that come again")
struct IdempotencyTests {
  private static let key = IdempotencyKey(name: "k", digest: [1, 2, 3])

  private func opening(_ run: String, at milliseconds: Int64 = 1000) -> TurnOpening {
    var opening = StorageTests.opening(run, at: milliseconds)
    opening.idempotencyKey = Self.key
    return opening
  }

  @Test("an answer is found by its key as it was given, for a day, by its user")
  func answered() async throws {
    try await withStore { store in
      let key = try #require(Self.key)
      let now = Timestamp(milliseconds: 3000)
      #expect(try await store.earlierTurn(key, userID: "ann", at: now) == nil)
      _ = try await store.openTurn(opening("r1"))
      let taken = try await failure { try await store.earlierTurn(key, userID: "ann", at: now) }
      #expect(taken.code == .conflict)
      let call = ToolCall(
        id: "c", name: "t", arguments: .emptyObject, outcome: .result(RawJSON(["x": 1])),
        startedAt: Timestamp(milliseconds: 1100), durationMilliseconds: 2)
      var closing = closing("r1", text: "done", steps: [TurnStep(text: "", calls: [call])])
      closing.finishReason = .length
      closing.usingStub = true
      closing.data = RawJSON(["price": 3])
      try await store.closeTurn(closing)
      guard case .answered(let reply) = try await store.earlierTurn(key, userID: "ann", at: now) else {
        Issue.record("no answer")
        return
      }
      #expect(reply.text == "done" && reply.finishReason == .length && reply.usingStub)
      #expect(reply.data == RawJSON(["price": 3]) && reply.calls == [call] && reply.usage == closing.usage)
      #expect(reply.messageID == "r1-a" && reply.runID == "r1" && reply.sessionID == "s")
      #expect(reply.at == closing.at && reply.agent == "helper" && reply.version == "v1")
      #expect(try await store.earlierTurn(key, userID: "bob", at: now) == nil)
      let nextDay = Timestamp(milliseconds: 1000 + 86_400_000)
      #expect(try await store.earlierTurn(key, userID: "ann", at: nextDay) == nil)
    }
  }

  @Test("a turn that a crash interrupted keeps its message once, and a crash of the second try is seen")
  func interrupted() async throws {
    try await withStore { store in
      let key = try #require(Self.key)
      let now = Timestamp(milliseconds: 3000)
      try await store.turn("r0")
      _ = try await store.openTurn(opening("r1"))
      #expect(try await store.interruptLoneRuns(at: now) == 1)
      guard
        case .unanswered(let runID, let messageID, let sessionID, _) =
          try await store.earlierTurn(key, userID: "ann", at: now)
      else {
        Issue.record("not found")
        return
      }
      #expect((runID, messageID, sessionID) == ("r1", "r1-q", "s"))
      var again = opening("r1", at: 4000)
      again.isAgain = true
      #expect(try await store.openTurn(again).history.map(\.runID) == ["r0", "r0"])
      #expect(try await store.interruptLoneRuns(at: now) == 1)
      _ = try await store.openTurn(again)
      var closing = closing("r1", text: "at last")
      closing.isAgain = true
      try await store.closeTurn(closing)
      let messages = try await store.messages(sessionID: "s", userID: "ann", page: PageRequest())
      #expect(messages.items.map(\.text) == ["hello", "answer to hello", "hello", "at last"])
      #expect(try await store.session(id: "s", userID: "ann").messageCount == 4)
    }
  }

  @Test("what a failed try took is not forgotten when the second one ends")
  func spending() async throws {
    try await withStore { store in
      _ = try await store.openTurn(opening("r1"))
      try await store.closeTurn(closing("r1", status: .failed, failure: Failure(.upstream, "down")))
      var again = opening("r1", at: 4000)
      again.isAgain = true
      _ = try await store.openTurn(again)
      var end = closing("r1")
      end.isAgain = true
      try await store.closeTurn(end)
      let usage = try await store.run(id: "r1", visibleTo: .user("ann")).usage
      #expect(usage == Usage(inputTokens: 6, outputTokens: 4, costUSD: 1))
    }
  }

  @Test("an answer's tokens are kept as the provider counted them")
  func tokens() async throws {
    try await withStore { store in
      _ = try await store.openTurn(opening("r1"))
      var end = closing("r1", text: "a rather long answer")
      end.answerTokens = 77
      try await store.closeTurn(end)
      let answer = try #require(try await store.openTurn(StorageTests.opening("r2")).history.last)
      #expect(answer.countedTokens == 77 && answer.tokens == (77, false))
      #expect(try await store.messages(sessionID: "s", userID: "ann", page: PageRequest()).items[1] == answer)
    }
  }

  @Test("who has looked at an attempt does not begin another one, though the next has failed, too")
  func attempts() async throws {
    try await withStore { store in
      let key = try #require(Self.key)
      func fail() async throws {
        var end = closing("r1", status: .failed, failure: Failure(.upstream, "down"))
        end.isAgain = true
        try await store.closeTurn(end)
      }
      func look() async throws -> UInt64 {
        let now = Timestamp(milliseconds: 3000)
        guard case .unanswered(_, _, _, let seed) = try await store.earlierTurn(key, userID: "ann", at: now)
        else {
          throw CancellationError()
        }
        return seed
      }
      _ = try await store.openTurn(opening("r1"))
      try await fail()
      // A first turn is not begun by who found no earlier one a moment ago, either.
      #expect(try await failure { try await store.openTurn(opening("r2")) }.code == .conflict)
      var again = opening("r1", at: 4000)
      again.isAgain = true
      again.seed = 7
      again.earlierSeed = try await look()
      _ = try await store.openTurn(again)
      try await fail()
      again.seed = 8
      #expect(try await failure { try await store.openTurn(again) }.code == .conflict)
      again.earlierSeed = try await look()
      #expect(again.earlierSeed == 7)
      _ = try await store.openTurn(again)
    }
  }

  @Test("of two who have looked and found no turn, or a failed one, one begins it")
  func atOnce() async throws {
    try await withStore { store in
      let now = Timestamp(milliseconds: 3000)
      _ = try await store.openTurn(opening("r1"))
      let second = try await failure { try await store.openTurn(opening("r2")) }
      #expect(second.code == .conflict && second.retryable)
      try await store.closeTurn(closing("r1", status: .failed, failure: Failure(.upstream, "down")))
      var again = opening("r1", at: 4000)
      again.isAgain = true
      _ = try await store.openTurn(again)
      let third = try await failure { try await store.openTurn(again) }
      #expect(third.code == .conflict && third.retryable)
      var end = closing("r1", text: "at last")
      end.isAgain = true
      end.finishReason = .stop
      try await store.closeTurn(end)
      #expect(try await failure { try await store.openTurn(again) }.code == .conflict)
      #expect(try await failure { try await store.openTurn(opening("r3")) }.code == .conflict)
      let key = try #require(Self.key)
      guard case .answered(let reply) = try await store.earlierTurn(key, userID: "ann", at: now) else {
        Issue.record("no answer")
        return
      }
      #expect(reply.text == "at last" && reply.runID == "r1")
    }
  }
}
