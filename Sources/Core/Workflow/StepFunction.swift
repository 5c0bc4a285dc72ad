// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// A call of a function that stands in a step or a state.
public struct StepFunction: Sendable {
  public enum Name: String, Sendable {
    /// Answers any value.
    case run
    /// Answers whether the step runs.
    case when
    /// Answers what the action gets.
    case input
    /// Answers a list.
    case forEach = "for_each"
    /// Answers a state's name, or null.
    case next
  }

  public let name: Name
  /// Keys from the agent's table to the step or state.
  public let path: [String]
  /// Behind `ctx`, JSON each.
  public let arguments: [RawJSON]
  /// Before the keys of what it does, in the journal.
  public let place: String

  public init(_ name: Name, at path: [String], arguments: [RawJSON], place: String) {
    self.name = name
    self.path = path
    self.arguments = arguments
    self.place = place
  }
}
