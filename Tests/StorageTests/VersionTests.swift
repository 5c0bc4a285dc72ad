// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Storage
import Testing

@Suite("Versions in the store")
struct VersionTests {
  private func file(_ path: String, _ text: String) -> ScriptFile {
    ScriptFile(path: path, digest: Array(text.utf8), bytes: Array(text.utf8))
  }

  @Test("a version is kept once, with its sources, and tells how many files changed since the one before")
  func keeps() async throws {
    try await withStore { store in
      let at = Timestamp(milliseconds: 1000)
      try await store.keepVersion(
        "sha256:aa", files: [file("agents/a.lua", "A"), file("lib/b.lua", "B")], at: at)
      try await store.keepVersion("sha256:aa", files: [file("agents/x.lua", "X")], at: at)
      try await store.keepVersion(
        "sha256:ab", files: [file("agents/a.lua", "A2"), file("lib/c.lua", "")], at: at)
      let list = try await store.versions(page: PageRequest())
      #expect(list.items.map(\.id) == ["sha256:ab", "sha256:aa"])
      #expect(list.items.map(\.fileCount) == [2, 2])
      // One changed, one came, one went.
      #expect(list.items.map(\.changedCount) == [3, 2])
      #expect(
        try await store.sources(ofVersion: "sha256:ab")
          == ["agents/a.lua": Array("A2".utf8), "lib/c.lua": []])
      let page = try await store.versions(page: PageRequest(limit: 1))
      let rest = try await store.versions(page: PageRequest(limit: 1, after: page.next))
      #expect(rest.items.map(\.id) == ["sha256:aa"] && rest.next == nil)
    }
  }

  @Test("a version is found by as much of its name as no other begins with")
  func finds() async throws {
    try await withStore { store in
      for id in ["sha256:aa", "sha256:ab", "sha256:b0"] {
        try await store.keepVersion(id, files: [], at: Timestamp(milliseconds: 0))
      }
      for (name, id) in [("b", "sha256:b0"), ("sha256:b", "sha256:b0"), ("ab", "sha256:ab")] {
        #expect(try await store.version(named: name).id == id)
      }
      for (name, code) in [("a", Failure.Code.conflict), ("c", .notFound), ("", .notFound), ("%", .notFound)]
      {
        let failure = await #expect(throws: Failure.self) { try await store.version(named: name) }
        #expect(failure?.code == code, "\(name)")
      }
    }
  }

  @Test("what came of a version's runs is counted by version")
  func counts() async throws {
    try await withStore { store in
      for id in ["sha256:aa", "sha256:ab"] {
        try await store.keepVersion(id, files: [], at: Timestamp(milliseconds: 0))
      }
      for (number, milliseconds) in [5, 10, 400].enumerated() {
        try await run(
          store, "r\(number)", "sha256:aa", number == 2 ? .failed : .completed,
          milliseconds: Int64(milliseconds))
      }
      try await run(store, "r9", "sha256:none", .completed, milliseconds: 1)
      let runs = try await store.version(named: "aa").runs
      #expect(runs.count == 3 && runs.failed == 1 && runs.medianMilliseconds == 10)
      #expect(runs.usage.inputTokens == 30 && runs.usage.costUSD == 1.5)
      #expect(try await store.version(named: "ab").runs == VersionRuns())
    }
  }

  private func run(
    _ store: SQLiteStore, _ id: String, _ version: String, _ status: RunRecord.Status, milliseconds: Int64
  ) async throws {
    _ = try await store.openTurn(
      TurnOpening(
        runID: id, messageID: "m" + id, userID: "u", sessionID: "s", agent: "a", version: version,
        message: "hi", historyMessages: 0, at: Timestamp(milliseconds: 0)))
    try await store.closeTurn(
      TurnClosing(
        runID: id, userID: "u", sessionID: "s", messageID: "n" + id, status: status, failure: nil, text: "x",
        steps: [], usage: Usage(inputTokens: 10, outputTokens: 2, costUSD: 0.5), state: nil,
        at: Timestamp(milliseconds: milliseconds)))
  }

  @Test("the decision which version is in force survives a restart, and there is one at a time")
  func deployment() async throws {
    let directory = FileManager.default.temporaryDirectory.path + "/versions-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let at = Timestamp(milliseconds: 1)
    let last = DeploymentRecord(
      version: "sha256:b", candidate: .init(version: "sha256:c", percent: 5), folder: "sha256:f", at: at)
    let store = try await SQLiteStore.open(directory: directory, synchronous: .normal)
    #expect(try await store.deployment() == nil)
    try await store.setDeployment(DeploymentRecord(version: "sha256:a", folder: "sha256:a", at: at), by: nil)
    try await store.setDeployment(last, by: nil)
    try await store.close()
    let again = try await SQLiteStore.open(directory: directory, synchronous: .normal)
    #expect(try await again.deployment() == last)
    try await again.close()
  }
}
