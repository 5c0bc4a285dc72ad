// SPDX-License-Identifier: Apache-2.0

/// How an attempt with a second request has gone so far: a value that is told what happened.
struct HedgeProgress<Value> {
  typealias Lane = AnswerRace.Lane

  enum Event: Sendable {
    /// The first has been silent for long enough.
    case due
    case begun(Lane)
    case ended(Lane, Result<Sent, any Error>)
  }

  /// SAFETY: made by the task that asked, which ends with it, and read by the one that waits.
  struct Sent: @unchecked Sendable {
    let value: Value
  }

  /// Nobody wants the answer any more.
  var isAbandoned = false
  private(set) var isHedged = false
  private(set) var winner: (lane: Lane, value: Value)?
  private var underWay = 1
  private var firstFailure: (any Error)?
  /// Ended because the other one answers, or nobody wants an answer any more.
  private var cancelled = 0

  var isOver: Bool { underWay == 0 }

  mutating func hedge() {
    isHedged = true
    underWay += 1
  }

  mutating func failed(_ error: any Error) {
    underWay -= 1
    if error is CancellationError {
      cancelled += 1
    } else if firstFailure == nil {
      firstFailure = error
    }
  }

  mutating func answered(_ lane: Lane, _ value: Value) {
    underWay -= 1
    winner = (lane, value)
  }

  /// It answered when the other one had: to be paid for, and of no use.
  mutating func answeredLate() { underWay -= 1 }

  /// What stands where nobody answered; `nil` = the whole was cancelled.
  private var failure: (any Error)? { isAbandoned ? nil : firstFailure }

  /// Requests whose cost nobody else counts: a caller that is cancelled counts one itself.
  var unseen: Int {
    let all = cancelled + underWay
    return winner == nil && failure == nil ? max(0, all - 1) : all
  }

  /// What came of it.
  ///
  /// - Throws: What failed first, or `CancellationError`.
  func outcome() throws -> Value {
    if let winner { return winner.value }
    throw failure ?? CancellationError()
  }
}
