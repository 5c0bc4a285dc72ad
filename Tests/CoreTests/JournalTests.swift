// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Synchronization
import Testing

@testable import Core

@Suite("Journal")
struct JournalTests {
  /// Keeps entries as a store does, and fails when it is told to.
  private final class Memory: JournalStore {
    struct State {
      var entries: [Int: JournalEntry] = [:]
      var writes = 0
      var failure: Failure?
    }

    let state = Mutex(State())

    func writeJournal(_ batch: JournalBatch, runID: String, done: @escaping @Sendable (Failure?) -> Void) {
      let failure = state.withLock { state -> Failure? in
        state.writes += 1
        if state.failure == nil { for entry in batch.entries { state.entries[entry.number] = entry } }
        return state.failure
      }
      done(failure)
    }

    func journal(ofRun id: String) async throws -> [JournalEntry] {
      state.withLock { $0.entries.values.sorted { $0.number < $1.number } }
    }
  }

  private struct Clock: TimeSource {
    var now: Timestamp { Timestamp(milliseconds: 1) }
    var elapsed: Duration { .zero }
    func sleep(for duration: Duration) async throws { try await Task.sleep(for: .seconds(3600)) }
  }

  private static func journal(_ memory: Memory, waiting: Bool = false) async throws -> Journal {
    Journal(
      runID: "r", seed: 7, recorded: try await memory.journal(ofRun: "r"), isFromWaiting: waiting,
      store: memory,
      time: Clock(), deadlines: DeadlineQueue(time: Clock()))
  }

  /// Nobody knows: it is made again.
  private static func again(_ begun: JournalEntry) async throws -> RawJSON? { nil }

  private static func call(_ key: String, _ name: String = "x", digest: UInt64 = 1) -> JournalCall {
    JournalCall(key: key, name: name, digest: digest)
  }

  @Test("what may be done again is written with the next thing that may not, and each is done once")
  func order() async throws {
    let memory = Memory()
    let done = Mutex<[String]>([])
    for life in 1...3 {
      let journal = try await Self.journal(memory)
      let seen = try await journal.observe(Self.call("a")) {
        done.withLock { $0.append("a") }
        return RawJSON(["life": .integer(Int64(life))])
      }
      if life == 1 { #expect(memory.state.withLock { $0.writes } == 0) }
      let wrote = try await journal.perform(Self.call("b"), unknown: Self.again) {
        // Its intent, and what was seen before it, are durable when it happens.
        #expect(memory.state.withLock { $0.entries[0]?.outcome != nil && $0.entries[1]?.outcome == nil })
        done.withLock { $0.append("b") }
        return RawJSON(["life": .integer(Int64(life))])
      }
      #expect(seen == RawJSON(["life": 1]) && wrote == seen)
    }
    #expect(done.withLock { $0 } == ["a", "b"])
  }

  @Test("an error that came once comes again, and nothing is done for it")
  func failure() async throws {
    let memory = Memory()
    for life in 1...2 {
      let journal = try await Self.journal(memory)
      let failure = await #expect(throws: Failure.self) {
        _ = try await journal.perform(Self.call("a"), unknown: Self.again) {
          guard life == 1 else { return .null }
          throw Failure(.rateLimited, "slow down", retryable: true, detail: ["n": 1], retryAfterSeconds: 2)
        }
      }
      #expect(failure?.code == .rateLimited && failure?.retryable == true && failure?.retryAfterSeconds == 2)
      #expect(failure?.detail == ["n": 1])
    }
  }

