// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Threads

@Suite("Turn lines", .timeLimit(.minutes(5)))
struct TurnLineTests {
  @Test("a turn's task, its children and the actors that it calls run on the turn's threads")
  func threads() async {
    let names = await Task(executorPreference: TurnLine()) {
      let actor = Actor()
      async let child = threadName()
      return [threadName(), await child, await actor.threadName()]
    }.value
    #expect(names == ["perigee-fresh", "perigee-fresh", "perigee-fresh"])
  }

  @Test("a turn that has given way goes on among the long ones")
  func giveWay() async {
    let name = await Task(executorPreference: TurnLine()) {
      await becomeSpent()
      return threadName()
    }.value
    #expect(name == "perigee-spent")
  }

  @Test("it is the whole turn that goes on among the long ones, however many tasks it has")
  func giveWayTogether() async {
    let names = await withTaskGroup(of: String.self) { group in
      let line = TurnLine()
      for _ in 0..<20 {
        group.addTask(executorPreference: line) {
          await becomeSpent()
          return threadName()
        }
      }
      return await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
    #expect(names == ["perigee-spent"])
  }

  @Test("without a line it only yields")
  func yields() async { await TurnLine.giveWay() }

  @Test("jobs that hold every thread keep no other turn from its own")
  func standIns() async {
    let over = Counter()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask(executorPreference: TurnLine()) {
          while over.count.load(ordering: .relaxed) == 0, !Task.isCancelled {}
        }
      }
      // Ends only when turns are served beside those that hold their threads.
      for turn in 0..<100 {
        let answer = await Task(executorPreference: TurnLine()) { turn }.value
        #expect(answer == turn)
      }
      over.count.store(1, ordering: .relaxed)
    }
  }

  @Test("lines take turns: one with many jobs does not keep another from its first")
  func turns() async {
    // Nobody begins before all are in line.
    let start = Gate()
    let served = Counter()
    await withTaskGroup(of: Void.self) { group in
      let busy = TurnLine()
      // Each holds its thread, and they are more than there can be threads: ends only when the other line comes
      // before the last of them.
      for _ in 0..<1_000 {
        group.addTask(executorPreference: busy) {
          start.pass()
          while served.count.load(ordering: .relaxed) == 0, !Task.isCancelled {}
        }
      }
      group.addTask(executorPreference: TurnLine()) { served.count.store(1, ordering: .relaxed) }
      start.open()
    }
    #expect(served.count.load(ordering: .relaxed) == 1)
  }

  @Test("ten thousand tasks of a hundred turns all end, giving way as they go")
  func many() async {
    let counter = Counter()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<100 {
        let line = TurnLine()
        for _ in 0..<100 {
          group.addTask(executorPreference: line) {
            await TurnLine.giveWay()
            await Task.yield()
            counter.count.add(1, ordering: .relaxed)
          }
        }
      }
    }
    #expect(counter.count.load(ordering: .relaxed) == 10_000)
  }
}

/// One that goes on before it has suspended stays where it is until the next time.
private func becomeSpent() async {
  while threadName() != "perigee-spent", !Task.isCancelled { await TurnLine.giveWay() }
}

private final class Counter: Sendable {
  let count = Atomic(0)
}

private actor Actor {
  func threadName() -> String { ThreadsTests.threadName() }
}

private func threadName() -> String {
  guard let file = fopen("/proc/thread-self/comm", "r") else { return "" }
  defer { fclose(file) }
  var name = [CChar](repeating: 0, count: 17)
  guard fgets(&name, Int32(name.count), file) != nil else { return "" }
  return String(decoding: name.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
