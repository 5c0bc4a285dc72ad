// SPDX-License-Identifier: Apache-2.0

/// Hands out and erases all that the host keeps of one user. Methods throw ``Failure``, as those of ``Store`` do.
public protocol PersonStore: Sendable {
  /// Who has had a conversation, in the order of their identifiers.
  func users(visibleTo: Visibility, page: PageRequest) async throws -> Page<UserRecord>
  /// Records that somebody takes a copy of all that is kept of a user.
  ///
  /// - Throws: ``Failure`` `not_found` when nothing is kept of them.
  func beginExport(of userID: String, by actor: AuditEntry.Actor, at: Timestamp) async throws
  /// A piece of one JSON document of all that is kept of a user, and where the next begins; `nil` = it is whole.
  ///
  /// Nobody's writes wait for it, and what is written meanwhile may stand in it or not.
  func exportPiece(of userID: String, from place: ExportPlace) async throws -> ExportPiece
  /// Erases all that is kept of a user, in several transactions where it is much; asked again it goes on.
  ///
  /// The first one records that it was begun, and takes their API keys; where there were any, it waits until no
  /// server believes them any more, and takes the rest after that.
  ///
  /// - Throws: ``Failure`` `conflict` while runs or jobs of theirs are under way, `not_found` when nothing is kept.
  func eraseUser(
    _ userID: String, by actor: AuditEntry.Actor, time: any TimeSource
  ) async throws -> ErasedUser
}

/// Somebody who has had a conversation.
public struct UserRecord: Sendable, Hashable {
  public var id: String
  /// When their first conversation began.
  public var createdAt: Timestamp
  /// Of their latest run, or of what they last did to a conversation.
  public var lastActiveAt: Timestamp
  /// That are left, as are their messages.
  public var sessions: Int
  public var messages: Int

  public init(id: String, createdAt: Timestamp, lastActiveAt: Timestamp, sessions: Int, messages: Int) {
    self.id = id
    self.createdAt = createdAt
    self.lastActiveAt = lastActiveAt
    self.sessions = sessions
    self.messages = messages
  }
}

/// Where an export goes on.
public struct ExportPlace: Sendable, Hashable {
  public enum Key: Sendable, Hashable {
    case integer(Int64)
    case text(String)
  }

  /// Number of a list.
  public var list = 0
  /// Key of its last row that was handed out; empty = it begins.
  public var after: [Key] = []
  /// Journals and events are left out: guards may keep some of what is in them from the user.
  public let leavesInsideOut: Bool

  public init(leavesInsideOut: Bool = false) { self.leavesInsideOut = leavesInsideOut }
}

public struct ExportPiece: Sendable {
  public var bytes: [UInt8]
  public var next: ExportPlace?

  public init(bytes: [UInt8], next: ExportPlace?) {
    self.bytes = bytes
    self.next = next
  }
}

/// What went with a user.
public struct ErasedUser: Sendable, Hashable {
  /// Stands in place of who was erased in what is others'; no token and no key can be of a user with this id.
  public static let id = "perigee:erased"

  /// It was begun before, and not finished: what went then is not counted.
  public var isResumed = false
  public var sessions = 0
  public var runs = 0
  /// Entries of the audit trail that stay, and no longer say who it was.
  public var auditEntries = 0
  /// Whether the files hold no trace of it: false where the database is too large to be rewritten beside its users.
  public var isScrubbed = false

  public init() {}
}
