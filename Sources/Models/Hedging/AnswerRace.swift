// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Two requests for one answer: whichever begins to answer first is the one that answers.
final class AnswerRace: Sendable {
  enum Lane: Sendable {
    case first, second
  }

  private let winner = Mutex<Lane?>(nil)
  private let onBegin: @Sendable (Lane) -> Void

  /// - Parameter onBegin: Told once, of the one that answers.
  init(onBegin: @escaping @Sendable (Lane) -> Void) { self.onBegin = onBegin }

  /// Whether one of them answers already.
  var hasBegun: Bool { winner.withLock { $0 != nil } }

  /// Takes the answer for one of them; false when the other has it.
  func claim(_ lane: Lane) -> Bool {
    let (holder, isNew) = winner.withLock { winner in
      if let winner { return (winner, false) }
      winner = lane
      return (lane, true)
    }
    if isNew { onBegin(lane) }
    return holder == lane
  }
}

/// What one of the two shows before it tells anything.
final class AnswerClaim: Sendable {
  private let race: AnswerRace
  private let lane: AnswerRace.Lane

  init(_ race: AnswerRace, _ lane: AnswerRace.Lane) {
    self.race = race
    self.lane = lane
  }

  /// Takes the answer; may be asked again.
  ///
  /// - Throws: `CancellationError` when the other one answers.
  func begin() throws(CancellationError) {
    guard race.claim(lane) else { throw CancellationError() }
  }
}
