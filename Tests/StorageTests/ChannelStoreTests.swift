// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Testing

@testable import Storage

@Suite("Messages of channels in SQLite")
struct ChannelStoreTests {
  private static func time(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }

  private static func message(_ id: String) -> ChannelMessage {
    ChannelMessage(
      key: .init(channel: "c", id: id), userID: "c:ann", sessionID: "c:1", agent: "a", text: "hi",
      input: JSONObject([("n", 1)]), address: JSONObject([("to", "ann")]))
  }

  @Test("of the reply and whoever answers late, one says an answer, whichever is first")
  func once() async throws {
    try await withStore { store in
      let (first, second) = (Self.message("1"), Self.message("2"))
      #expect(try await store.receive(first, dueAt: Self.time(40), at: Self.time(0)))
      #expect(try await !store.receive(first, dueAt: Self.time(40), at: Self.time(1)))
      #expect(try await store.keep(ChannelAnswer(texts: ["x"]), to: first.key, at: Self.time(2)))
      #expect(try await !store.putOff(first.key))
      #expect(try await store.dueAnswers(at: Self.time(99), limit: 9).isEmpty)

      #expect(try await store.receive(second, dueAt: Self.time(40), at: Self.time(0)))
      #expect(try await store.putOff(second.key))
      #expect(try await !store.putOff(second.key))
      #expect(try await !store.keep(ChannelAnswer(texts: ["x", "y"]), to: second.key, at: Self.time(11)))
      #expect(try await !store.keep(ChannelAnswer(texts: ["z"]), to: second.key, at: Self.time(11)))
      let due = try #require(try await store.dueAnswers(at: Self.time(11), limit: 9).first)
      #expect(due.message == second && due.work == .send(["x", "y"], sent: 0))
      #expect(try await store.take(due, until: Self.time(41)))
      #expect(try await !store.take(due, until: Self.time(41)))
      try await store.sent(1, of: second.key, dueAt: Self.time(50), at: Self.time(12))
      try await store.failed(second.key, retryAt: Self.time(20))
      let rest = try #require(try await store.dueAnswers(at: Self.time(20), limit: 9).first)
      #expect(rest.work == .send(["y"], sent: 1) && rest.failures == 1)
      try await store.sent(2, of: second.key, dueAt: Self.time(50), at: Self.time(21))
      #expect(try await store.dueAnswers(at: Self.time(999), limit: 9).isEmpty)
      #expect(try await !store.receive(second, dueAt: Self.time(99), at: Self.time(30)))
      #expect(try await store.forgetChannelMessages(before: Self.time(1)) == 2)
    }
  }

  @Test("one whose process is gone is begun anew, and one whose run waits says more when that has ended")
  func later() async throws {
    try await withStore { store in
      let message = Self.message("1")
      #expect(try await store.receive(message, dueAt: Self.time(40), at: Self.time(0)))
      #expect(try await store.dueAnswers(at: Self.time(39), limit: 9).isEmpty)
      try await store.releaseAnswers(at: Self.time(5))
      let lost = try #require(try await store.dueAnswers(at: Self.time(5), limit: 9).first)
      #expect(lost.work == .begin && lost.dueAt == Self.time(5))
      #expect(try await store.take(lost, until: Self.time(35)))
      let notice = ChannelAnswer(texts: ["wait"], waitingRunID: "run")
      #expect(try await !store.keep(notice, to: message.key, at: Self.time(6)))
      #expect(
        try await store.dueAnswers(at: Self.time(6), limit: 9).map(\.work) == [.send(["wait"], sent: 0)])
      try await store.sent(1, of: message.key, dueAt: Self.time(50), at: Self.time(7))
      // A run that is not there was deleted with its session.
      let due = try await store.dueAnswers(at: Self.time(7), limit: 9)
      #expect(due.map(\.work) == [.forget])
      #expect(try await !store.keep(ChannelAnswer(texts: []), to: message.key, at: Self.time(8)))
      #expect(try await store.dueAnswers(at: Self.time(999), limit: 9).isEmpty)
    }
  }
}
