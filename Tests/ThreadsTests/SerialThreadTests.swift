// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization
import Testing
import Threads

@Suite("Serial threads", .timeLimit(.minutes(5)))
struct SerialThreadTests {
  @Test("jobs run one after the other, in their order")
  func order() async {
    let thread = SerialThread(name: "test-serial")
    let seen = Mutex<[Int]>([])
    for number in 0..<1_000 { thread.async { seen.withLock { $0.append(number) } } }
    await withCheckedContinuation { continuation in thread.async { continuation.resume() } }
    #expect(seen.withLock { $0 } == Array(0..<1_000))
  }

  @Test("a job that lowers its priority lowers no other's")
  func lower() async {
    let thread = SerialThread(name: "test-serial")
    let lowered = await niceness(on: thread) { thread.lower() }
    let next = await niceness(on: thread) {}
    #expect(lowered == 5)
    #expect(next == 0)
  }

  @Test("what is waiting is done although nobody holds the thread any more")
  func abandoned() async {
    let count = Atomic(0)
    await withCheckedContinuation { continuation in
      let thread = SerialThread(name: "test-serial")
      for _ in 0..<100 { thread.async { count.add(1, ordering: .relaxed) } }
      thread.async { continuation.resume() }
    }
    #expect(count.load(ordering: .relaxed) == 100)
  }

  private func niceness(on thread: SerialThread, after body: @escaping @Sendable () -> Void) async -> Int32 {
    await withCheckedContinuation { continuation in
      thread.async {
        body()
        continuation.resume(returning: getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0))
      }
    }
  }
}
