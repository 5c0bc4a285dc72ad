// SPDX-License-Identifier: Apache-2.0
import Core
public import JSONCodec

extension EvalReport {
  /// The report for programs; docs/evals.md has its shape.
  ///
  /// - Parameter comparison: With another version, when one was asked for.
  public func json(_ comparison: EvalComparison? = nil) -> RawJSON {
    var writer = JSONWriter(reservingCapacity: 4096)
    writer.object {
      $0.member("version", version)
      $0.key("cases")
      $0.array { writer in for result in results { writer.object { result.write(to: &$0) } } }
      $0.key("summary")
      $0.object { writeSummary(to: &$0) }
      if let comparison {
        $0.key("against")
        $0.object { comparison.write(to: &$0) }
      }
    }
    return writer.raw
  }

  func writeSummary(to writer: inout JSONWriter) {
    writer.member("cases", results.count)
    for status in CaseResult.Status.allCases {
      writer.member(named: status.rawValue, .integer(Int64(count(status))))
    }
    writer.member("duration_ms", duration.milliseconds)
    writer.member("cost_usd", usage.costUSD.map(JSON.number) ?? .null)
  }
}

extension CaseResult {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.member("name", evalCase.name)
    writer.member("file", evalCase.place.file)
    writer.member("line", evalCase.place.line)
    writer.member("agent", evalCase.agent)
    writer.member("answers", answerer.map { .string($0.rawValue) } ?? JSON.null)
    writer.member("result", status.rawValue)
    writer.member("duration_ms", duration.milliseconds)
    writer.member("cost_usd", usage.costUSD.map(JSON.number) ?? .null)
    if let fault {
      writer.key("fault")
      writer.object { fault.write(to: &$0) }
    }
    writer.key("turns")
    writer.array { writer in for turn in turns { writer.object { turn.write(to: &$0) } } }
  }
}

extension TurnResult {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.member("user", turn.message)
    writer.member("line", turn.place.line)
    writer.key("reply")
    writer.object { outcome.write(to: &$0) }
    writer.key("expectations")
    writer.array { writer in
      for judgement in judgements {
        writer.object {
          $0.member("name", judgement.name)
          switch judgement.verdict {
          case .met: $0.member("result", "ok")
          case .skipped(let reason):
            $0.member("result", "skipped")
            $0.member("reason", reason)
          case .failed(let mismatch):
            $0.member("result", "failed")
            mismatch.write(to: &$0)
          }
        }
      }
    }
  }
}

extension Mismatch {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.member("expected", expected)
    writer.member("got", got)
    writer.member("differences", JSON.array(differences.map { .string($0) }))
  }
}

extension Judgement {
  /// The expectation's field; `answer` for a turn that failed though nothing asked for it.
  public var name: String { expectation?.name ?? "answer" }
}

extension Duration {
  /// To the hundredth.
  var milliseconds: Double { ((self / .milliseconds(1)) * 100).rounded() / 100 }
}
