// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Telemetry
import Testing

@Suite("Jobs")
struct JobTests {
  @Test("a job is kept with all that it needs")
  func whole() async throws {
    try await JobScene.with { scene in
      var job = scene.job("a", key: "k", priority: -7)
      job.trace = TraceContext(
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "a=b c,d=e")
      #expect(job.trace?.traceState == "a=b c,d=e")
      try await scene.store.publish([job])
      scene.time.advance(by: .seconds(2))
      let taken = try #require(try await scene.take())
      #expect(taken.job == job)
      #expect(taken.attempt == 1 && taken.failures == 0 && taken.waited == .seconds(2))
    }
  }

  @Test("the same job is published once, also when it was done meanwhile")
  func once() async throws {
    try await JobScene.with { scene in
      try await scene.publish("a")
      try await scene.publish("a")
      let taken = try #require(try await scene.take())
      try await scene.publish("a")
      #expect(try await scene.take() == nil)
      try await scene.end(taken)
      try await scene.publish("a")
      #expect(try await scene.take() == nil)
      #expect(try await scene.store.jobCounts() == JobCounts())
      // A week later nobody asks any more, and the next job that is done takes it away.
      scene.time.advance(by: Job.rememberedFor + .seconds(1))
      try await scene.publish("b")
      try await scene.end(try #require(try await scene.take()))
      try await scene.publish("a")
      #expect(try await scene.take()?.job.id == "a")
    }
  }

  @Test("the highest priority goes first, then the oldest, and a delay is kept")
  func order() async throws {
    try await JobScene.with { scene in
      try await scene.publish("old")
      try await scene.publish("late", priority: 100, delay: .seconds(10))
      try await scene.publish("low", priority: -1)
      try await scene.publish("high", priority: 1)
      try await scene.publish("new")
      #expect(try await scene.store.nextJobDue() == scene.time.now)
      #expect(try await scene.takeAll() == ["high", "old", "new", "low"])
      #expect(try await scene.store.nextJobDue() == scene.time.now + .seconds(10))
      scene.time.advance(by: .milliseconds(9999))
      #expect(try await scene.take() == nil)
      scene.time.advance(by: .milliseconds(1))
      #expect(try await scene.takeAll() == ["late"])
    }
  }

  @Test("users take turns, however many jobs one of them has")
  func fairness() async throws {
    try await JobScene.with { scene in
      try await scene.store.publish((1...40).map { scene.job("a\($0)", user: "ann", priority: 100) })
      let first = try #require(try await scene.take())
      #expect(first.job.id == "a1")
      try await scene.publish("c1", user: "cem")
      try await scene.publish("c2", user: "cem")
      try await scene.publish("b1", user: "bob")
      let names = try await scene.takeAll()
      #expect(names.prefix(6) == ["b1", "c1", "a2", "c2", "a3", "a4"])
      #expect(names.count == 42)
    }
  }

  @Test("jobs of one key go one after another, those of other keys and other users beside them")
  func keys() async throws {
    try await JobScene.with { scene in
      try await scene.publish("a1", key: "k")
      try await scene.publish("a2", key: "k", priority: 100)
      try await scene.publish("a3", key: "k")
      try await scene.publish("l", key: "l")
      try await scene.publish("free")
      try await scene.publish("b1", user: "bob", key: "k")
      let first = try #require(try await scene.take())
      #expect(first.job.id == "a1")
      #expect(Set(try await scene.takeAll()) == ["l", "free", "b1"])
      try await scene.end(first)
      let second = try #require(try await scene.take())
      #expect(second.job.id == "a2")
      #expect(try await scene.take() == nil)
      try await scene.end(second, .dead(Failure(.denied, "no")))
      #expect(try await scene.takeAll() == ["a3"])
    }
  }

  @Test("a job that waits, for its time or after a failure, holds those behind it with its key")
  func heldKeys() async throws {
    try await JobScene.with { scene in
      try await scene.publish("a1", key: "k", delay: .seconds(5))
      try await scene.publish("a2", key: "k")
      #expect(try await scene.take() == nil)
      scene.time.advance(by: .seconds(5))
      try await scene.fail(try #require(try await scene.take()))
      #expect(try await scene.take() == nil)
      scene.time.advance(by: .seconds(1))
      let again = try #require(try await scene.take())
      #expect(again.job.id == "a1" && again.attempt == 2 && again.failures == 1)
      try await scene.end(again)
      #expect(try await scene.takeAll() == ["a2"])
    }
  }

  @Test("the delay of a job that was held is kept, too")
  func delayBehindKey() async throws {
    try await JobScene.with { scene in
      try await scene.publish("a1", key: "k")
      try await scene.publish("a2", key: "k", delay: .seconds(60))
      try await scene.end(try #require(try await scene.take()))
      #expect(try await scene.take() == nil)
      scene.time.advance(by: .seconds(60))
      #expect(try await scene.takeAll() == ["a2"])
    }
  }

  @Test("a job whose worker is not heard of is taken by another, and the first one's end counts no more")
  func leases() async throws {
    try await JobScene.with { scene in
      try await scene.publish("a")
      let lost = try #require(try await scene.take())
      scene.time.advance(by: .milliseconds(29_999))
      #expect(try await scene.take() == nil)
      scene.time.advance(by: .milliseconds(1))
      let again = try #require(try await scene.take())
      #expect(again.attempt == 2 && again.failures == 1)
      #expect(try await scene.end(lost) == false)
      #expect(
        try await scene.store.extendLeases([lost.runID: "a", again.runID: "a"], until: scene.time.now) == [
          lost.runID
        ])
      #expect(try await scene.end(again))
      #expect(try await scene.store.nextJobDue() == nil)
    }
  }

  @Test("a lease that is extended holds longer, and ends at once when all workers are known to be gone")
  func extended() async throws {
    try await JobScene.with { scene in
      try await scene.publish("a")
      let taken = try #require(try await scene.take())
      scene.time.advance(by: .seconds(20))
      #expect(
        try await scene.store.extendLeases([taken.runID: "a"], until: scene.time.now + .seconds(30)) == [])
      scene.time.advance(by: .seconds(29))
      #expect(try await scene.take() == nil)
      #expect(try await scene.store.endLeases(at: scene.time.now) == 1)
      #expect(try await scene.take()?.attempt == 2)
    }
  }

  @Test("a job that was stopped is there at once, and that is not held against it")
  func released() async throws {
    try await JobScene.with { scene in
      try await scene.publish("a", key: "k")
      try await scene.publish("b", key: "k")
      try await scene.end(try #require(try await scene.take()), .released)
      let again = try #require(try await scene.take())
      #expect(again.job.id == "a" && again.attempt == 2 && again.failures == 0)
      #expect(try await scene.take() == nil)
    }
  }

  @Test("the run of an attempt ends with it, or as interrupted when the next one begins")
  func runs() async throws {
    try await JobScene.with { scene in
      try await scene.publish("a")
      let lost = try #require(try await scene.take())
      _ = try await scene.store.openTurn(scene.opening(lost))
      // A server that starts beside the worker leaves its runs alone.
      #expect(try await scene.store.interruptLoneRuns(at: scene.time.now) == 0)
      scene.time.advance(by: .seconds(30))
      let again = try #require(try await scene.take())
      #expect(lost.interruptedRunID == nil && again.interruptedRunID == lost.runID)
      #expect(try await scene.store.run(id: lost.runID, visibleTo: .user("ann")).status == .interrupted)
      _ = try await scene.store.openTurn(scene.opening(again))
      try await scene.store.closeTurn(scene.closing(lost, .done))
      #expect(try await scene.store.run(id: lost.runID, visibleTo: .user("ann")).status == .interrupted)
      try await scene.store.closeTurn(scene.closing(again, .done))
      let run = try await scene.store.run(id: again.runID, visibleTo: .user("ann"))
      #expect(run.status == .completed && run.agent == "action:send" && run.sessionID == nil)
      #expect(try await scene.store.jobCounts() == JobCounts())
    }
  }

  @Test("a job is there if, and only if, the journal's entry is that publishes it")
  func outbox() async throws {
    try await withDirectory { directory in
      let store = try await SQLiteStore.open(directory: directory, synchronous: .normal)
      let scene = JobScene(store)
      let journal = Journal(runID: "run-p", seed: 1, store: store, time: scene.time)
      try await journal.publish(
        JournalCall(key: "run:1", name: "queue.publish"), RawJSON("a"), [scene.job("a")])
      #expect(try await store.journal(ofRun: "run-p").map(\.outcome) == [.result(RawJSON("a"))])
      #expect(try await scene.takeAll() == ["a"])

      // The entry goes back with the job.
      try runSQL(
        directory + "/" + SQLiteStore.fileName,
        "CREATE TRIGGER no_jobs BEFORE INSERT ON jobs BEGIN SELECT raise(ABORT, 'none'); END")
      await #expect(throws: Failure.self) {
        try await journal.publish(
          JournalCall(key: "run:2", name: "queue.publish"), RawJSON("b"), [scene.job("b")])
      }
      #expect(try await store.journal(ofRun: "run-p").count == 1)
      try runSQL(directory + "/" + SQLiteStore.fileName, "DROP TRIGGER no_jobs")
      #expect(try await scene.take() == nil)
      try await store.close()
    }
  }
}

extension JobScene {
  fileprivate func opening(_ taken: TakenJob) -> TurnOpening {
    TurnOpening(
      runID: taken.runID, messageID: "", userID: "ann", sessionID: "s", agent: "action:send", version: "v1",
      message: "", historyMessages: 0, hasSession: false, at: time.now)
  }

  fileprivate func closing(_ taken: TakenJob, _ outcome: JobEnding.Outcome) -> TurnClosing {
    var closing = TurnClosing(
      runID: taken.runID, userID: "ann", sessionID: "s", messageID: "", status: .completed, failure: nil,
      text: "", steps: [], usage: Usage(), state: nil, hasSession: false, at: time.now)
    closing.job = JobEnding(jobID: taken.job.id, outcome: outcome)
    return closing
  }
}
