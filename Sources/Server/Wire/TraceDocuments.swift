// SPDX-License-Identifier: Apache-2.0
public import Core
public import JSONCodec

extension RunTrace: Document {
  func write(to writer: inout JSONWriter) {
    writer.object {
      $0.member("run", run)
      $0.key("spans")
      $0.array { list in for span in spans { span.write(to: &list) } }
      $0.member("feedback", feedback)
    }
  }

  /// The trace as the API writes it.
  public var json: RawJSON { RawJSON(trusted: bytes(reservingCapacity: 4096)) }
}

extension RunTrace.Span {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object {
      $0.member("key", key)
      $0.member("name", name)
      $0.member("status", status.rawValue)
      $0.member("started_at", startedAt.description)
      $0.member("duration_ms", (durationMilliseconds * 1000).rounded() / 1000)
      $0.member("arguments", arguments ?? .null)
      $0.member("result", result ?? .null)
      $0.key("error")
      if let failure {
        $0.object {
          $0.member("code", failure.code.rawValue)
          $0.member("message", failure.message)
        }
      } else {
        $0.writeNull()
      }
      $0.key("usage")
      if let usage { usage.write(to: &$0) } else { $0.writeNull() }
    }
  }
}

extension Page<RunRecord> {
  /// The page as `GET /v1/runs` writes it.
  public var json: RawJSON { RawJSON(trusted: bytes(reservingCapacity: 4096)) }
}

extension Page<Approval> {
  /// The page as `GET /v1/approvals` writes it.
  public var json: RawJSON { RawJSON(trusted: bytes(reservingCapacity: 4096)) }
}
