// SPDX-License-Identifier: Apache-2.0
import Core
import Crypto
import Logging
import Models
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
  /// How long the last spans may take to be sent when the process stops.
  private static let flush: Duration = .seconds(5)
  private static let timeout: Duration = .seconds(10)

  let sampler: Sampler
  let exporter: SpanExporter
  let runs: EndedRuns<TracedRun>
  private let logger: Logger
  /// `nil` = what was said is not shown.
  private let content: SecretBlotter?

  /// - Returns: `nil` where no collector is configured.
  /// - Throws: ``CommandError`` for what is said of it and cannot be.
  init?(
    _ configuration: Configuration, environment: [String: String], client: HTTPClient, time: SystemTime,
    blotter: SecretBlotter, logger: Logger
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
      sampler = try Sampler(
        named: environment["OTEL_TRACES_SAMPLER"], argument: environment["OTEL_TRACES_SAMPLER_ARG"])
    } catch let error as TelemetryError {
      throw CommandError(message: error.message, hint: error.hint ?? "see docs/observability.md")
    }
    runs = EndedRuns(time: time)
    content = configuration.telemetry.content ? blotter : nil
    self.logger = logger
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

  /// Reads what ended runs did, and sends all spans, until ``runs`` are stopped; then what is left, if there is time.
  func export(_ host: Host) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.exporter.run() }
      await runs.read { await show($0, host) }
      await exporter.finish(within: Self.flush)
      group.cancelAll()
    }
  }

  private func show(_ run: TracedRun, _ host: Host) async {
    do {
      let trace = RunTrace(
        run: try await host.store.run(id: run.runID, visibleTo: .everyone),
        journal: try await host.store.journal(ofRun: run.runID))
      // Of a run that was given up the scripts may be what is missing.
      let agents = try? await host.workspace.host(ofVersion: trace.run.version).agents
      exporter.add(
        trace.spans(
          of: run, agents: agents ?? [:], models: host.configuration.models.default,
          providers: host.configuration.providers, content: content))
    } catch {
      logger.warning("a run cannot be shown in its trace: \(error)", metadata: ["run": "\(run.runID)"])
    }
  }
}

/// Shows requests, runs and jobs for as long as the other services work.
struct ExportingTraces: Service {
  let tracing: Tracing
  let host: Host

  func run() async {
    await withGracefulShutdownHandler {
      await tracing.export(host)
    } onGracefulShutdown: {
      tracing.runs.stop()
    }
  }
}
