// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Synchronization
import Testing

@testable import Core

@Suite("RunFeed")
struct RunFeedTests {
  private let time = ManualTime()
  private let feed: RunFeed

  init() { feed = RunFeed(deadlines: DeadlineQueue(time: time)) }

  private static func reply(_ text: String) -> ChatReply {
    ChatReply(
      sessionID: "s", messageID: "m", runID: "r", agent: "a", version: "v", text: text, data: nil,
      usingStub: false, finishReason: .stop, calls: [], usage: Usage(), at: Timestamp(milliseconds: 0))
  }

  private static func name(_ event: RunEvent) -> String {
    switch event {
    case .started: "started"
    case .text(let text): text
    case .toolStarted: "tool"
    case .toolFinished: "tool done"
    case .approvalRequested: "approval"
    case .waiting: "waiting"
    case .completed: "completed"
    case .failed: "failed"
    }
  }

  private func events(after number: Int = 0) async throws -> [String] {
    var watcher = feed.watch(after: number)
    var all: [String] = []
    while let events = try await watcher.next(within: .seconds(1)) { all += events.map(Self.name) }
    return all
  }

  @Test("every event keeps its number, for whoever comes when")
  func numbers() async throws {
    var watcher = feed.watch()
    feed.append(.text("a"))
    feed.append(.text("b"))
    #expect(try await watcher.next(within: .zero)?.map(Self.name) == ["a", "b"])
    #expect(watcher.read == 2)
    feed.append(.text("c"))
    feed.finish(.success(.answered(Self.reply("abc"))))
    #expect(try await watcher.next(within: .zero)?.map(Self.name) == ["c", "completed"])
    #expect(try await watcher.next(within: .zero) == nil)
    #expect(try await events() == ["a", "b", "c", "completed"])
    #expect(try await events(after: 2) == ["c", "completed"])
    #expect(try await events(after: 4) == [])
  }

  @Test(
    "the end adds what was not shown",
    arguments: [("", ["All."]), ("Al", ["Al", "l."]), ("All.", ["All."]), ("Other", ["Other"])])
  func addsRest(shown: String, pieces: [String]) async throws {
    var watcher = feed.watch()
    if !shown.isEmpty {
      feed.append(.text(shown))
      _ = try await watcher.next(within: .zero)
    }
    feed.finish(.success(.answered(Self.reply("All."))))
    #expect(try await events() == pieces + ["completed"])
  }

  @Test("text before a tool is no part of the answer")
  func forgetsAtTools() async throws {
    feed.append(.text("Let me see."))
    feed.append(.toolStarted(id: "c", name: "t", arguments: .emptyObject))
    feed.finish(.success(.answered(Self.reply("Done."))))
    #expect(try await events() == ["Let me see.", "tool", "Done.", "completed"])
  }

  @Test("nothing follows the end")
  func ends() async throws {
    feed.finish(.failure(Failure(.timeout, "late")))
    feed.append(.text("more"))
    feed.finish(.success(.answered(Self.reply("more"))))
    #expect(try await events() == ["failed"])
  }

  @Test("a watcher that waits is woken by an event, by its time, and by cancellation")
  func wakes() async throws {
    let woken = Task { [feed] in
      var watcher = feed.watch()
      return try await watcher.next(within: .seconds(15))?.count
    }
    await time.someoneSleeps()
    feed.append(.text("now"))
    #expect(try await woken.value == 1)

    let idle = Task { [feed] in
      var watcher = feed.watch(after: 1)
      return try await watcher.next(within: .seconds(15))?.count
    }
    await time.advanceUntilEnd(of: idle, by: .seconds(1))
    #expect(try await idle.value == 0)

    let cancelled = Task { [feed] in
      var watcher = feed.watch(after: 1)
      return try await watcher.next(within: .seconds(15))?.count
    }
    cancelled.cancel()
    await #expect(throws: CancellationError.self) { try await cancelled.value }
  }

  @Test("a watcher that waits again waits its whole time, whatever is left of the last one")
  func waitsAnew() async throws {
    let end = Task { [feed, time] in
      var watcher = feed.watch()
      _ = try await watcher.next(within: .seconds(15))
      time.advance(by: .seconds(10))
      _ = try await watcher.next(within: .seconds(15))
      return time.elapsed
    }
    await time.someoneSleeps()
    feed.append(.text("now"))
    await time.advanceUntilEnd(of: end, by: .milliseconds(100))
    #expect(try await end.value >= .seconds(25))
  }

  @Test("a watcher is woken by what comes after nothing came", .timeLimit(.minutes(1)))
  func nothing() async throws {
    let count = Task { [feed] in
      var watcher = feed.watch()
      return try await watcher.next(within: .seconds(15))?.count
    }
    await time.someoneSleeps()
    feed.append([])
    for _ in 0..<100 { await Task.yield() }
    feed.append(.text("now"))
    #expect(try await count.value == 1)
  }

  @Test("two watchers read the same events")
  func twoWatchers() async throws {
    var (one, two) = (feed.watch(), feed.watch())
    feed.append(.text("a"))
    #expect(try await one.next(within: .zero)?.map(Self.name) == ["a"])
    feed.append(.text("b"))
    #expect(try await two.next(within: .zero)?.map(Self.name) == ["a", "b"])
    #expect(try await one.next(within: .zero)?.map(Self.name) == ["b"])
  }
}

extension ManualTime {
  /// Turns the clock on, step by step, until the task has ended.
  fileprivate func advanceUntilEnd<Value: Sendable>(
    of task: Task<Value, any Error>, by step: Duration
  ) async {
    let isOver = Mutex(false)
    Task {
      _ = await task.result
      isOver.withLock { $0 = true }
    }
    while !isOver.withLock({ $0 }) {
      advance(by: step)
      await Task.yield()
    }
  }
}
