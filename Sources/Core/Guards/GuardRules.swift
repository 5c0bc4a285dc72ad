// SPDX-License-Identifier: Apache-2.0
public import Guardrails

/// What is looked for in what users say to an agent, in what its tools bring it, and in what it answers.
public struct GuardRules: Sendable, Hashable {
  /// A message in which one of these finds something is refused.
  public var input: Set<Detector>
  /// What these find in an answer is masked.
  public var output: Set<Detector>
  /// A tool's result in which one of these finds something is kept from the model.
  public var toolsRefused: Set<Detector> = []
  /// What these find in a tool's result is masked before the model reads it.
  public var toolsMasked: Set<Detector> = []
  /// Of a message and its input; `nil` = no limit of these rules.
  public var inputBytesMax: Int?
  /// Endings of the names that files may have, in lower case; `nil` = all.
  public var fileTypes: Set<String>?
  /// Of an answer and its data; `nil` = no limit.
  public var outputBytesMax: Int?
  /// What stands in an answer where something was found.
  public var style = MaskStyle.mask

  public init(input: Set<Detector> = [], output: Set<Detector> = []) {
    self.input = input
    self.output = output
  }

  public var isEmpty: Bool { self == GuardRules() }

  /// Both; the limits are those of `other`, the workspace, since agents have none.
  public func union(_ other: GuardRules) -> GuardRules {
    var both = other
    both.input.formUnion(input)
    both.output.formUnion(output)
    both.toolsRefused.formUnion(toolsRefused)
    both.toolsMasked.formUnion(toolsMasked)
    return both
  }

  /// What configurations may write: categories, and single detectors.
  public static let names: [String] =
    Detector.Category.allCases.map(\.name)
    + Detector.allCases.map(\.name).filter { Detector.Category(rawValue: $0) == nil }
}
