// SPDX-License-Identifier: Apache-2.0
public import Core

/// Where API keys are remembered.
///
/// Methods throw ``Failure``: `not_found`, `conflict` for an id that is taken, `invalid_arguments` for a
/// cursor that is none, `internal` when the database fails; and `CancellationError`.
public protocol APIKeyStore: Sendable {
  /// Finds a key, revoked and expired ones too; `nil` for an id that there is not.
  func apiKey(id: String) async throws -> APIKeyRecord?
  func saveAPIKey(_ record: APIKeyRecord, by actor: AuditEntry.Actor) async throws
  /// Revokes a key; one that is revoked stays so from its first time.
  func revokeAPIKey(id: String, by actor: AuditEntry.Actor, at: Timestamp) async throws
  /// Lists keys, the newest first: of one user, or of all.
  func apiKeys(userID: String?, page: PageRequest) async throws -> Page<APIKeyRecord>
  /// Notes that a key was used; a later time wins, and an id that there is not is no error.
  func touchAPIKey(id: String, at: Timestamp) async throws
}
