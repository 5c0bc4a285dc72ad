// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import JSONCodec
import Storage
import Testing

@Suite("Writes")
struct CommitTests {
  @Test("two hundred turns at once are all there after the store is opened again")
  func concurrentTurns() async throws {
    try await withDirectory { directory in
      let store = try await SQLiteStore.open(directory: directory)
      try await withThrowingTaskGroup { group in
        for number in 0..<200 {
          group.addTask {
            try await store.turn("r\(number)", user: "u\(number % 7)", session: "s\(number % 20)")
          }
        }
        try await group.waitForAll()
      }
      try await store.close()
      let reopened = try await SQLiteStore.open(directory: directory)
      for number in 0..<200 {
        let run = try await reopened.run(id: "r\(number)", visibleTo: .user("u\(number % 7)"))
        #expect(run.status == .completed)
        let page = try await reopened.messages(
          sessionID: "s\(number % 20)", userID: "u\(number % 7)", page: PageRequest(limit: 200))
        #expect(page.items.filter { $0.runID == "r\(number)" }.map(\.role) == [.user, .assistant])
      }
      try await reopened.close()
    }
  }

  @Test("a write that fails does not hurt those that it shares a transaction with")
  func badNeighbour() async throws {
    try await withStore { store in
      _ = try await store.openTurn(opening("taken", user: "eve"))
      let refused = await withTaskGroup { group in
        for number in 0..<100 {
          // Every tenth has a run identifier that exists: it fails after it has written.
          let run = number % 10 == 0 ? "taken" : "r\(number)"
          group.addTask {
            do {
              _ = try await store.openTurn(opening(run, session: "s\(number)"))
              return 0
            } catch {
              return 1
            }
          }
        }
        return await group.reduce(0, +)
      }
      #expect(refused == 10)
      let sessions = try await store.sessions(userID: "ann", page: PageRequest(limit: 200)).items
      #expect(sessions.count == 90)
      #expect(sessions.allSatisfy { $0.messageCount == 1 })
      #expect(try await store.runs(visibleTo: .user("ann"), page: PageRequest(limit: 200)).items.count == 90)
    }
  }

  @Test("increments at once are all counted")
  func increments() async throws {
    try await withStore { store in
      let values = SQLiteKeyValueStore(store: store, time: ManualTime())
      try await withThrowingTaskGroup { group in
        for _ in 0..<100 {
          group.addTask { _ = try await values.increment(scope: .workspace(nil), key: "n", by: 1, ttl: nil) }
        }
        try await group.waitForAll()
      }
      #expect(try await values.get(scope: .workspace(nil), key: "n")?.text == "100")
    }
  }

  @Test("directory and file are private")
  func modes() async throws {
    try await withDirectory { directory in
      let store = try await SQLiteStore.open(directory: directory + "/data")
      try await store.check()
      func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
      }
      #expect(try mode(directory + "/data") == 0o700)
      for file in ["perigee.sqlite", "perigee.sqlite-wal", "perigee.sqlite-shm"] {
        #expect(try mode(directory + "/data/" + file) == 0o600)
      }
      try await store.close()
    }
  }

  @Test("a file that is no database is refused by name")
  func notADatabase() async throws {
    try await withDirectory { directory in
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      for file in ["perigee.sqlite", "workspace.sqlite"] {
        try Data(repeating: 0x41, count: 8192).write(to: URL(filePath: directory + "/" + file))
      }
      let host = try await failure { try await SQLiteStore.open(directory: directory) }
      #expect(host.message == "perigee.sqlite: the file is not a database")
      let scripts = try await failure { try await SQLiteScriptDatabase.open(directory: directory) }
      #expect(scripts.message == "workspace.sqlite: the file is not a database")
    }
  }

  @Test("a database of a newer version is refused")
  func newerVersion() async throws {
    try await withDirectory { directory in
      try await SQLiteStore.open(directory: directory).close()
      try runSQL(
        directory + "/perigee.sqlite", "INSERT INTO grdb_migrations VALUES ('9999 something of tomorrow')")
      let refused = try await failure { try await SQLiteStore.open(directory: directory) }
      #expect(refused.message.contains("newer version"))
      await SQLiteScriptDatabase.openAndClose(directory)
      try runSQL(directory + "/workspace.sqlite", "PRAGMA user_version = 99")
      let scripts = try await failure { try await SQLiteScriptDatabase.open(directory: directory) }
      #expect(scripts.message.contains("newer version"))
    }
  }

  @Test("a write that the database refuses fails alone, and its cause is for the log only")
  func refusedWrite() async throws {
    try await withDirectory { directory in
      let store = try await SQLiteStore.open(directory: directory)
      try await store.turn("r1")
      try runSQL(
        directory + "/perigee.sqlite",
        "CREATE TRIGGER refuse BEFORE INSERT ON messages BEGIN SELECT raise(ABORT, 'no room'); END")
      let refused = try await failure { try await store.openTurn(opening("r2")) }
      #expect(refused.code == .internal)
      #expect(refused.diagnostic?.contains("no room") == true)
      #expect(!refused.message.contains("no room"))
      try runSQL(directory + "/perigee.sqlite", "DROP TRIGGER refuse")
      #expect(try await store.turn("r2").history.count == 2)
      try await store.close()
    }
  }

  @Test("a closed store fails, and does not hang")
  func closed() async throws {
    try await withStore { store in
      try await store.close()
      #expect(try await failure { try await store.openTurn(opening("r1")) }.code == .internal)
      #expect(try await failure { try await store.session(id: "s", userID: "ann") }.code == .internal)
      #expect(try await failure { try await store.check() }.code == .internal)
    }
  }
}

extension SQLiteScriptDatabase {
  fileprivate static func openAndClose(_ directory: String) async {
    await (try? open(directory: directory))?.close()
  }
}
