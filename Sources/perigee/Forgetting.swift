// SPDX-License-Identifier: Apache-2.0
import Core
import Logging
import ServiceLifecycle
import Settings
import Storage

/// Forgets what is older than the configuration allows: events, sessions, runs and the audit trail.
struct Forgetting: Service {
  let host: Host
  let logger: Logger

  private static let eventsInterval = Duration.seconds(60)
  /// Between looks through all sessions.
  private static let dataInterval = Duration.seconds(3600)
  /// Between two portions, for who writes beside it.
  private static let pause = Duration.milliseconds(50)

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await forgetEvents() }
        group.addTask { await forgetData() }
      }
    }
    // A service that returns would end the others.
    try? await gracefulShutdown()
  }

  private func forgetEvents() async {
    let kept = Duration.seconds(86_400) * host.configuration.events.keepDays
    await forget(each: Self.eventsInterval, "old events") {
      try await host.store.forgetEvents(before: host.time.now + (.zero - kept))
    }
  }

  private func forgetData() async {
    let retention = host.configuration.retention
    let days = retention.days > 0 ? Duration.seconds(86_400) * retention.days : nil
    let hours = retention.sessionHours.map { Duration.seconds(3600) * $0 }
    guard let sessionLife = [days, hours].compactMap({ $0 }).min() else { return }
    await forget(each: Self.dataInterval, "old sessions, runs and entries of the audit trail") {
      let now = host.time.now
      let end = days.map { now + (.zero - $0) }
      var count = try await host.store.forgetSessions(
        before: now + (.zero - sessionLife), loneRunsBefore: end, at: now)
      guard let end else { return count }
      if count == 0 { count = try await host.store.forgetChannelMessages(before: end) }
      return count > 0 ? count : try await host.store.forgetAudit(before: end, at: now)
    }
  }

  private func forget(each interval: Duration, _ what: String, _ portion: () async throws -> Int) async {
    while !Task.isCancelled {
      do {
        while try await portion() > 0 { try await host.time.sleep(for: Self.pause) }
      } catch is CancellationError {
        return
      } catch {
        logger.warning("\(what) cannot be forgotten", metadata: ["error": .string("\(error)")])
      }
      try? await host.time.sleep(for: interval)
    }
  }
}
