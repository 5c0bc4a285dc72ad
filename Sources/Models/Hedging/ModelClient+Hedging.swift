// SPDX-License-Identifier: Apache-2.0
import Core
import Logging

extension ModelClient {
  /// Asks, and asks the same model a second time when nothing has come after `delay`: one attempt, whichever of the
  /// two answers. The other is closed as soon as one begins.
  ///
  /// The second is not made where it would have to wait, or while the breaker is not closed. Both give their own pass
  /// back.
  ///
  /// - Parameters:
  ///   - charge: Counts one that lost; with what it answered too late, or `nil` when it was cancelled.
  ///   - ask: Makes one request; shows the attempt's claim before it tells anything.
  /// - Throws: What failed first when both failed, or `CancellationError`.
  @inline(never) func hedging<Value: AttemptResult>(
    _ attempt: Attempt, of target: Target, after delay: Duration, charge: (Value?) -> Void,
    _ ask: @escaping @Sendable (Attempt) async throws -> Value
  ) async throws -> Value {
    let began = time.elapsed
    let (events, feed) = AsyncStream.makeStream(of: HedgeProgress<Value>.Event.self)
    let race = AnswerRace { feed.yield(.begun($0)) }
    var progress = HedgeProgress<Value>()
    // A group for each, so that one can be cancelled without the other.
    await withTaskGroup(of: Void.self) { first in
      await withTaskGroup(of: Void.self) { second in
        let sole = attempt.claiming(race, .first)
        first.addTask { feed.yield(.ended(.first, await self.settle(sole, target, ask))) }
        second.addTask { if (try? await self.time.sleep(for: delay)) != nil { feed.yield(.due) } }
        for await event in events {
          switch event {
          case .due where race.hasBegun: break
          case .due:
            guard let another = attempt.another(after: time.elapsed - began) else {
              logger.debug(
                "a model is slow to answer, and there is no room to ask it again",
                metadata: ["model": "\(target.name)"])
              break
            }
            logger.debug(
              "a model is slow to answer and is asked again",
              metadata: ["model": "\(target.name)", "seconds": "\(delay.seconds)"])
            progress.hedge()
            let rival = another.claiming(race, .second)
            second.addTask { feed.yield(.ended(.second, await self.settle(rival, target, ask))) }
          case .begun(.first): second.cancelAll()
          case .begun(.second): first.cancelAll()
          case .ended(let lane, .success(let answer)):
            if race.claim(lane) {
              progress.answered(lane, answer.value)
            } else {
              progress.answeredLate()
              charge(answer.value)
            }
          case .ended(_, .failure(let error)): progress.failed(error)
          }
          if progress.isOver { break }
        }
        // What is left is the wait for a second that is not needed.
        second.cancelAll()
      }
    }
    progress.isAbandoned = Task.isCancelled
    for _ in 0..<progress.unseen { charge(nil) }
    if progress.isHedged { note(progress.winner?.lane, attempt, target) }
    return try progress.outcome()
  }

  private func note(_ winner: AnswerRace.Lane?, _ attempt: Attempt, _ target: Target) {
    attempt.hedged(hasWon: winner == .second)
    logger.debug(
      "a model was asked twice for one answer",
      metadata: [
        "model": "\(target.name)",
        "answered": "\(winner.map { $0 == .first ? "first" : "second" } ?? "none")",
      ])
  }

  /// Asks once and gives the pass back.
  private func settle<Value: AttemptResult>(
    _ attempt: Attempt, _ target: Target, _ ask: @Sendable (Attempt) async throws -> Value
  ) async -> Result<HedgeProgress<Value>.Sent, any Error> {
    do {
      let value = try await ask(attempt)
      succeed(attempt, value, target)
      return .success(HedgeProgress.Sent(value: value))
    } catch {
      return .failure(fail(attempt, error, target))
    }
  }
}
