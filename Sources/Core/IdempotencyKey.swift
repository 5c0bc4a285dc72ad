// SPDX-License-Identifier: Apache-2.0

/// The name that a caller gave one message, so that sending it again does not do it again.
public struct IdempotencyKey: Sendable, Hashable {
  /// 1 to 255 visible ASCII characters; unique for its user.
  public let name: String
  /// Of everything that the caller sent with it: another message may not have the same name.
  public let digest: [UInt8]

  /// How long a name is remembered.
  public static let keptFor = Duration.seconds(86_400)
  public static let rule = "must be 1 to 255 visible ASCII characters"

  /// `nil` when the name breaks ``rule``.
  public init?(name: String, digest: [UInt8]) {
    guard (1...255).contains(name.utf8.count), name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      return nil
    }
    self.name = name
    self.digest = digest
  }
}

/// What became of the turn that came with an idempotency key before.
public enum EarlierTurn: Sendable {
  case answered(ChatReply)
  /// Its run waits.
  indirect case waiting(WaitingRun)
  /// It failed, was cancelled or interrupted: it is done again, under the same names.
  case unanswered(runID: String, messageID: String, sessionID: String, seed: UInt64)
}
