// SPDX-License-Identifier: Apache-2.0
import Metrics
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
