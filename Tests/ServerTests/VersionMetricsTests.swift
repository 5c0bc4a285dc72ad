// SPDX-License-Identifier: Apache-2.0
import Core
import Testing

@testable import Server

@Suite("Metrics by version")
struct VersionMetricsTests {
  private let registry = PrometheusRegistry()

  private func versions(_ name: String) -> Set<Substring> {
    Set(
      registry.text().split(separator: "\n").filter { $0.hasPrefix(name) }
        .compactMap { $0.firstMatch(of: /version="([^"]*)"/)?.output.1 })
  }

  @Test("a version that was not heard of for longest goes with all it has when there are too many")
  func bounded() {
    let metrics = VersionMetrics(registry: registry)
    let max = VersionMetrics.versionsMax
    for number in 1...max {
      metrics.turned(agent: "a", version: "v\(number)", .completed)
      metrics.judged(feedback("v\(number)", 0.5))
    }
    // Heard of again: the second one goes.
    metrics.judged(feedback("v1", -1))
    metrics.turned(agent: "b", version: "new", .failed)
    let left = Set((1...max).filter { $0 != 2 }.map { "v\($0)"[...] })
    #expect(versions("perigee_version_turns_total") == left.union(["new"]))
    #expect(versions("perigee_feedback_total") == left)
    #expect(versions("perigee_feedback_score_sum") == left)
    let lines = registry.text().split(separator: "\n")
    #expect(lines.contains(#"perigee_feedback_total{agent="a",version="v1"} 2"#))
    #expect(lines.contains(#"perigee_feedback_score_sum{agent="a",version="v1"} -0.5"#))
    // It counts anew.
    metrics.turned(agent: "a", version: "v2", .completed)
    #expect(
      registry.text().contains(
        "perigee_version_turns_total{agent=\"a\",version=\"v2\",outcome=\"completed\"} 1\n"))
  }

  private func feedback(_ version: String, _ score: Double) -> Feedback {
    Feedback(
      runID: "r", userID: "u", agent: "a", version: version, score: score, comment: nil,
      at: Timestamp(milliseconds: 1))
  }
}
