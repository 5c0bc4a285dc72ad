// SPDX-License-Identifier: Apache-2.0
public import Telemetry

/// A run's place in a trace that goes beyond this server.
///
/// Its names are derived from the run's, so that whichever process goes on with it finds the same.
public struct TracedRun: Sendable, Hashable {
  public let runID: String
  /// Of the run's own span.
  public let context: TraceContext
  /// The span of whoever asked.
  public let parentID: SpanID?

  /// - Parameter parent: Of whoever asked; `nil` = the trace begins here.
  public init(runID: String, parent: TraceContext?) {
    self.runID = runID
    let trace = parent?.traceID ?? TraceID(ofRun: runID)
    let span = SpanID(of: runID, in: trace)
    context =
      parent?.with(span, isSampled: parent?.isSampled ?? true) ?? TraceContext(traceID: trace, spanID: span)
    parentID = parent?.spanID
  }

  /// The span of one of the run's calls, by its key in the journal.
  public func span(of key: String) -> SpanID { SpanID(of: "\(runID)/\(key)", in: context.traceID) }

  /// What such a call sends along.
  public func context(of key: String) -> TraceContext {
    context.with(span(of: key), isSampled: context.isSampled)
  }
}
