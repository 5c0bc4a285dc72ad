// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// A conversation of one user.
public struct Session: Sendable, Hashable {
  /// The name that its user gave it, or a UUID; unique for that user only.
  public var id: String
  public var userID: String
  public var title: String
  /// The agent that answered last.
  public var agent: String?
  public var createdAt: Timestamp
  public var updatedAt: Timestamp
  public var messageCount: Int

  public init(
    id: String, userID: String, title: String, agent: String?, createdAt: Timestamp, updatedAt: Timestamp,
    messageCount: Int
  ) {
    self.id = id
    self.userID = userID
    self.title = title
    self.agent = agent
    self.createdAt = createdAt
    self.updatedAt = updatedAt
    self.messageCount = messageCount
  }
}

/// What a conversation came to.
public struct SessionTotals: Sendable, Hashable {
  public var runs: Int
  /// Of all of them; a cost that is unknown counts as none.
  public var usage: Usage
  /// When the first of them began; `nil` = there is none.
  public var firstRunAt: Timestamp?
  /// When the latest of them ended, or began where it goes on.
  public var lastRunAt: Timestamp?
  /// How often somebody said what they think of one.
  public var judged: Int
  /// Of the scores; `nil` = there are none.
  public var meanScore: Double?

  public init(
    runs: Int, usage: Usage, firstRunAt: Timestamp?, lastRunAt: Timestamp?, judged: Int, meanScore: Double?
  ) {
    self.runs = runs
    self.usage = usage
    self.firstRunAt = firstRunAt
    self.lastRunAt = lastRunAt
    self.judged = judged
    self.meanScore = meanScore
  }
}

/// One answer of the model that asked for tools, with every result: never one without the other.
public struct TurnStep: Sendable, Hashable {
  public var text: String
  public var calls: [ToolCall]

  public init(text: String, calls: [ToolCall]) {
    self.text = text
    self.calls = calls
  }
}

/// A run as it is kept.
public struct RunRecord: Sendable, Hashable {
  public enum Status: String, Sendable, CaseIterable {
    case queued, running, waiting, completed, failed, cancelled, interrupted
  }

  public var id: String
  public var userID: String
  public var sessionID: String?
  public var agent: String
  public var version: String
  public var status: Status
  public var failure: Failure.Code?
  public var usage: Usage
  public var startedAt: Timestamp
  public var finishedAt: Timestamp?

  public init(
    id: String, userID: String, sessionID: String?, agent: String, version: String, status: Status,
    failure: Failure.Code? = nil, usage: Usage = Usage(), startedAt: Timestamp, finishedAt: Timestamp? = nil
  ) {
    self.id = id
    self.userID = userID
    self.sessionID = sessionID
    self.agent = agent
    self.version = version
    self.status = status
    self.failure = failure
    self.usage = usage
    self.startedAt = startedAt
    self.finishedAt = finishedAt
  }
}
