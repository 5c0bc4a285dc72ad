// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// A message that somebody sent by a messenger.
public struct ChannelMessage: Sendable, Hashable {
  /// The messenger's own name for it, with which it sends it again when it doubts that it was taken.
  public struct Key: Sendable, Hashable {
    /// Of the messenger: `whatsapp`.
    public var channel: String
    public var id: String

    public init(channel: String, id: String) {
      self.channel = channel
      self.id = id
    }

    /// What the turn goes by: sent again, it is not done again.
    public var idempotencyName: String { "\(channel):\(id)" }
  }

  public var key: Key
  public var userID: String
  public var sessionID: String
  public var agent: String
  public var text: String
  /// What scripts get as `ctx.input` beside it.
  public var input: JSONObject
  /// Where an answer goes, in the channel's own words.
  public var address: JSONObject

  public init(
    key: Key, userID: String, sessionID: String, agent: String, text: String, input: JSONObject,
    address: JSONObject
  ) {
    self.key = key
    self.userID = userID
    self.sessionID = sessionID
    self.agent = agent
    self.text = text
    self.input = input
    self.address = address
  }

  /// Who sent it: a user like others, and nobody's staff.
  public var user: Principal { Principal(id: userID) }

  public var request: ChatRequest {
    ChatRequest(
      agent: agent, message: text, sessionID: sessionID, input: input,
      idempotencyKey: IdempotencyKey(name: key.idempotencyName, digest: []))
  }
}

extension ChannelMessage {
  /// As the store keeps it, beside key and user.
  public var json: JSON {
    [
      "session_id": .string(sessionID), "agent": .string(agent), "text": .string(text),
      "input": .object(input), "address": .object(address),
    ]
  }

  /// Reads ``json``; `nil` when it is something else.
  public init?(key: Key, userID: String, json: JSON) {
    guard let sessionID = json["session_id"]?.string, let agent = json["agent"]?.string,
      let text = json["text"]?.string, let input = json["input"]?.object,
      let address = json["address"]?.object
    else { return nil }
    self.init(
      key: key, userID: userID, sessionID: sessionID, agent: agent, text: text, input: input, address: address
    )
  }
}

/// What a message is answered with.
public struct ChannelAnswer: Sendable, Hashable {
  /// Each a message of its own, in this order; empty = nothing is said.
  public var texts: [String]
  /// The run that waits, and says more when it has ended.
  public var waitingRunID: String?

  public init(texts: [String], waitingRunID: String? = nil) {
    self.texts = texts
    self.waitingRunID = waitingRunID
  }
}

/// A message whose answer is not on its way yet, though its time has come.
public struct DueAnswer: Sendable, Hashable {
  public var message: ChannelMessage
  public var work: Work
  /// Attempts at the next text that failed.
  public var failures: Int
  /// When it came to be due.
  public var dueAt: Timestamp

  /// What there is to do.
  public enum Work: Sendable, Hashable {
    /// No turn was begun, as far as is kept.
    case begin
    /// Its run has ended.
    case ended(RunRecord.Status, Failure?, text: String)
    /// Its run is gone with its session.
    case forget
    /// The texts that were not sent yet; so many were.
    case send([String], sent: Int)
  }

  public init(message: ChannelMessage, work: Work, failures: Int, dueAt: Timestamp) {
    self.message = message
    self.work = work
    self.failures = failures
    self.dueAt = dueAt
  }
}
