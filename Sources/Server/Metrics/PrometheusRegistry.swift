// SPDX-License-Identifier: Apache-2.0
public import Core
public import Metrics
import Synchronization

/// Keeps metrics in memory and writes them in the Prometheus text format, or that of OpenMetrics.
///
/// Counters and meters are counters and gauges; timers, and recorders that aggregate, are histograms with
/// fixed buckets, timers in seconds.
/// Source: prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4.
public final class PrometheusRegistry: MetricsFactory {
  /// Label sets that one name may have; what comes after is counted nowhere, so that labels cannot fill memory.
  public static let seriesMax = 2_000

  enum Kind: String {
    case counter, gauge, histogram
  }

  private struct Family {
    let kind: Kind
    /// By the text of their labels.
    var series: [String: any PrometheusSeries] = [:]
  }

  private struct State {
    var families: [String: Family] = [:]
    var help: [String: String] = [:]
  }

  private let state = Mutex(State())
  private let now: @Sendable () -> Timestamp?

  /// - Parameter time: Says when exemplars were measured; `nil` = that is not said.
  public init(time: (any TimeSource)? = nil) { now = { time?.now } }

  /// Sets the help line of a metric.
  public func describe(_ name: String, _ help: String) {
    state.withLock { $0.help[Self.name(name)] = help }
  }

  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    series(label, dimensions, .counter) { PrometheusNumber() }
  }

  public func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    series(label, dimensions, .counter) { PrometheusNumber() }
  }

  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    series(label, dimensions, .gauge) { PrometheusNumber() }
  }

  public func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    guard aggregate else { return series(label, dimensions, .gauge) { PrometheusNumber() } }
    return series(label, dimensions, .histogram) {
      PrometheusHistogram(bounds: PrometheusHistogram.amounts, now: now)
    }
  }

  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    series(label, dimensions, .histogram) {
      PrometheusHistogram(bounds: PrometheusHistogram.seconds, now: now)
    }
  }

  // A series lives as long as the registry: its sum must not fall when a handle is dropped.
  public func destroyCounter(_ handler: any CounterHandler) {}
  public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
  public func destroyMeter(_ handler: any MeterHandler) {}
  public func destroyRecorder(_ handler: any RecorderHandler) {}
  public func destroyTimer(_ handler: any TimerHandler) {}

  /// Finds or makes one series; a name that is already of another kind gets one that is never written.
  private func series<Series: PrometheusSeries>(
    _ label: String, _ dimensions: [(String, String)], _ kind: Kind, make: () -> Series
  ) -> Series {
    let name = Self.name(label)
    let labels = Self.labels(dimensions)
    return state.withLock { state in
      var family = state.families.removeValue(forKey: name) ?? Family(kind: kind)
      defer { state.families[name] = family }
      if let known = family.series[labels] as? Series { return known }
      let made = make()
      if family.kind == kind, family.series.count < Self.seriesMax { family.series[labels] = made }
      return made
    }
  }

  /// Leaves out every series with that label: whoever reads finds that it has ended.
  func forget(_ label: String, _ value: String) {
    let pair = Self.labels([(label, value)])
    state.withLock { state in
      for (name, family) in state.families {
        let left = family.series.filter { !$0.key.split(separator: ",").contains(pair[...]) }
        if left.count < family.series.count { state.families[name]?.series = left }
      }
    }
  }

  /// Writes every metric, in the order of names and labels.
  func text(as format: MetricsFormat = .prometheus) -> String {
    let (families, help) = state.withLock { ($0.families, $0.help) }
    var text = ""
    for (name, family) in families.sorted(by: { $0.key < $1.key }) {
      let (metric, sample) = format.names(name, isCounter: family.kind == .counter)
      if let help = help[name] {
        text += "# HELP \(metric) \(Self.escape(help, quotes: format == .openMetrics))\n"
      }
      text += "# TYPE \(metric) \(family.kind.rawValue)\n"
      for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
        series.write(name: sample, labels: labels, as: format, to: &text)
      }
    }
    if format == .openMetrics { text += "# EOF\n" }
    return text
  }
}

// MARK: Names and labels

extension PrometheusRegistry {
  /// A name of letters, digits, `_` and `:` that does not begin with a digit.
  static func name(_ label: String) -> String { identifier(label, allowingColon: true) }

  private static func identifier(_ text: String, allowingColon: Bool) -> String {
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      let isLetter = ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
      let isDigit = ("0"..."9").contains(scalar)
      if isDigit, scalars.isEmpty { scalars.append("_") }
      scalars.append(isLetter || isDigit || (allowingColon && scalar == ":") ? scalar : "_")
    }
    return scalars.isEmpty ? "_" : String(scalars)
  }

  /// `a="1",b="2"`; empty without dimensions.
  static func labels(_ dimensions: [(String, String)]) -> String {
    dimensions.map { "\(identifier($0.0, allowingColon: false))=\"\(escape($0.1, quotes: true))\"" }
      .joined(separator: ",")
  }

  static func escape(_ text: String, quotes: Bool) -> String {
    var escaped = ""
    escaped.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": escaped += "\\\\"
      case "\n": escaped += "\\n"
      case "\"" where quotes: escaped += "\\\""
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  /// A sample's value: whole numbers without a fraction, infinity as Prometheus writes it.
  static func number(_ value: Double) -> String {
    if let whole = Int64(exactly: value) { return String(whole) }
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return "\(value)"
  }
}
