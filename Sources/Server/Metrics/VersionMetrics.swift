// SPDX-License-Identifier: Apache-2.0
import Core
import Metrics
import Synchronization

/// What came of each version of the scripts, and what people think of it.
///
/// Each edit is a version: a few are told apart, and the one that was not heard of for longest goes for a new one.
package final class VersionMetrics: Sendable {
  static let versionsMax = 20

  enum Outcome: String {
    case completed, failed, cancelled
  }

  private struct Turns: Hashable {
    let agent: String
    let outcome: Outcome
  }

  private struct Scores {
    let count: Counter
    let sum: Meter
  }

  private struct Instruments {
    var turns: [Turns: Counter] = [:]
    var scores: [String: Scores] = [:]
    var lastUse = 0
  }

  private struct State {
    var versions: [String: Instruments] = [:]
    var uses = 0
  }

  private let registry: PrometheusRegistry
  private let state = Mutex(State())

  init(registry: PrometheusRegistry) {
    self.registry = registry
    for (name, help) in [
      (
        "perigee_version_turns_total",
        "Chat turns, by agent, version of the scripts and outcome: completed, failed, cancelled."
      ), ("perigee_feedback_total", "Judgements of runs by people, by agent and version of the scripts."),
      (
        "perigee_feedback_score_sum",
        "Sum of the scores of these judgements, -1 to 1 each, by agent and version of the scripts."
      ),
    ] { registry.describe(name, help) }
  }

  func turned(agent: String, version: String, _ outcome: Outcome) {
    let key = Turns(agent: agent, outcome: outcome)
    with(version) { instruments in
      if let counter = instruments.turns[key] { return counter }
      let counter = Counter(
        label: "perigee_version_turns_total",
        dimensions: [("agent", agent), ("version", version), ("outcome", outcome.rawValue)],
        factory: registry)
      instruments.turns[key] = counter
      return counter
    }.increment()
  }

  func judged(_ feedback: Feedback) {
    let scores = with(feedback.version) { instruments in
      if let scores = instruments.scores[feedback.agent] { return scores }
      let labels = [("agent", feedback.agent), ("version", feedback.version)]
      let scores = Scores(
        count: Counter(label: "perigee_feedback_total", dimensions: labels, factory: registry),
        sum: Meter(label: "perigee_feedback_score_sum", dimensions: labels, factory: registry))
      instruments.scores[feedback.agent] = scores
      return scores
    }
    scores.count.increment()
    scores.sum.increment(by: feedback.score)
  }

  private func with<Value>(_ version: String, _ body: (inout Instruments) -> Value) -> Value {
    state.withLock { state in
      var instruments = state.versions.removeValue(forKey: version) ?? Instruments()
      if state.versions.count >= Self.versionsMax,
        let oldest = state.versions.min(by: { $0.value.lastUse < $1.value.lastUse })?.key
      {
        state.versions[oldest] = nil
        registry.forget("version", oldest)
      }
      state.uses += 1
      instruments.lastUse = state.uses
      defer { state.versions[version] = instruments }
      return body(&instruments)
    }
  }
}
