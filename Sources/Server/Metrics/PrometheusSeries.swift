// SPDX-License-Identifier: Apache-2.0
import Core
import Metrics
import Synchronization
import Telemetry

/// The samples of one name with one set of labels.
protocol PrometheusSeries: AnyObject, Sendable {
  func write(name: String, labels: String, as format: MetricsFormat, to text: inout String)
}

/// A counter or a gauge.
final class PrometheusNumber: PrometheusSeries, CounterHandler, FloatingPointCounterHandler, MeterHandler,
  RecorderHandler
{
  private let value = Mutex(0.0)

  func increment(by amount: Int64) { value.withLock { $0 += Double(amount) } }
  func increment(by amount: Double) { value.withLock { $0 += amount } }
  func decrement(by amount: Double) { value.withLock { $0 -= amount } }
  func set(_ amount: Int64) { value.withLock { $0 = Double(amount) } }
  func set(_ amount: Double) { value.withLock { $0 = amount } }
  func record(_ amount: Int64) { set(amount) }
  func record(_ amount: Double) { set(amount) }
  func reset() { set(0.0) }

  func write(name: String, labels: String, as format: MetricsFormat, to text: inout String) {
    let value = value.withLock { $0 }
    let braces = labels.isEmpty ? "" : "{\(labels)}"
    text += "\(name)\(braces) \(PrometheusRegistry.number(value))\n"
  }
}

/// A histogram with fixed buckets.
final class PrometheusHistogram: PrometheusSeries, TimerHandler, RecorderHandler {
  /// From a cache hit to the longest run that is allowed by default.
  static let seconds = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
  ]
  /// For amounts of any unit.
  static let amounts = (0...12).map { Double(1 << (2 * $0)) }

  private struct State {
    /// One more than there are bounds: the last is for what exceeds them all.
    var counts: [UInt64]
    var sum = 0.0
    /// As many, or none.
    var exemplars: [Exemplar?] = []
  }

  /// A measurement whose trace is recorded.
  private struct Exemplar {
    let trace: TraceID
    let value: Double
    let at: Timestamp?

    /// Source: OpenMetrics 1.0, "Exemplars".
    var text: String {
      let at = at.map { " \(PrometheusRegistry.number(Double($0.milliseconds) / 1000))" } ?? ""
      return " # {trace_id=\"\(trace.hex)\"} \(PrometheusRegistry.number(value))\(at)"
    }
  }

  private let now: @Sendable () -> Timestamp?
  private let bounds: [Double]
  private let state: Mutex<State>

  /// - Parameters:
  ///   - bounds: Upper bounds, ascending.
  ///   - now: When an exemplar was measured; `nil` = that is not said.
  init(bounds: [Double], now: @escaping @Sendable () -> Timestamp? = { nil }) {
    self.bounds = bounds
    self.now = now
    state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
  }

  func record(_ value: Double) {
    let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
    let exemplar = TraceContext.measured.map { Exemplar(trace: $0.traceID, value: value, at: now()) }
    state.withLock { state in
      state.counts[bucket] += 1
      state.sum += value
      guard let exemplar else { return }
      if state.exemplars.isEmpty { state.exemplars = Array(repeating: nil, count: state.counts.count) }
      state.exemplars[bucket] = exemplar
    }
  }

  func record(_ value: Int64) { record(Double(value)) }
  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

  func write(name: String, labels: String, as format: MetricsFormat, to text: inout String) {
    let (counts, sum, exemplars) = state.withLock { ($0.counts, $0.sum, $0.exemplars) }
    let prefix = labels.isEmpty ? "" : "\(labels),"
    var total: UInt64 = 0
    for (bucket, count) in counts.enumerated() {
      total += count
      let bound = format.bound(bucket < bounds.count ? bounds[bucket] : .infinity)
      text += "\(name)_bucket{\(prefix)le=\"\(bound)\"} \(total)"
      if format == .openMetrics, !exemplars.isEmpty { text += exemplars[bucket]?.text ?? "" }
      text += "\n"
    }
    let braces = labels.isEmpty ? "" : "{\(labels)}"
    text += "\(name)_sum\(braces) \(PrometheusRegistry.number(sum))\n\(name)_count\(braces) \(total)\n"
  }
}
