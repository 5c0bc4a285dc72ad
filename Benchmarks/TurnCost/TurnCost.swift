// SPDX-License-Identifier: Apache-2.0
// What the audit trail and the metrics take of a chat turn: turncost FOLDER, an empty one for a database. Prints
// processor time in microseconds, the least of some rounds, as JSON.
import Core
import Foundation
import HTTPTypes
import Metrics
import Server
import Storage

@main
enum TurnCost {
  static func main() async throws {
    guard CommandLine.arguments.count == 2 else {
      print("usage: turncost FOLDER")
      exit(2)
    }
    let store = try await SQLiteStore.open(directory: CommandLine.arguments[1], synchronous: .normal)
    let audit = try await least(of: 2_000) { count in
      try await store.record((0..<count).map(entry))
    }
    let registry = PrometheusRegistry()
    let (metrics, tokens) = (ServerMetrics(registry: registry), Counter(label: "tokens", factory: registry))
    let counted = try await least(of: 50_000) { count in
      for _ in 0..<count {
        metrics.answered(.post, route: "/v1/agents/{agent}/chat", status: 200, nanoseconds: 2_000_000)
        metrics.turned(agent: "bench", outcome: "completed", nanoseconds: 1_900_000, trace: nil)
        tokens.increment(by: 600)
        tokens.increment(by: 60)
      }
    }
    print(#"{"audit_us": \#(audit), "metrics_us": \#(counted)}"#)
  }

  /// That a run has ended, as each turn says it.
  private static func entry(_ number: Int) -> AuditEntry {
    let turn = TurnClosing(
      runID: Identifier.randomUUID(), userID: "ada", sessionID: "shopping", messageID: "", status: .completed,
      failure: nil, text: "", steps: [], usage: Usage(inputTokens: 600, outputTokens: 60), state: nil,
      at: Timestamp(milliseconds: Int64(number)))
    return AuditEntry(endOf: turn, agent: "bench", version: "sha256:0f3b8a6c1d92")
  }

  private static func least(
    of count: Int, _ body: @Sendable (Int) async throws -> Void
  ) async throws -> Double {
    var least = Double.infinity
    for _ in 0..<10 {
      let start = processorSeconds
      try await body(count)
      least = min(least, (processorSeconds - start) / Double(count) * 1e6)
    }
    return least
  }

  /// Of all threads: the store has one of its own.
  private static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
