// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// How two versions of the scripts fared with the same cases.
public struct EvalComparison: Sendable {
  /// A case that came out otherwise.
  public struct Change: Sendable {
    public let evalCase: EvalCase
    public let before: CaseResult.Status
    public let after: CaseResult.Status

    /// Whether it was as expected and is not any more.
    public var isWorse: Bool { before == .ok && after == .failed }
  }

  /// Of the version that is held against the other.
  public let baseline: EvalReport
  public let changes: [Change]

  /// - Parameter baseline: Of the same cases, in the same order.
  public init(of report: EvalReport, against baseline: EvalReport) {
    self.baseline = baseline
    changes = zip(baseline.results, report.results).compactMap { before, after in
      before.status == after.status
        ? nil : Change(evalCase: after.evalCase, before: before.status, after: after.status)
    }
  }

  /// A line on the other version, and one for each case that came out otherwise.
  public var lines: [[Span]] {
    let head = [Span("against \(baseline.version): ")] + baseline.summary
    if changes.isEmpty { return [head, [Span("  every case came out the same", .aside)]] }
    return [head]
      + changes.map { change in
        [
          Span("  \(change.isWorse ? "worse" : "other"): ", change.isWorse ? .bad : .doubtful),
          Span(
            "\(change.evalCase.place.file): \(change.evalCase.name): \(change.before.rawValue) there, \(change.after.rawValue) here"
          ),
        ]
      }
  }

  func write(to writer: inout JSONWriter) {
    writer.member("version", baseline.version)
    writer.key("summary")
    writer.object { baseline.writeSummary(to: &$0) }
    writer.key("changes")
    writer.array { list in
      for change in changes {
        list.object {
          $0.member("name", change.evalCase.name)
          $0.member("file", change.evalCase.place.file)
          $0.member("before", change.before.rawValue)
          $0.member("after", change.after.rawValue)
        }
      }
    }
  }
}
