// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// One thing that an answer must be.
public enum Expectation: Sendable, Hashable {
  /// The text has this in it.
  case contains(String)
  /// The text fits a Lua pattern somewhere.
  case matches(String)
  /// The text is this, to the letter.
  case equals(String)
  /// The structured answer has these members, with these values.
  case data(JSON)
  /// A tool was called; with these arguments among others, unless `nil`.
  case toolCalled(String, arguments: JSONObject?)
  case notCalled(String)
  /// The turn took no more US dollars.
  case costMax(Double)
  /// The turn failed with this code.
  case error(String)
  /// A model says yes to this question about the answer.
  case judge(String)
  /// A function of the eval file is content; keys that lead to it from what the file returns, items by number.
  case check([String])
}

extension Expectation {
  /// The field of an eval file that states it.
  public var name: String {
    switch self {
    case .contains: "contains"
    case .matches: "matches"
    case .equals: "equals"
    case .data: "data"
    case .toolCalled: "tool_called"
    case .notCalled: "not_called"
    case .costMax: "cost_usd_max"
    case .error: "error"
    case .judge: "judge"
    case .check: "check"
    }
  }

  /// All the fields, in the order in which they are judged: the cheap ones first.
  public static let names = [
    "error", "equals", "contains", "matches", "data", "tool_called", "not_called", "cost_usd_max", "check",
    "judge",
  ]
}

/// What an expectation has come to.
public enum Verdict: Sendable, Hashable {
  case met
  case failed(Mismatch)
  /// It could not be asked about, and why.
  case skipped(String)
}

/// How an answer differs from what was expected.
public struct Mismatch: Sendable, Hashable {
  public var expected: String
  public var got: String
  /// Line by line, where that says more.
  public var differences: [String]

  public init(expected: String, got: String, differences: [String] = []) {
    self.expected = expected
    self.got = got
    self.differences = differences
  }
}
