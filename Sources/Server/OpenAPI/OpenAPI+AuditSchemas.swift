// SPDX-License-Identifier: Apache-2.0
import JSONCodec

extension OpenAPI {
  static let auditSchemas: JSON = [
    "AuditEntry": object([
      ("number", described(integer, "1, 2, 3, …: none is missing.")), ("at", time),
      ("action", described(string, "`tool.called`; all are in docs/audit.md.")),
      ("user_id", described(orNull("string"), "On whose behalf; null = the server's own, or erased.")),
      ("address", described(orNull("string"), "From where.")),
      ("key_id", described(orNull("string"), "Of the API key by which they came.")),
      ("erased", described(boolean, "Who it was is forgotten, as they asked.")),
      ("target", described(orNull("string"), "What it was done to: `tool:add_todo`.")),
      ("run_id", orNull("string")), ("agent", orNull("string")), ("version", orNull("string")),
      ("detail", ["type": "object"]),
      (
        "hash",
        described(string, "SHA-256 of this entry and, by way of the one before it, of all before it.")
      ),
    ]),
    "AuditList": page("AuditEntry"),
    "UserList": page("User"),
    "User": object([
      ("user_id", string), ("created_at", described(time, "When their first conversation began.")),
      ("last_active", described(time, "Of their latest run, or change of a conversation.")),
      ("sessions", described(integer, "That are left.")), ("messages", described(integer, "In these.")),
    ]),
    "UserExport": [
      "type": "object", "description": "Lists of what is kept, by kind; docs/access.md tells of them.",
      "properties": ["user_id": string], "required": ["user_id"], "additionalProperties": ["type": "array"],
    ],
    "ErasedUser": object([
      ("resumed", described(boolean, "It was begun before and not finished; what went then is not counted.")),
      ("sessions", integer), ("runs", described(integer, "Those without a conversation.")),
      ("audit_entries", described(integer, "Entries that no longer say who it was.")),
      ("scrubbed", described(boolean, "Whether the file was rewritten, without older copies of rows.")),
    ]),
    "AuditVerdict": object([
      ("intact", boolean), ("entries", integer),
      ("erased", described(integer, "Entries of which it is forgotten who it was.")), ("first", integer),
      ("last", integer),
      ("hash", described(string, "Of the last entry.")),
      ("faults", ["type": "array", "items": object([("number", integer), ("message", string)])]),
    ]),
  ]
}
