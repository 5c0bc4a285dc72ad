// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Testing

@Suite("Sessions and runs")
struct SessionTests {
  @Test("a created session is found, and its name is taken")
  func create() async throws {
    try await withStore { store in
      let time = Timestamp(milliseconds: 3)
      let session = try await store.createSession(id: "s", title: "T", userID: "ann", at: time)
      #expect(try await store.session(id: "s", userID: "ann") == session)
      let again = try await failure {
        try await store.createSession(id: "s", title: "T", userID: "ann", at: time)
      }
      #expect(again.code == .conflict)
    }
  }

  @Test("a turn's opening tells to the minute when the session was used, its end to the millisecond")
  func use() async throws {
    try await withStore { store in
      func used() async throws -> Int64 {
        try await store.session(id: "s", userID: "ann").updatedAt.milliseconds
      }
      _ = try await store.openTurn(opening("r1", at: 1000))
      #expect(try await used() == 1000)
      try await store.closeTurn(closing("r1", at: 2000))
      _ = try await store.openTurn(opening("r2", at: 61_999))
      #expect(try await used() == 2000)
      try await store.closeTurn(closing("r2", at: 62_000))
      #expect(try await used() == 62_000)
      _ = try await store.openTurn(opening("r3", at: 122_000))
      #expect(try await used() == 122_000)
      #expect(try await store.session(id: "s", userID: "ann").messageCount == 5)
    }
  }

  @Test("two users may have sessions of one name, and see only their own")
  func isolation() async throws {
    try await withStore { store in
      try await store.turn("r1", user: "ann", message: "secret")
      #expect(try await store.turn("r2", user: "bob").history.isEmpty)
      let page = try await store.messages(sessionID: "s", userID: "bob", page: PageRequest())
      #expect(page.items.map(\.runID) == ["r2", "r2"])
    }
  }

  @Test("every call on a stranger's session finds nothing")
  func strangers() async throws {
    try await withStore { store in
      try await store.turn("r1", user: "ann")
      let time = Timestamp(milliseconds: 9)
      let failures = [
        try await failure { try await store.session(id: "s", userID: "eve") },
        try await failure { try await store.messages(sessionID: "s", userID: "eve", page: PageRequest()) },
        try await failure { try await store.renameSession(id: "s", title: "x", userID: "eve", at: time) },
        try await failure { try await store.deleteSession(id: "s", by: .init(userID: "eve"), at: time) },
      ]
      for failure in failures { #expect(failure == Failure(.notFound, "no session 's'")) }
      #expect(try await failure { try await store.run(id: "r1", visibleTo: .user("eve")) }.code == .notFound)
      #expect(try await store.sessions(userID: "eve", page: PageRequest()).items.isEmpty)
      #expect(try await store.runs(visibleTo: .user("eve"), page: PageRequest()).items.isEmpty)
      #expect(try await store.session(id: "s", userID: "ann").messageCount == 2)
    }
  }

  @Test("a stranger cannot close a turn")
  func strangersTurn() async throws {
    try await withStore { store in
      _ = try await store.openTurn(opening("r1", user: "ann"))
      try await store.closeTurn(closing("r1", user: "eve"))
      #expect(try await store.run(id: "r1", visibleTo: .user("ann")).status == .running)
    }
  }

  @Test("a renamed session has the new title")
  func rename() async throws {
    try await withStore { store in
      try await store.turn("r1", at: 1)
      let session = try await store.renameSession(
        id: "s", title: "New", userID: "ann", at: Timestamp(milliseconds: 9))
      #expect(session.title == "New")
      #expect(try await store.session(id: "s", userID: "ann") == session)
    }
  }

  @Test("the name of a deleted session may be used again, and is empty")
  func delete() async throws {
    try await withStore { store in
      let values = SQLiteKeyValueStore(store: store, time: ManualTime())
      let scope = KeyValueScope.session(userID: "ann", sessionID: "s")
      _ = try await store.openTurn(opening("r1"))
      try await store.closeTurn(closing("r1", state: RawJSON(["a": 1])))
      try await values.set(scope: scope, key: "k", value: RawJSON("v"), ttl: nil)
      try await store.turn("other", session: "t")
      try await store.deleteSession(id: "s", by: .init(userID: "ann"), at: Timestamp(milliseconds: 9))
      let opened = try await store.openTurn(opening("r2"))
      #expect(opened.history.isEmpty)
      #expect(opened.state == .emptyObject)
      #expect(try await values.get(scope: scope, key: "k") == nil)
      #expect(
        try await store.runs(visibleTo: .user("ann"), page: PageRequest()).items.map(\.id) == ["r2", "other"])
      #expect(try await store.session(id: "t", userID: "ann").messageCount == 2)
    }
  }

