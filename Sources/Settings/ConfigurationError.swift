// SPDX-License-Identifier: Apache-2.0

/// All that is wrong with a configuration, at once.
public struct ConfigurationError: Error, Sendable, Hashable {
  /// One key that cannot be accepted.
  public struct Problem: Sendable, Hashable, CustomStringConvertible {
    /// Where the value stands; its position is 1-based.
    public let source: Configuration.Source
    /// One line without secrets.
    public let message: String
    /// How to mend it.
    public let hint: String?

    public init(source: Configuration.Source, message: String, hint: String? = nil) {
      self.source = source
      self.message = message
      self.hint = hint
    }

    /// `perigee.yaml:3:5: message`, or the variable's or flag's name in place of the position.
    public var description: String { "\(source.label): \(message)" }
  }

  /// In the order file, environment, flags, then checks across keys; never empty.
  public let problems: [Problem]

  public init(problems: [Problem]) { self.problems = problems }
}

extension ConfigurationError: CustomStringConvertible, CustomDebugStringConvertible {
  /// One line: the first problem, and how many more there are.
  public var description: String {
    let first = problems.first?.description ?? "the configuration is wrong"
    return problems.count > 1 ? "\(first) (and \(problems.count - 1) more)" : first
  }

  /// Every problem on its line, each followed by `hint: …` where there is one.
  public var debugDescription: String {
    problems.map { problem in
      problem.hint.map { "\(problem)\nhint: \($0)" } ?? problem.description
    }.joined(separator: "\n")
  }
}
