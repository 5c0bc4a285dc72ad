// SPDX-License-Identifier: Apache-2.0

/// Keeps what people think of runs. Methods throw ``Failure``, as those of ``Store`` do.
public protocol FeedbackStore: Sendable {
  /// Keeps what somebody thinks of a run, in the place of what they thought of it before; tells it, and records it.
  ///
  /// - Throws: ``Failure`` `not_found` for a run that they do not see, `conflict` for one that has not ended.
  func keepFeedback(
    ofRun id: String, score: Double, comment: String?, by user: Principal, at: Timestamp
  ) async throws -> Feedback
  /// The latest first; as many as a page holds.
  func feedback(ofRun id: String, visibleTo: Visibility) async throws -> [Feedback]
  /// The latest first.
  func feedback(_ filter: FeedbackFilter, page: PageRequest) async throws -> Page<Feedback>
  /// By agent and version, those that were judged last first; at most ``FeedbackSummary/listedMax``.
  func feedbackSummary(_ filter: FeedbackFilter) async throws -> [FeedbackSummary]
}

extension FeedbackSummary {
  /// Agents and versions.
  public static let listedMax = 200
}