  @Test("sessions are listed by last use, ties included, and pages do not overlap")
  func sessionPages() async throws {
    try await withStore { store in
      for number in 0..<7 {
        try await store.turn("r\(number)", session: "s\(number)", at: number < 3 ? 100 : Int64(200 + number))
      }
      #expect(
        try await pages { try await store.sessions(userID: "ann", page: PageRequest(limit: 2, after: $0)) }
          .map(\.id) == ["s6", "s5", "s4", "s3", "s2", "s1", "s0"])
    }
  }

  @Test("a page after the first is not moved by what is added meanwhile")
  func stablePages() async throws {
    try await withStore { store in
      for number in 0..<5 {
        try await store.turn("r\(number)", session: "s\(number)", at: Int64(number * 10))
      }
      let first = try await store.sessions(userID: "ann", page: PageRequest(limit: 2))
      let firstRuns = try await store.runs(visibleTo: .user("ann"), page: PageRequest(limit: 2))
      try await store.turn("new", session: "new", at: 1000)
      let second = try await store.sessions(userID: "ann", page: PageRequest(limit: 2, after: first.next))
      let secondRuns = try await store.runs(
        visibleTo: .user("ann"), page: PageRequest(limit: 2, after: firstRuns.next))
      #expect(second.items.map(\.id) == ["s2", "s1"])
      #expect(secondRuns.items.map(\.id) == ["r2", "r1"])
    }
  }

  @Test("messages are listed oldest first")
  func messagePages() async throws {
    try await withStore { store in
      for number in 0..<4 { try await store.turn("r\(number)") }
      let messages = try await pages {
        try await store.messages(sessionID: "s", userID: "ann", page: PageRequest(limit: 3, after: $0))
      }
      #expect(messages.map(\.id) == (0..<4).flatMap { ["r\($0)-q", "r\($0)-a"] })
    }
  }

  @Test("runs are listed newest first, a user's or everybody's")
  func runPages() async throws {
    try await withStore { store in
      for number in 0..<6 { try await store.turn("r\(number)", user: number % 2 == 0 ? "ann" : "bob") }
      #expect(
        try await pages {
          try await store.runs(visibleTo: .user("bob"), page: PageRequest(limit: 2, after: $0))
        }
        .map(\.id) == ["r5", "r3", "r1"])
      #expect(
        try await pages { try await store.runs(visibleTo: .everyone, page: PageRequest(limit: 2, after: $0)) }
          .map(\.id) == ["r5", "r4", "r3", "r2", "r1", "r0"])
      #expect(try await store.run(id: "r3", visibleTo: .everyone).userID == "bob")
    }
  }

  @Test(
    "a cursor that is none is refused",
    arguments: ["", "x", "s", "s1", "s1.2.3", "s-1.2", "m1", "s1.x", "s1.99999999999999999999"])
  func badCursor(cursor: String) async throws {
    try await withStore { store async throws in
      let page = PageRequest(after: cursor)
      #expect(
        try await failure { try await store.sessions(userID: "a", page: page) }.code == .invalidArguments)
      #expect(
        try await failure { try await store.runs(visibleTo: .user("a"), page: page) }.code
          == .invalidArguments)
    }
  }

  @Test("the limit of a page is kept within its bounds", arguments: [(-5, 1), (0, 1), (500, 200)])
  func limit(wanted: Int, got: Int) async throws {
    try await withStore { store in
      try await withThrowingTaskGroup { group in
        for number in 0..<101 {
          group.addTask { try await store.turn("r\(number)", session: "s\(number / 50)") }
        }
        try await group.waitForAll()
      }
      #expect(
        try await store.runs(visibleTo: .user("ann"), page: PageRequest(limit: wanted)).items.count
          == min(got, 101))
      #expect(
        try await store.messages(sessionID: "s0", userID: "ann", page: PageRequest(limit: wanted)).items.count
          == min(got, 100))
    }
  }

  private func pages<Element>(_ load: (String?) async throws -> Page<Element>) async throws -> [Element] {
    var items: [Element] = []
    var page = try await load(nil)
    items += page.items
    while let next = page.next {
      page = try await load(next)
      #expect(!page.items.isEmpty)
      items += page.items
    }
    return items
  }
}
