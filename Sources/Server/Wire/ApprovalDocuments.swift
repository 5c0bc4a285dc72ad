// SPDX-License-Identifier: Apache-2.0
public import Core
public import JSONCodec

extension Approval: Document {
  func write(to writer: inout JSONWriter) {
    writer.object {
      $0.member("id", id)
      $0.member("run_id", runID)
      $0.member("user_id", userID)
      $0.member("agent", agent)
      $0.member("title", question.title)
      $0.member("detail", question.detail ?? .null)
      $0.member("choices", JSON.array(question.choices.map { .string($0) }))
      $0.member("fields", question.form ?? .null)
      $0.member("roles", JSON.array(question.roles.map { .string($0) }))
      $0.member("digest", String(digest, radix: 16))
      $0.member("status", status.rawValue)
      $0.member("created_at", createdAt.description)
      $0.member("expires_at", expiresAt.map { .string($0.description) } ?? JSON.null)
      $0.key("decision")
      guard let decision else { return $0.writeNull() }
      $0.object {
        $0.member("decision", decision.choice)
        $0.member("comment", decision.comment.map(JSON.string) ?? .null)
        $0.member("values", decision.values ?? .null)
        $0.member("user_id", decision.userID)
        $0.member("at", decision.at.description)
      }
    }
  }
}

extension Approval {
  /// The approval as the API writes it.
  public var json: RawJSON { RawJSON(trusted: bytes()) }
}

extension WaitingRun: Document {
  func write(to writer: inout JSONWriter) {
    writer.object {
      $0.member("run_id", runID)
      $0.member("session_id", sessionID)
      $0.member("status", "waiting")
      $0.key("approval")
      if let approval { approval.write(to: &$0) } else { $0.writeNull() }
    }
  }
}

extension WaitingRun {
  /// The run as the chat endpoint writes it.
  public var json: RawJSON { RawJSON(trusted: bytes()) }
}
