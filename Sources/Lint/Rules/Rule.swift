// SPDX-License-Identifier: Apache-2.0

/// A check of one file by itself.
protocol FileRule: SendableMetatype {
  static var explanations: [Explanation] { get }
  static func check(_ file: LintedFile, _ findings: inout Findings)
}

/// A check of the files of a workspace against each other.
protocol WorkspaceRule: SendableMetatype {
  static var explanations: [Explanation] { get }
  static func check(_ workspace: LintWorkspace, _ findings: inout [Diagnostic])
}

/// Every rule there is.
enum RuleBook {
  static let file: [any FileRule.Type] = [
    UndefinedNames.self, GlobalAssignment.self, UnusedNames.self, Shadowing.self, UnreachableCode.self,
    MissingReturns.self, Comparisons.self, ArgumentCounts.self, ArgumentTypes.self, FormatStrings.self,
    ContextFields.self, LoadTimeCalls.self, ToolArguments.self, AccessRule.self, Definitions.self,
    SchemaStrictness.self, Workflows.self, EvalShape.self, Patterns.self, ConfiguredNames.self,
    ModelNames.self,
  ]
  static let workspace: [any WorkspaceRule.Type] = [
    KnownNames.self, UniqueNames.self, UnusedTools.self, HandoffCycles.self, GuardedBranches.self,
  ]
}
