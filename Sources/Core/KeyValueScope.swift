// SPDX-License-Identifier: Apache-2.0

/// Whose values a key belongs to.
public enum KeyValueScope: Sendable, Hashable {
  case user(String)
  case session(userID: String, sessionID: String)
  /// Of a tenant's users; `nil` = of those that have none.
  case workspace(Tenant?)

  /// One text per scope; the length keeps two users from sharing one, for both ids may hold a colon.
  public var text: String {
    switch self {
    case .user(let id): "user:\(id)"
    case .session(let userID, let sessionID): "session:\(userID.utf8.count):\(userID):\(sessionID)"
    case .workspace(let tenant): tenant.map { "workspace:\($0.name)" } ?? "workspace"
    }
  }
}
