// SPDX-License-Identifier: Apache-2.0
import Core
import Metrics
import Telemetry
import Testing

@testable import Server

@Suite("Prometheus text", .timeLimit(.minutes(5)))
struct PrometheusRegistryTests {
  private let registry = PrometheusRegistry()

  @Test("a counter is written with its help, type and escaped labels")
  func counter() {
    registry.describe("jobs_total", "Jobs\ndone \\ \"now\".")
    Counter(label: "jobs_total", dimensions: [("na-me", "a\"b\\c\nd")], factory: registry).increment(by: 3)
    #expect(
      registry.text() == """
        # HELP jobs_total Jobs\\ndone \\\\ "now".
        # TYPE jobs_total counter
        jobs_total{na_me="a\\"b\\\\c\\nd"} 3

        """)
  }

  @Test("two handles of one series count together")
  func shared() {
    for _ in 0..<2 { Counter(label: "a", dimensions: [("x", "1")], factory: registry).increment() }
    #expect(registry.text().hasSuffix("a{x=\"1\"} 2\n"))
  }

  @Test("a timer is a histogram in seconds whose buckets add up")
  func timer() {
    let timer = Timer(label: "t_seconds", factory: registry)
    for milliseconds in [1, 40, 400_000] { timer.recordMilliseconds(milliseconds) }
    let lines = registry.text().split(separator: "\n")
    #expect(lines.first == "# TYPE t_seconds histogram")
    for line in [
      "t_seconds_bucket{le=\"0.001\"} 1", "t_seconds_bucket{le=\"0.05\"} 2", "t_seconds_bucket{le=\"300\"} 2",
      "t_seconds_bucket{le=\"+Inf\"} 3", "t_seconds_sum 400.041", "t_seconds_count 3",
    ] { #expect(lines.contains(line[...]), "\(line)") }
  }

  @Test("a meter goes up and down")
  func meter() {
    let meter = Meter(label: "g", factory: registry)
    meter.set(5)
    meter.decrement()
    #expect(registry.text() == "# TYPE g gauge\ng 4\n")
  }

  @Test("a name is of one kind only")
  func kinds() {
    Counter(label: "a", factory: registry).increment()
    Timer(label: "a", factory: registry).recordSeconds(1)
    #expect(registry.text() == "# TYPE a counter\na 1\n")
  }

  @Test("a name that Prometheus would refuse is mended")
  func names() {
    Counter(label: "9 lives.now", factory: registry).increment()
    #expect(registry.text() == "# TYPE _9_lives_now counter\n_9_lives_now 1\n")
  }

  @Test("labels cannot fill the memory")
  func cap() {
    for number in 0..<(PrometheusRegistry.seriesMax + 5) {
      Counter(label: "a", dimensions: [("n", "\(number)")], factory: registry).increment()
    }
    #expect(registry.text().split(separator: "\n").count == PrometheusRegistry.seriesMax + 1)
  }
}

@Suite("OpenMetrics", .timeLimit(.minutes(5)))
struct OpenMetricsTests {
  private struct StandingTime: TimeSource {
    let now = Timestamp(milliseconds: 1_700_000_000_250)
    let elapsed = Duration.zero
    func sleep(for duration: Duration) async throws {}
  }

  private let registry = PrometheusRegistry(time: StandingTime())

  @Test("a counter is called what it counts, its sample has _total, and the end is said")
  func counter() {
    registry.describe("jobs_total", "Jobs \"done\".")
    Counter(label: "jobs_total", factory: registry).increment()
    Counter(label: "odd", factory: registry).increment(by: 2)
    Meter(label: "rooms_total_now", factory: registry).set(3)
    #expect(
      registry.text(as: .openMetrics) == """
        # HELP jobs Jobs \\"done\\".
        # TYPE jobs counter
        jobs_total 1
        # TYPE odd counter
        odd_total 2
        # TYPE rooms_total_now gauge
        rooms_total_now 3
        # EOF

        """)
  }

  @Test("a bucket has the last measurement whose trace is recorded, and the text format has none")
  func exemplars() throws {
    let timer = Timer(label: "t_seconds", factory: registry)
    let trace = try #require(TraceID(high: 1, low: 2))
    let context = TraceContext(traceID: trace, spanID: SpanID(of: "s", in: trace))
    let other = try #require(TraceID(high: 3, low: 4))
    context.measuring { timer.recordMilliseconds(40) }
    TraceContext(traceID: other, spanID: SpanID(of: "s", in: other)).measuring {
      timer.recordMilliseconds(45)
    }
    context.measuring { timer.recordSeconds(400) }
    context.with(context.spanID, isSampled: false).measuring { timer.recordMilliseconds(1) }
    timer.recordMilliseconds(2)
    let lines = registry.text(as: .openMetrics).split(separator: "\n")
    #expect(
      lines.filter { $0.contains(" # ") } == [
        #"t_seconds_bucket{le="0.05"} 4 # {trace_id="00000000000000030000000000000004"} 0.045 1700000000.25"#,
        #"t_seconds_bucket{le="+Inf"} 5 # {trace_id="00000000000000010000000000000002"} 400 1700000000.25"#,
      ])
    #expect(lines.contains(#"t_seconds_bucket{le="1.0"} 4"#))
    #expect(!registry.text().contains(" # "))
    #expect(registry.text().contains("t_seconds_bucket{le=\"1\"} 4\n"))
  }

  @Test(
    "the format is what the client prefers",
    arguments: [
      (nil, false), ("", false), ("*/*", false), ("text/plain;version=0.0.4", false),
      ("application/openmetrics-text", true), ("Application/OpenMetrics-Text; Version=1.0.0", true),
      ("application/openmetrics-text;version=0.0.1", false), ("application/openmetrics-text;q=0", false),
      ("application/openmetrics-text;q=0.5,text/plain;q=0.9", false),
      ("text/plain;q=0.5, application/openmetrics-text;q=0.9", true), ("application/json", false),
    ] as [(String?, Bool)])
  func accept(header: String?, isOpen: Bool) {
    #expect(MetricsFormat(accept: header) == (isOpen ? .openMetrics : .prometheus))
  }
}

@Suite("Queries", .timeLimit(.minutes(5)))
struct QueryTests {
  @Test(
    "pairs are decoded",
    arguments: [
      ("a=1&b=%20+x", ["a:1", "b:  x"]), ("a", ["a:"]), ("a=b=c&&", ["a:b=c"]), ("%zz=%", ["%zz:%"]),
    ])
  func pairs(text: String, expected: [String]) {
    #expect(Query.parse(text).map { "\($0.name):\($0.value)" } == expected)
  }
}
