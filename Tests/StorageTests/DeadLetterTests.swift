// SPDX-License-Identifier: Apache-2.0
import Core
import Storage
import Testing

@Suite("Dead letters")
struct DeadLetterTests {
  private let ops = AuditEntry.Actor(userID: "ops")

  @Test("they are listed with their reason, those that died last first, in pages")
  func listed() async throws {
    try await JobScene.with { scene in
      for name in ["a", "b", "c", "d", "e"] {
        try await scene.publish(name)
        // Two of them at the same moment.
        if name != "c" { scene.time.advance(by: .seconds(1)) }
        try await scene.kill(name)
      }
      var names: [String] = []
      var page = PageRequest(limit: 2)
      repeat {
        let letters = try await scene.store.deadLetters(visibleTo: .everyone, page: page)
        names += letters.items.map(\.job.id)
        page.after = letters.next
      } while page.after != nil
      #expect(names == ["e", "d", "c", "b", "a"])
      let letter = try await scene.store.deadLetter(id: "a", visibleTo: .everyone)
      #expect(letter.failure == Failure(.denied, "no", diagnostic: "at line 3"))
      #expect(letter.attempts == 1 && letter.runID == "run-1" && letter.job.user.roles == ["user", "clerk"])
      #expect(try await scene.store.jobCounts() == JobCounts(dead: 5))
      #expect(
        try await failure {
          try await scene.store.deadLetters(visibleTo: .everyone, page: PageRequest(after: "r1"))
        }.code
          == .invalidArguments)
    }
  }

  @Test("one that is taken up again has all its attempts, and one that is thrown away none")
  func retried() async throws {
    try await JobScene.with { scene in
      try await scene.publish("a")
      try await scene.kill("a")
      try await scene.publish("b")
      try await scene.kill("b")
      try await scene.store.discardDeadLetter(id: "b", by: ops, at: scene.time.now)
      try await scene.store.retryDeadLetter(id: "a", by: ops, at: scene.time.now)
      let taken = try #require(try await scene.take())
      #expect(taken.job.id == "a" && taken.attempt == 2 && taken.failures == 0)
      for id in ["a", "b", "x"] {
        #expect(
          try await failure { try await scene.store.retryDeadLetter(id: id, by: ops, at: scene.time.now) }
            .code
            == .notFound)
        #expect(
          try await failure { try await scene.store.discardDeadLetter(id: id, by: ops, at: scene.time.now) }
            .code == .notFound)
        #expect(
          try await failure { try await scene.store.deadLetter(id: id, visibleTo: .everyone) }.code
            == .notFound)
      }
    }
  }

  @Test("one that is taken up again goes beside no other with its key")
  func retriedWithKey() async throws {
    try await JobScene.with { scene in
      for name in ["a", "b", "c"] { try await scene.publish(name, key: "k") }
      try await scene.kill("a")
      let second = try #require(try await scene.take())
      try await scene.store.retryDeadLetter(id: "a", by: ops, at: scene.time.now)
      #expect(try await scene.take() == nil)
      try await scene.end(second)
      // It is older than what waits.
      let first = try #require(try await scene.take())
      #expect(first.job.id == "a")
      #expect(try await scene.take() == nil)
      try await scene.end(first)
      #expect(try await scene.takeAll() == ["c"])
    }
  }
}
