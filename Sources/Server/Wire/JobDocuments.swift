// SPDX-License-Identifier: Apache-2.0
public import Core
public import JSONCodec

extension DeadLetter: Document {
  func write(to writer: inout JSONWriter) {
    writer.object {
      $0.member("id", job.id)
      $0.member("action", job.action)
      $0.member("payload", job.payload)
      $0.member("user_id", job.user.id)
      $0.member("key", job.key.map(JSON.string) ?? .null)
      $0.member("priority", job.priority)
      $0.member("attempts", attempts)
      $0.key("error")
      $0.object {
        $0.member("code", failure.code.rawValue)
        $0.member("message", failure.message)
        $0.member("retryable", failure.retryable)
      }
      $0.member("run_id", runID)
      $0.member("published_by", job.publisher)
      $0.member("published_at", job.publishedAt.description)
      $0.member("died_at", diedAt.description)
    }
  }
}

extension Page<DeadLetter> {
  /// The list as `GET /v1/dead-letters` writes it.
  public var json: RawJSON { RawJSON(trusted: bytes()) }
}
