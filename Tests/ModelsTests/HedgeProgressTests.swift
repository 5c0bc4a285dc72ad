// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Testing

@testable import Models

@Suite("The progress of hedged requests")
struct HedgeProgressTests {
  private struct Fault: Error, Equatable {
    let number: Int
  }

  @Test("the answer belongs to whoever begins first, and nobody takes it away")
  func claims() throws {
    let begun = Mutex<[AnswerRace.Lane]>([])
    let race = AnswerRace { lane in begun.withLock { $0.append(lane) } }
    #expect(!race.hasBegun)
    let (first, second) = (AnswerClaim(race, .first), AnswerClaim(race, .second))
    try second.begin()
    try second.begin()
    #expect(throws: CancellationError.self) { try first.begin() }
    #expect(race.hasBegun && begun.withLock { $0 } == [.second])
  }

  @Test("what failed first is what failed, and the cancelled one is no failure")
  func firstFailure() throws {
    var both = HedgeProgress<Int>()
    both.hedge()
    both.failed(Fault(number: 1))
    #expect(!both.isOver)
    both.failed(Fault(number: 2))
    #expect(both.isOver && both.unseen == 0)
    #expect(throws: Fault(number: 1)) { try both.outcome() }

    var begunAndBroken = HedgeProgress<Int>()
    begunAndBroken.hedge()
    begunAndBroken.failed(CancellationError())
    begunAndBroken.failed(Fault(number: 3))
    #expect(begunAndBroken.unseen == 1)
    #expect(throws: Fault(number: 3)) { try begunAndBroken.outcome() }
  }

  @Test("each request is counted once, whatever ends the wait")
  func unseen() throws {
    var alone = HedgeProgress<Int>()
    alone.failed(CancellationError())
    #expect(alone.unseen == 0)

    var cancelled = HedgeProgress<Int>()
    cancelled.hedge()
    #expect(cancelled.unseen == 1)
    cancelled.failed(CancellationError())
    #expect(cancelled.unseen == 1)
    #expect(throws: CancellationError.self) { try cancelled.outcome() }

    var failedAndCancelled = HedgeProgress<Int>()
    failedAndCancelled.hedge()
    failedAndCancelled.failed(Fault(number: 1))
    failedAndCancelled.isAbandoned = true
    #expect(failedAndCancelled.unseen == 0)
    #expect(throws: CancellationError.self) { try failedAndCancelled.outcome() }

    var answered = HedgeProgress<Int>()
    answered.hedge()
    answered.answered(.second, 7)
    #expect(answered.unseen == 1)
    answered.answeredLate()
    #expect(try answered.unseen == 0 && answered.isOver && answered.outcome() == 7)
  }
}
