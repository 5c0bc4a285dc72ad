// SPDX-License-Identifier: Apache-2.0

/// What somebody thinks of a run that has ended.
public struct Feedback: Sendable, Hashable {
  /// From bad to good; 0 = neither.
  public static let scores = -1.0...1.0
  /// Unicode scalars.
  public static let commentLengthMax = 2000

  public var runID: String
  /// Who thinks so.
  public var userID: String
  /// Of the run, as is ``version``.
  public var agent: String
  public var version: String
  /// One of ``scores``.
  public var score: Double
  public var comment: String?
  public var at: Timestamp

  public init(
    runID: String, userID: String, agent: String, version: String, score: Double, comment: String?,
    at: Timestamp
  ) {
    self.runID = runID
    self.userID = userID
    self.agent = agent
    self.version = version
    self.score = score
    self.comment = comment
    self.at = at
  }
}

/// Which feedback is wanted; `nil` = all.
public struct FeedbackFilter: Sendable, Hashable {
  public var visibleTo: Visibility
  public var agent: String?
  /// A version, or enough of its beginning.
  public var version: String?
  public var since: Timestamp?

  public init(
    visibleTo: Visibility = .everyone, agent: String? = nil, version: String? = nil, since: Timestamp? = nil
  ) {
    self.visibleTo = visibleTo
    self.agent = agent
    self.version = version.map { $0.hasPrefix("sha256:") ? $0 : "sha256:" + $0 }
    self.since = since
  }
}

/// What is thought of an agent's runs on one version of the scripts.
public struct FeedbackSummary: Sendable, Hashable {
  public var agent: String
  public var version: String
  public var count: Int
  /// Of the scores.
  public var mean: Double
  /// Scores above 0.
  public var positive: Int
  /// Scores below 0.
  public var negative: Int
  public var firstAt: Timestamp
  public var lastAt: Timestamp

  public init(
    agent: String, version: String, count: Int, mean: Double, positive: Int, negative: Int,
    firstAt: Timestamp, lastAt: Timestamp
  ) {
    self.agent = agent
    self.version = version
    self.count = count
    self.mean = mean
    self.positive = positive
    self.negative = negative
    self.firstAt = firstAt
    self.lastAt = lastAt
  }
}
