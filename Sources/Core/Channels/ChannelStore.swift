// SPDX-License-Identifier: Apache-2.0

/// Keeps which messages came by messengers and how far each is answered, so that one place answers it, once.
///
/// The reply to the messenger's request answers a message as long as it is not put off; from then on whoever takes it
/// when it is due. Methods throw ``Failure``, as those of ``Store`` do.
public protocol ChannelStore: Sendable {
  /// Rung when an answer came to be due through this object.
  var answerBell: Bell { get }

  /// Keeps a message that came.
  ///
  /// - Parameter dueAt: Unless it is answered or put off by then, the process that has it is gone.
  /// - Returns: False for one that came before.
  func receive(_ message: ChannelMessage, dueAt: Timestamp, at: Timestamp) async throws -> Bool
  /// Leaves the answer to whoever takes it; false when it is put off or answered already.
  func putOff(_ key: ChannelMessage.Key) async throws -> Bool
  /// Keeps what a message is answered with.
  ///
  /// - Returns: Whether the reply is to say it: it was not put off.
  func keep(_ answer: ChannelAnswer, to key: ChannelMessage.Key, at: Timestamp) async throws -> Bool
  /// Messages that are due and whose run is not under way, those first that have been due longest.
  func dueAnswers(at: Timestamp, limit: Int) async throws -> [DueAnswer]
  /// Takes the answer to a message upon itself, and puts it off; false when somebody else has it meanwhile.
  func take(_ answer: DueAnswer, until: Timestamp) async throws -> Bool
  /// Keeps that so many texts of an answer are sent; after the last there is nothing more to do.
  func sent(_ count: Int, of key: ChannelMessage.Key, dueAt: Timestamp, at: Timestamp) async throws
  /// Keeps that a text could not be sent, and when to try again; `nil` = nobody does.
  func failed(_ key: ChannelMessage.Key, retryAt: Timestamp?) async throws
  /// Makes due what the last process had taken.
  func releaseAnswers(at: Timestamp) async throws
  /// Forgets messages that are older; how many.
  func forgetChannelMessages(before: Timestamp) async throws -> Int
}
