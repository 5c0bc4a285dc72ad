// SPDX-License-Identifier: Apache-2.0
import Metrics
import Synchronization
import Telemetry

/// What became of the spans of traces, as their exporter counts it.
final class SpanCounters: Sendable {
  private let exporter: SpanExporter
  private let exported: Counter
  private let noRoom: Counter
  private let undelivered: Counter
  private let rejected: Counter
  /// How much of it is told.
  private let told = Mutex(SpanExporter.Counters.zero)

  init(_ exporter: SpanExporter, registry: PrometheusRegistry) {
    func dropped(_ reason: String) -> Counter {
      Counter(label: "perigee_spans_dropped_total", dimensions: [("reason", reason)], factory: registry)
    }
    self.exporter = exporter
    exported = Counter(label: "perigee_spans_exported_total", factory: registry)
    (noRoom, undelivered, rejected) = (dropped("no_room"), dropped("undelivered"), dropped("rejected"))
    registry.describe("perigee_spans_exported_total", "Spans of traces that the collector took.")
    registry.describe(
      "perigee_spans_dropped_total",
      "Spans that nobody will see, by reason: no_room in the queue, undelivered, rejected by the collector.")
  }

  /// Tells what was counted since the last time.
  func count() {
    told.withLock { told in
      let now = exporter.counters
      exported.increment(by: now.exported - told.exported)
      noRoom.increment(by: now.droppedUnsent - told.droppedUnsent)
      undelivered.increment(by: now.droppedUndelivered - told.droppedUndelivered)
      rejected.increment(by: now.rejected - told.rejected)
      told = now
    }
  }
}
