// SPDX-License-Identifier: Apache-2.0
public import Core
public import JSONCodec

extension UserRecord: Document {
  func write(to writer: inout JSONWriter) {
    writer.object {
      $0.member("user_id", id)
      $0.member("created_at", createdAt.description)
      $0.member("last_active", lastActiveAt.description)
      $0.member("sessions", sessions)
      $0.member("messages", messages)
    }
  }
}

extension ErasedUser: Document {
  func write(to writer: inout JSONWriter) {
    writer.object {
      $0.member("resumed", isResumed)
      $0.member("sessions", sessions)
      $0.member("runs", runs)
      $0.member("audit_entries", auditEntries)
      $0.member("scrubbed", isScrubbed)
    }
  }

  /// What went, as `DELETE /v1/users/{user}` tells it.
  public var json: RawJSON { RawJSON(trusted: bytes()) }
}
