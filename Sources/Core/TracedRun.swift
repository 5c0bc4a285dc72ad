// SPDX-License-Identifier: Apache-2.0
public import Telemetry

/// A run's place in a trace that goes beyond this server.
///
/// Its names are derived from the run's, so that whichever process goes on with it finds the same.
public struct TracedRun: Sendable, Hashable {
  /// The job whose attempt a run is.
  public struct Attempt: Sendable, Hashable {
    public var jobID: String
    /// 1 for the first.
    public var number: Int
  }

  public let runID: String
  /// Of the run's own span.
  public let context: TraceContext
  /// The span of whoever asked, or published the job.
  public let parentID: SpanID?
  public var attempt: Attempt?

  /// - Parameters:
  ///   - parent: Of whoever asked, and then has decided whether the trace is recorded; `nil` = it begins here.
  ///   - sampler: Decides else.
  public init(runID: String, parent: TraceContext?, sampler: Sampler = .standard) {
    self.runID = runID
    let trace = parent?.traceID ?? TraceID(ofRun: runID)
    let span = SpanID(of: runID, in: trace)
    context =
      parent?.with(span, isSampled: parent?.isSampled ?? true)
      ?? TraceContext(traceID: trace, spanID: span, flags: sampler.isSampled(trace) ? .sampled : [])
    parentID = parent?.spanID
  }

  /// The span of one of the run's calls, by its key in the journal.
  public func span(of key: String) -> SpanID { SpanID(of: "\(runID)/\(key)", in: context.traceID) }

  /// What such a call sends along.
  public func context(of key: String) -> TraceContext {
    context.with(span(of: key), isSampled: context.isSampled)
  }
}

/// Whoever is told of runs that have ended, and of what they were part.
public struct RunObserver: Sendable {
  private let sampler: Sampler?
  private let onEnd: @Sendable (_ runID: String, TracedRun?) -> Void

  /// - Parameters:
  ///   - sampler: `nil` = no traces are kept.
  ///   - onEnd: Told of each run that has ended, and of its place where its trace is recorded; what became of it is
  ///     in the store then.
  public init(sampler: Sampler?, onEnd: @escaping @Sendable (_ runID: String, TracedRun?) -> Void) {
    self.sampler = sampler
    self.onEnd = onEnd
  }

  /// - Parameter parent: Of whoever asked; `nil` = the run begins a trace.
  /// - Returns: `nil` where no traces are kept.
  func trace(ofRun id: String, parent: TraceContext?) -> TracedRun? {
    sampler.map { TracedRun(runID: id, parent: parent, sampler: $0) }
  }

  func trace(ofRun id: String, attempt number: Int, of job: Job) -> TracedRun? {
    var trace = trace(ofRun: id, parent: job.trace)
    trace?.attempt = TracedRun.Attempt(jobID: job.id, number: number)
    return trace
  }

  func ended(_ runID: String, _ trace: TracedRun?) {
    onEnd(runID, trace.flatMap { $0.context.isSampled ? $0 : nil })
  }

  func ended(_ run: UnfinishedRun) { ended(run.runID, trace(ofRun: run.runID, parent: run.beginning.trace)) }
}
