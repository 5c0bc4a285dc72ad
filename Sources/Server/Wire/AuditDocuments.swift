// SPDX-License-Identifier: Apache-2.0
public import Core
public import JSONCodec

extension KeptAuditEntry: Document {
  func write(to writer: inout JSONWriter) {
    writer.object { object in
      object.member("number", number)
      object.member("at", entry.at.description)
      object.member("action", entry.action.rawValue)
      object.member("user_id", entry.actor.map { JSON.string($0.userID) } ?? .null)
      object.member("address", entry.actor?.address.map(JSON.string) ?? .null)
      object.member("key_id", entry.actor?.keyID.map(JSON.string) ?? .null)
      object.member("erased", isErased)
      object.member("target", entry.target.map(JSON.string) ?? .null)
      object.member("run_id", entry.runID.map(JSON.string) ?? .null)
      object.member("agent", entry.agent.map(JSON.string) ?? .null)
      object.member("version", entry.version.map(JSON.string) ?? .null)
      object.member("detail", entry.detail ?? .emptyObject)
      object.member("hash", hash)
    }
  }
}

extension Page<KeptAuditEntry> {
  /// The list as `GET /v1/audit` writes it.
  public var json: RawJSON { RawJSON(trusted: bytes()) }
}

extension AuditVerdict: Document {
  func write(to writer: inout JSONWriter) {
    writer.object { object in
      object.member("intact", faults.isEmpty)
      object.member("entries", count)
      object.member("erased", erased)
      object.member("first", first)
      object.member("last", last)
      object.member("hash", hash)
      object.key("faults")
      object.array { list in
        for fault in faults {
          list.object {
            $0.member("number", fault.number)
            $0.member("message", fault.message)
          }
        }
      }
    }
  }

  /// The verdict as `GET /v1/audit/verification` writes it.
  public var json: RawJSON { RawJSON(trusted: bytes()) }
}
