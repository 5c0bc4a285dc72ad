// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

@Suite("Formats of /metrics", .timeLimit(.minutes(5)))
struct MetricsFormatTests {
  @Test(
    "OpenMetrics has exemplars of the traces that the collector got, and of no others; the text has what it had",
    .enabled(if: PythonTests.isThere))
  func formats() async throws {
    let collector = try ScriptedProvider { _ in .json([:]) }
    let provider = try ScriptedProvider { _ in .completion("Well.") }
    let workspace = try Folder(["agents/a.lua": "return { prompt = 'p' }"])
    let data = try Folder()
    let server = try await RunningServer(
      workspace: workspace.path, data: data.path,
      environment: [
        "OPENAI_API_KEY": "sk-hidden", "OPENAI_BASE_URL": provider.baseURL,
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:\(collector.port)",
      ])
    // The last one is not recorded, and no example of anything.
    for flags in ["01", "00"] {
      let trace = flags == "01" ? "0af7651916cd43dd8448eb211c80319c" : "1af7651916cd43dd8448eb211c80319c"
      let answer = try await server.send(
        "POST", "/v1/agents/a/chat", body: RawJSON(["message": "hi"]).bytes,
        headers: [("traceparent", "00-\(trace)-b7ad6b7169203331-\(flags)")])
      #expect(answer.status == 200)
    }
    try await waitWhile { try await !server.get("/metrics").text.contains("\nconversations_total 2\n") }
    let outcome = try await PythonTests.run(
      "test_formats", in: "metrics",
      environment: [
        "METRICS_URL": server.origin + "/metrics", "TRACES": "0af7651916cd43dd8448eb211c80319c",
      ])
    await server.stop()
    #expect(outcome.status == 0, "\(outcome.errors) \(outcome.output)")
    #expect(outcome.errors.contains("Ran 2 tests"))
    let traces = Set(try TracingTests.spans(collector).compactMap { $0["traceId"]?.string })
    #expect(traces == ["0af7651916cd43dd8448eb211c80319c"])
  }
}
