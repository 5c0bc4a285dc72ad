// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The budgets of sessions and of users' days, as far as runs of this process need them.
final class BudgetLedger: Sendable {
  private struct Day {
    /// Days since 1970 UTC.
    var number: Int64 = 0
    var budgets: [String: Budget] = [:]
  }

  private struct Weak {
    weak var budget: Budget?
  }

  private let limits: Runner.Limits
  private let store: any Store
  private let time: any TimeSource
  private let day = Mutex(Day())
  private let sessions = Mutex<[SessionGate.Key: Weak]>([:])

  init(limits: Runner.Limits, store: any Store, time: any TimeSource) {
    self.limits = limits
    self.store = store
    self.time = time
  }

  /// What a turn shares with others of its session and its user; none without limits.
  func budgets(userID: String, sessionID: String) async throws -> [Budget] {
    var budgets: [Budget] = []
    if !limits.day.isNone { budgets.append(try await today(of: userID)) }
    // The session of a schedule has no end.
    if !limits.session.isNone, userID != Principal.schedule.id {
      budgets.append(try await session(SessionGate.Key(userID: userID, sessionID: sessionID)))
    }
    return budgets
  }

  private func today(of userID: String) async throws -> Budget {
    let length: Int64 = 86_400_000
    let number = time.now.milliseconds / length
    if let known = day.withLock({ $0.number == number ? $0.budgets[userID] : nil }) { return known }
    let spent = try await store.usage(userID: userID, since: Timestamp(milliseconds: number * length))
    let level = Budget.Level.day(over: Timestamp(milliseconds: (number + 1) * length))
    let budget = Budget(level, limits: limits.day, spent: spent)
    return day.withLock { day in
      // The day may have ended while the store was asked.
      if number < day.number { return budget }
      if day.number != number { day = Day(number: number) }
      // Another turn may have been quicker: both have to count in one place.
      if let known = day.budgets[userID] { return known }
      day.budgets[userID] = budget
      return budget
    }
  }

  /// Known as long as a turn of the session is under way: then the store knows what it took.
  private func session(_ key: SessionGate.Key) async throws -> Budget {
    if let known = sessions.withLock({ $0[key]?.budget }) { return known }
    let spent = try await store.usage(sessionID: key.sessionID, userID: key.userID)
    let budget = Budget(.session, limits: limits.session, spent: spent)
    return sessions.withLock { sessions in
      if let known = sessions[key]?.budget { return known }
      if sessions.count >= 2 * max(64, sessions.values.count { $0.budget != nil }) {
        sessions = sessions.filter { $0.value.budget != nil }
      }
      sessions[key] = Weak(budget: budget)
      return budget
    }
  }
}