  @Test("a call without an end is asked about: its result, or it is made again")
  func unknown() async throws {
    let memory = Memory()
    let first = try await Self.journal(memory)
    for key in ["a", "b"] {
      await #expect(throws: CancellationError.self) {
        _ = try await first.perform(Self.call(key), unknown: Self.again) { throw CancellationError() }
      }
    }
    let second = try await Self.journal(memory)
    func known(_ begun: JournalEntry) async throws -> RawJSON? { RawJSON(["known": true]) }
    let result = try await second.perform(Self.call("a"), unknown: known) {
      Issue.record("it was done again")
      return .null
    }
    #expect(result == RawJSON(["known": true]))
    #expect(
      try await second.perform(Self.call("b"), unknown: Self.again) { RawJSON(["again": true]) }
        == RawJSON(["again": true]))
    // It was begun anew: should its end be missed again, that is another question.
    #expect(
      memory.state.withLock { $0.entries.values.filter { $0.key == "b" }.map(\.number).sorted() } == [1, 2])
  }

  @Test("each attempt whose end nobody saw is a question of its own")
  func unknownAgain() async throws {
    let memory = Memory()
    let keys = Mutex<[String]>([])
    for _ in 1...3 {
      let journal = try await Self.journal(memory)
      func ask(_ begun: JournalEntry) async throws -> RawJSON? {
        keys.withLock { $0.append(begun.unknownOutcomeKey) }
        return nil
      }
      await #expect(throws: CancellationError.self) {
        _ = try await journal.perform(Self.call("a"), unknown: ask) { throw CancellationError() }
      }
    }
    #expect(keys.withLock { $0 } == ["a/unknown.0", "a/unknown.1"])
  }

  @Test(
    "a run that does something else than before does nothing more, even where the script lets the error pass")
  func divergence() async throws {
    for other in [Self.call("a", "y"), Self.call("a", digest: 2)] {
      let memory = Memory()
      _ = try await Self.journal(memory).perform(Self.call("a"), unknown: Self.again) { .null }
      let journal = try await Self.journal(memory)
      for call in [other, Self.call("z")] {
        let failure = await #expect(throws: Failure.self) {
          _ = try await journal.perform(call, unknown: Self.again) {
            Issue.record("it was done")
            return .null
          }
        }
        #expect(failure?.code == .conflict && failure?.detail?["at"] == "a")
      }
      #expect(throws: Failure.self) { try journal.check() }
    }
  }

  @Test(
    "what was done in a transaction that never ended is handed back where it fits, else done anew or let go of"
  )
  func tolerated() async throws {
    let memory = Memory()
    let first = try await Self.journal(memory)
    for key in ["run:1/a", "run:1/b", "run:1/c", "run:2"] {
      _ = try await first.perform(Self.call(key), unknown: Self.again) { RawJSON(["life": 1]) }
    }
    let second = try await Self.journal(memory)
    second.enclose("run:1/", in: Open(key: "run:0", isReplayed: false))
    func life(_ call: JournalCall) async throws -> RawJSON {
      try await second.perform(call, unknown: Self.again) { RawJSON(["life": 2]) }
    }
    #expect(try await life(Self.call("run:1/a")) == RawJSON(["life": 1]))
    #expect(try await life(Self.call("run:1/b", digest: 2)) == RawJSON(["life": 2]))
    second.settle(transaction: "another")
    #expect(second.isReplaying)
    second.settle(transaction: "run:0")
    // What lay outside of it is as strict as ever.
    #expect(try await life(Self.call("run:2")) == RawJSON(["life": 1]))
    #expect(!second.isReplaying)
    // A third life knows the call by what it was made with last.
    let third = try await Self.journal(memory)
    let again = try await third.perform(Self.call("run:1/b", digest: 2), unknown: Self.again) { .null }
    #expect(again == RawJSON(["life": 2]))
  }

  @Test("what models took of what is dropped with a transaction, or done anew, is known")
  func dropped() async throws {
    let memory = Memory()
    let first = try await Self.journal(memory)
    let reply = ModelReply(
      model: "m", text: "x", finishReason: .stop, usage: Usage(inputTokens: 3, outputTokens: 4))
    for key in ["run:1/model.1", "run:1/model.2"] {
      _ = try await first.perform(Self.call(key, "model"), unknown: Self.again) { reply.json }
    }
    let second = try await Self.journal(memory)
    second.enclose("run:1/", in: Open(key: "run:0", isReplayed: false))
    _ = try await second.perform(Self.call("run:1/model.1", "model", digest: 2), unknown: Self.again) {
      reply.json
    }
    #expect(second.takeDropped().inputTokens == 3)
    second.settle(transaction: "run:0")
    #expect(second.takeDropped().outputTokens == 4 && second.takeDropped().tokens == 0)
    // Later lives have the first answer no more, and know what it took.
    #expect(try await Self.journal(memory).inherited.inputTokens == 3)
    // Nothing of it is left over where the transaction is only handed back.
    let third = try await Self.journal(memory)
    third.enclose("run:1/", in: Open(key: "run:0", isReplayed: true))
    _ = try third.recall(Self.call("run:1/model.1", "model", digest: 2))
    #expect(!third.unread.isEmpty)
    third.settle(transaction: "run:0")
    #expect(third.unread.isEmpty && !third.isReplaying)
  }

  private struct Open: OpenTransaction {
    let key: String
    let isReplayed: Bool
    func failure(ofCall key: String) -> Failure? { nil }
    func keep(_ failure: Failure, ofCall key: String) {}
  }

  @Test("nothing is done that could not be written down")
  func full() async throws {
    let memory = Memory()
    memory.state.withLock { $0.failure = Failure(.internal, "the database is full") }
    let journal = try await Self.journal(memory)
    await #expect(throws: Failure.self) {
      _ = try await journal.perform(Self.call("a"), unknown: Self.again) {
        Issue.record("it was done")
        return .null
      }
    }
    memory.state.withLock { $0.failure = nil }
    await #expect(throws: Failure.self) {
      _ = try await journal.perform(Self.call("b"), unknown: Self.again) { .null }
    }
  }

  @Test("a tool that waited in its middle goes on, and what it did before is handed back")
  func inside() async throws {
    let memory = Memory()
    let first = try await Self.journal(memory)
    let task = Task {
      try await first.perform(Self.call("t"), unknown: Self.again) {
        first.keepInside("t#1:1", bytes: 9) {
          JournalEntry(
            number: 0, key: "t#1:1", name: "x", digest: 1, outcome: .result(RawJSON(["n": 1])),
            startedAt: Timestamp(milliseconds: 1))
        }
        return try await first.await(Self.call("t#1:2", "approval")) { _ in
          try await first.waits.wait(for: "t#1:2")
        }
      }
    }
    while memory.state.withLock({ $0.entries.count }) < 3 { await Task.yield() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    memory.state.withLock { state in
      for (number, entry) in state.entries where entry.key == "t#1:2" {
        state.entries[number]?.outcome = .result(RawJSON(["yes": true]))
      }
    }
    let second = try await Self.journal(memory, waiting: true)
    func unknown(_ begun: JournalEntry) async throws -> RawJSON? {
      Issue.record("nobody need be asked")
      return nil
    }
    let result = try await second.perform(Self.call("t"), unknown: unknown) {
      guard case .ended(.result(let one)) = try second.recall(Self.call("t#1:1")) else { return .null }
      let yes = try await second.await(Self.call("t#1:2", "approval")) { _ in .null }
      return RawJSON(.array([try one.value(), try yes.value()]))
    }
    #expect(result == RawJSON([["n": 1], ["yes": true]]))
  }

  @Test("what lies within a call that has ended is handed back with it, and what it took is known")
  func inner() async throws {
    let reply = ModelReply(
      model: "m", text: "x", finishReason: .stop, usage: Usage(inputTokens: 3, outputTokens: 4))
    func entry(_ key: String, _ name: String, ended: Bool = true) -> JournalEntry {
      JournalEntry(
        number: 0, key: key, name: name, digest: 0, outcome: ended ? .result(reply.json) : nil,
        startedAt: Timestamp(milliseconds: 0))
    }
    let (open, inherited) = JournalEntry.withoutInner([
      entry("run:3/model.1", "model"), entry("run:3", "agent a"), entry("run:1.0/2", "http.get"),
      entry("tool.0.0#1:2", "model"), entry("tool.0.0", "tool t", ended: false),
      entry("run:4/tool.0.1#1:1/model.1", "model"), entry("run:4/tool.0.1", "tool t"),
      entry("run:4", "agent b", ended: false),
    ])
    #expect(Set(open.keys) == ["run:3", "run:1.0/2", "tool.0.0#1:2", "tool.0.0", "run:4/tool.0.1", "run:4"])
    #expect(inherited.inputTokens == 6 && inherited.outputTokens == 8)
  }

  @Test("a run leaves when all its lines wait, and not while one of them works")
  func lines() async throws {
    let time = HandTime()
    let waits = RunWaits(deadlines: DeadlineQueue(time: time))
    let left = Mutex(false)
    waits.onIdle { left.withLock { $0 = true } }
    waits.count(lines: 1)
    let one = Task { try await waits.wait(for: "a") }
    while waits.isWaiting(under: "a") == false { await Task.yield() }
    // Time enough to leave, had the other line not worked.
    for _ in 0..<300 { await time.advance() }
    #expect(!left.withLock { $0 } && !waits.isSuspended)
    waits.count(lines: -1)
    while !left.withLock({ $0 }) { await time.advance() }
    #expect(waits.isSuspended && waits.keysLeft == ["a"])
    one.cancel()
    await #expect(throws: CancellationError.self) { try await one.value }
  }

  /// Time that passes by a hundredth of a second whenever it is told to.
  private final class HandTime: TimeSource {
    private struct State {
      var milliseconds: Int64 = 0
      var sleepers: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Mutex(State())
    var now: Timestamp { Timestamp(milliseconds: state.withLock { $0.milliseconds }) }
    var elapsed: Duration { .milliseconds(state.withLock { $0.milliseconds }) }
    func sleep(for duration: Duration) async throws {
      await withCheckedContinuation { continuation in state.withLock { $0.sleepers.append(continuation) } }
    }
    func advance() async {
      let sleepers = state.withLock { state in
        state.milliseconds += 10
        defer { state.sleepers = [] }
        return state.sleepers
      }
      for sleeper in sleepers { sleeper.resume() }
      await Task.yield()
    }
  }

  @Test("what collects is handed on, and a run that does without end is stopped")
  func bounds() async throws {
    let memory = Memory()
    let journal = try await Self.journal(memory)
    let large = RawJSON(.string(String(repeating: "x", count: 1 << 20)))
    for number in 0..<4 {
      _ = try await journal.observe(Self.call("large \(number)")) { large }
      // It waits for the disk: nothing of it is left in memory.
      #expect(memory.state.withLock { $0.entries.count } == number + 1)
    }
    let failure = await #expect(throws: Failure.self) {
      for number in 4..<200 { _ = try await journal.observe(Self.call("large \(number)")) { large } }
    }
    #expect(failure?.code == .limit)
    let many = try await Self.journal(Memory())
    let end = await #expect(throws: Failure.self) {
      for number in 0...Journal.entriesMax + 1 {
        _ = try await many.observe(Self.call("\(number)")) { .null }
      }
    }
    #expect(end?.code == .limit)
  }

  @Test("what was done is written down while something takes long, and not for what is over at once")
  func spills() async throws {
    let (memory, time) = (Memory(), ManualTime())
    let deadlines = DeadlineQueue(time: time)
    let journal = Journal(runID: "r", seed: 7, store: memory, time: Clock())
    #expect(journal.spill(soonOn: deadlines) == nil)
    journal.keep(Self.call("a"), .result(.null), startedAt: Clock().now, milliseconds: 1)
    let quick = try #require(journal.spill(soonOn: deadlines))
    deadlines.cancel(quick)
    let slow = journal.spill(soonOn: deadlines)
    var elapsed = Duration.zero
    while memory.state.withLock({ $0.writes }) == 0 {
      await time.someoneSleeps()
      time.advance(by: .milliseconds(10))
      elapsed += .milliseconds(10)
      await Task.yield()
    }
    #expect(slow != nil && elapsed >= .milliseconds(100))
    #expect(memory.state.withLock { $0.writes } == 1)
    #expect(journal.spill(soonOn: deadlines) == nil)
    // One quick call after another puts it off no further.
    journal.keep(Self.call("b"), .result(.null), startedAt: Clock().now, milliseconds: 1)
    deadlines.cancel(try #require(journal.spill(soonOn: deadlines)))
    time.advance(by: .milliseconds(100))
    #expect(journal.spill(soonOn: deadlines) == nil)
    #expect(memory.state.withLock { $0.writes } == 2)
  }

  @Test("names and random numbers depend on the run and the key alone")
  func names() async throws {
    let (one, two) = (try await Self.journal(Memory()), try await Self.journal(Memory()))
    #expect(one.identifier(for: "a") == two.identifier(for: "a"))
    #expect(one.identifier(for: "a") != one.identifier(for: "b"))
    #expect(one.seed(for: "a") == two.seed(for: "a") && one.seed(for: "a") != one.seed(for: "b"))
    #expect(Set((0..<10_000).map { one.identifier(for: "\($0)") }).count == 10_000)
  }

  @Test("what a model said is kept whole")
  func replies() throws {
    let reply = ModelReply(
      model: "m", text: "Grüße \u{1F600}\n",
      calls: [ToolCallRequest(id: "c", name: "t", arguments: "{\"a\":1.0")],
      finishReason: .toolCalls,
      usage: Usage(inputTokens: 3, outputTokens: 4, costUSD: nil, isEstimated: true),
      verbatim: VerbatimAnswer(origin: "p/m", items: [RawJSON(["type": "thinking"])]))
    #expect(ModelReply(json: try reply.json.value()) == reply)
    let error = ModelError(
      .rateLimited, "slow", status: 429, retryAfterSeconds: 3, diagnostic: "d", usage: Usage(inputTokens: 1))
    let read = try #require(ModelError(recorded: Failure(json: try error.recorded.json.value())))
    #expect(read.kind == error.kind && read.status == 429 && read.retryAfterSeconds == 3)
    #expect(read.usage == error.usage && read.diagnostic == "d")
  }
}
