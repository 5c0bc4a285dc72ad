// SPDX-License-Identifier: Apache-2.0
import Core
import Crypto
import Logging
import ServiceLifecycle
import Settings
import Storage
import Telemetry
import Transport
import Workspace

/// Shows requests and runs to a collector of OpenTelemetry.
///
/// What a run did is read from its journal once it has ended: it costs the run nothing, and a run that went on after a
/// crash is shown as one.
final class Tracing: Sendable {
  /// Runs that may wait to be read; then the oldest are not shown.
  private static let runsMax = 4096
  /// How long the last spans may take to be sent when the server stops.
  fileprivate static let flush: Duration = .seconds(5)
  private static let timeout: Duration = .seconds(10)

  let exporter: SpanExporter
  fileprivate let runs: AsyncStream<TracedRun>
  fileprivate let ended: AsyncStream<TracedRun>.Continuation

  /// - Returns: `nil` where no collector is configured.
  /// - Throws: ``CommandError`` for what is said of it and cannot be.
  init?(
    _ configuration: Configuration, environment: [String: String], client: HTTPClient, time: SystemTime,
    logger: Logger
  ) throws {
    guard let base = configuration.telemetry.otlpEndpoint else { return nil }
    let (endpoint, headers, resource): (OTLPEndpoint, OTLPHeaders, Resource)
    do {
      let traces = environment["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
      endpoint =
        try traces.map { text throws(TelemetryError) in try OTLPEndpoint(traces: text) }
        ?? OTLPEndpoint(base: base)
      headers = try OTLPHeaders(parsing: environment["OTEL_EXPORTER_OTLP_HEADERS"] ?? "")
      resource = try Resource(
        serviceVersion: Perigee.version, instanceID: Identifier.randomUUID(),
        environmentAttributes: environment["OTEL_RESOURCE_ATTRIBUTES"],
        environmentServiceName: environment["OTEL_SERVICE_NAME"])
    } catch let error as TelemetryError {
      throw CommandError(message: error.message, hint: error.hint ?? "see docs/observability.md")
    }
    (runs, ended) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.runsMax))
    let fields = [("content-type", OTLP.contentType)] + headers.headers.map { ($0.name, $0.value) }
    exporter = SpanExporter(
      resource: resource, scope: OTLP.Scope(version: Perigee.version),
      clock: SpanExporter.Clock(elapsed: { time.elapsed }, sleep: { try await time.sleep(for: $0) }),
      onProblem: { logger.warning("traces: \($0)") },
      send: { body in
        var request = HTTPRequest(
          method: "POST", url: endpoint.url, headers: fields, timeout: Self.timeout,
          responseBytesMax: 64 << 10)
        request.body = HTTPBody(body)
        let response = try await client.send(request)
        return SpanExporter.Response(
          status: response.status, retryAfterSeconds: response.headers["retry-after"].flatMap { Int($0) },
          body: response.body)
      })
  }

  /// A run has ended; for its runner.
  func ended(_ run: TracedRun) { ended.yield(run) }
}

/// Reads what ended runs did, and sends all spans.
struct ExportingTraces: Service {
  let tracing: Tracing
  let host: Host
  let logger: Logger

  func run() async throws {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await tracing.exporter.run() }
      group.addTask {
        for await run in tracing.runs { await show(run) }
      }
      try? await gracefulShutdown()
      tracing.ended.finish()
      group.addTask { try? await host.time.sleep(for: Tracing.flush) }
      // The loop reads what is left, if there is time; then the rest is sent.
      _ = await group.next()
      await tracing.exporter.finish(within: Tracing.flush)
      group.cancelAll()
    }
  }

  private func show(_ run: TracedRun) async {
    do {
      let trace = RunTrace(
        run: try await host.store.run(id: run.runID, visibleTo: .everyone),
        journal: try await host.store.journal(ofRun: run.runID))
      let agents = try await host.workspace.host(ofVersion: trace.run.version).agents
      tracing.exporter.add(
        trace.spans(
          of: run, agents: agents, models: host.configuration.models.default,
          providers: host.configuration.providers, withContent: host.configuration.telemetry.content))
    } catch {
      logger.warning("a run cannot be shown in its trace: \(error)", metadata: ["run": "\(run.runID)"])
    }
  }
}
