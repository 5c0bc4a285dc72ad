// SPDX-License-Identifier: Apache-2.0

/// Whose values a key belongs to.
public enum KeyValueScope: Sendable, Hashable {
  case user(String)
  case session(userID: String, sessionID: String)
  case workspace

  /// One text per scope; the length keeps two users from sharing one, for both ids may hold a colon.
  public var text: String {
    switch self {
    case .user(let id): "user:\(id)"
    case .session(let userID, let sessionID): "session:\(userID.utf8.count):\(userID):\(sessionID)"
    case .workspace: "workspace"
    }
  }
}
