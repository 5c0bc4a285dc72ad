// SPDX-License-Identifier: Apache-2.0

/// How metrics are written down.
enum MetricsFormat: Sendable {
  /// Source: prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4.
  case prometheus
  /// With exemplars. Source: OpenMetrics 1.0.
  case openMetrics

  /// What the client prefers of the two; Prometheus' own where it does not care.
  ///
  /// - Parameter accept: Its `Accept`. Source: RFC 9110, 12.5.1.
  init(accept: String?) {
    var (open, other) = (0.0, 0.0)
    for member in (accept ?? "").lowercased().split(separator: ",") {
      let parts = member.split(separator: ";").map { String($0.filter { $0 != " " && $0 != "\t" }) }
      let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
      let version = parts.dropFirst().first { $0.hasPrefix("version=") }
      switch parts.first {
      case "application/openmetrics-text" where version == nil || version == "version=1.0.0":
        open = max(open, quality)
      case "text/plain", "text/*", "*/*": other = max(other, quality)
      default: break
      }
    }
    self = open > 0 && open >= other ? .openMetrics : .prometheus
  }

  var contentType: String {
    switch self {
    case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
    case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
    }
  }

  /// What the metric is called, and what each of its samples begins with.
  ///
  /// OpenMetrics calls a counter what it counts, and its sample that and `_total`.
  func names(_ name: String, isCounter: Bool) -> (metric: String, sample: String) {
    guard self == .openMetrics, isCounter else { return (name, name) }
    let suffix = "_total"
    let metric = name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name
    return (metric, metric + suffix)
  }

  /// The upper bound of a bucket, which is a label: in OpenMetrics a whole number has a fraction, too.
  func bound(_ value: Double) -> String {
    self == .openMetrics && value.isFinite ? "\(value)" : PrometheusRegistry.number(value)
  }
}
