// SPDX-License-Identifier: Apache-2.0
public import Guardrails

/// What is looked for in what users say to an agent, and in what it answers.
public struct GuardRules: Sendable, Hashable {
  /// A message in which one of these finds something is refused.
  public var input: Set<Detector>
  /// What these find in an answer is masked.
  public var output: Set<Detector>

  public init(input: Set<Detector> = [], output: Set<Detector> = []) {
    self.input = input
    self.output = output
  }

  public var isEmpty: Bool { input.isEmpty && output.isEmpty }

  public func union(_ other: GuardRules) -> GuardRules {
    GuardRules(input: input.union(other.input), output: output.union(other.output))
  }

  /// What configurations may write: categories, and single detectors.
  public static let names: [String] =
    Detector.Category.allCases.map(\.name)
    + Detector.allCases.map(\.name).filter { Detector.Category(rawValue: $0) == nil }
}
