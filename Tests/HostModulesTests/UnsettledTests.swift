// SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@testable import Storage

@Suite("A turn that could not be written down", .timeLimit(.minutes(5)))
struct UnsettledTests {
  private static let files = [
    "agents/a.lua": #"return { prompt = "p", tools = { "long" } }"#,
    "tools/t.lua": #"return { long = { description = "d", run = function() return ("x"):rep(300000) end } }"#,
  ]

  @Test("while the store takes nothing its key says so, and not that it is being answered")
  func stillFull() async throws {
    let gate = Gate()
    let provider = try ScriptedProvider(
      .toolCalls([("c", "long", "{}")]), .completion("done").held(by: gate),
      .toolCalls([("c", "long", "{}")]),
      .completion("done"))
    try await TestWorkspace.with(Self.files, provider: provider.baseURL) {
      (workspace: TestWorkspace) async throws -> Void in
      var request = ChatRequest(agent: "a", message: "hi", sessionID: "s")
      request.idempotencyKey = IdempotencyKey(name: "k", digest: [1])
      let first = Task { [request] in try await workspace.runner.chat(request, as: .local) }
      await provider.requests(atLeast: 2)
      try await Self.set(workspace.store, "PRAGMA max_page_count = 1")
      gate.open()
      for chat in [first, Task { [request] in try await workspace.runner.chat(request, as: .local) }] {
        let failure = await #expect(throws: Failure.self) { try await chat.value }
        #expect(failure?.message == "the database is full")
      }
      #expect(provider.requests.count == 2)
      try await Self.set(workspace.store, "PRAGMA max_page_count = 1073741823")
      #expect(try await workspace.runner.chat(request, as: .local).reply().text == "done")
      let run = try #require(
        try await workspace.store.runs(visibleTo: .everyone, page: PageRequest()).items.first)
      #expect(run.status == .completed)
      // What the first time took is not forgotten.
      #expect(run.usage.inputTokens == 40)
    }
  }

  private static func set(_ store: SQLiteStore, _ pragma: StaticString) async throws {
    try await store.commits.write { connection in
      let statement = try connection.statement(pragma)
      _ = try statement.step()
      statement.reset()
    }
  }
}
