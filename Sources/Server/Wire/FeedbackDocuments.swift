// SPDX-License-Identifier: Apache-2.0
public import Core
public import JSONCodec

extension Feedback: Document {
  func write(to writer: inout JSONWriter) {
    writer.object {
      $0.member("run_id", runID)
      $0.member("user_id", userID)
      $0.member("agent", agent)
      $0.member("version", version)
      $0.member("score", score)
      $0.member("comment", comment.map(JSON.string) ?? .null)
      $0.member("at", at.description)
    }
  }
}

extension Page<Feedback> {
  /// The page as `GET /v1/feedback` writes it.
  public var json: RawJSON { RawJSON(trusted: bytes()) }
}

extension FeedbackSummary: Document {
  func write(to writer: inout JSONWriter) {
    writer.object {
      $0.member("agent", agent)
      $0.member("version", version)
      $0.member("count", count)
      $0.member("mean", (mean * 10_000).rounded() / 10_000)
      $0.member("positive", positive)
      $0.member("negative", negative)
      $0.member("first_at", firstAt.description)
      $0.member("last_at", lastAt.description)
    }
  }
}

/// What is thought of runs, by agent and version.
public struct FeedbackSums: Document {
  let sums: [FeedbackSummary]

  public init(_ sums: [FeedbackSummary]) { self.sums = sums }

  func write(to writer: inout JSONWriter) { writer.object { $0.member("data", sums) } }

  /// As `GET /v1/feedback/summary` writes it.
  public var json: RawJSON { RawJSON(trusted: bytes()) }
}

/// A run with what is thought of it.
struct JudgedRun: Document {
  let run: RunRecord
  let feedback: [Feedback]

  func write(to writer: inout JSONWriter) {
    writer.object {
      run.writeMembers(to: &$0)
      $0.member("feedback", feedback)
    }
  }
}
