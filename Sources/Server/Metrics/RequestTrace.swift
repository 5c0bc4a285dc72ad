// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import Hummingbird
import Telemetry

/// A request's place in its caller's trace, or at the root of one of its own.
///
/// Source: OpenTelemetry semantic conventions, HTTP spans.
struct RequestTrace: Sendable {
  let context: TraceContext
  private let parentID: SpanID?
  private let startedAt: Timestamp
  private let name: String
  private let attributes: Attributes

  /// - Returns: `nil` for what nobody looks for in traces: probes, pages, paths that there are not.
  init?(_ request: Request, _ match: RouteTable.Match, sampler: Sampler, at now: Timestamp) {
    guard case .route(let route, _) = match else { return nil }
    if case .open = route.access { return nil }
    let parent = request.headers[.traceparent].flatMap {
      TraceContext(traceparent: $0, tracestate: request.headers[.tracestate])
    }
    guard let span = SpanID(Identifier.randomNumber()),
      let trace = parent?.traceID
        ?? TraceID(high: Identifier.randomNumber(), low: Identifier.randomNumber())
    else { return nil }
    context =
      (parent ?? TraceContext(traceID: trace, spanID: span))
      .with(span, isSampled: sampler.isSampled(trace, parent: parent))
    parentID = parent?.spanID
    startedAt = now
    name = "\(route.method.rawValue) \(route.template)"
    attributes = [
      "http.request.method": .string(route.method.rawValue), "http.route": .string(route.template),
      "url.path": .string(request.uri.path),
    ]
  }

  /// Hands the span out once the answer is whole, which a stream's is at its end.
  func end(
    _ reply: inout Reply, _ problem: Problem?, after nanoseconds: Int64,
    _ onSpan: @escaping @Sendable (Span) -> Void
  ) {
    guard context.isSampled else { return }
    var span = Span(
      name, kind: .server, traceID: context.traceID, spanID: context.spanID, parentID: parentID,
      start: startedAt.milliseconds * 1_000_000, end: startedAt.milliseconds * 1_000_000 + nanoseconds,
      attributes: attributes)
    span.isParentRemote = parentID != nil
    span.traceState = context.traceState
    span.attributes["http.response.status_code"] = .int(Int64(reply.status.code))
    if let problem, reply.status.code >= 500 {
      // Not its message: a script may have put anything into that.
      let known = Failure.Code(rawValue: problem.code)
      let code = known.isKnown ? known.rawValue : "\(reply.status.code)"
      span.attributes["error.type"] = .string(code)
      span.status = .error(code)
    }
    guard let stream = reply.stream else { return onSpan(span) }
    let (start, clock, whole) = (span.startUnixNanoseconds, ContinuousClock.now, span)
    reply.stream = { writer, requestID in
      defer {
        var span = whole
        span.endUnixNanoseconds = start + nanoseconds + (ContinuousClock.now - clock).nanoseconds
        onSpan(span)
      }
      try await stream(&writer, requestID)
    }
  }
}
