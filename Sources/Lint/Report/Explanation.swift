// SPDX-License-Identifier: Apache-2.0

/// What one kind of finding means: the page of its code, and the cases that prove it.
public struct Explanation: Sendable {
  public let code: Diagnostic.Code
  public let severity: Diagnostic.Severity
  /// A few words, no full stop.
  public let title: String
  /// Why it is worth a finding, and how to mend it.
  public let reason: String
  /// Lua that has it.
  public let wrong: String
  /// The same, mended.
  public let right: String
  /// Where the two stand in a workspace.
  public let path: String
  /// Files that stand beside them.
  public let beside: [String: String]
  /// Whether a comment may say that it is meant so; what keeps a file from being loaded cannot.
  public let isIgnorable: Bool

  init(
    _ code: String, _ severity: Diagnostic.Severity, _ title: String, _ reason: String, wrong: String,
    right: String, path: String = "lib/example.lua", beside: [String: String] = [:], isIgnorable: Bool = true
  ) {
    self.code = Diagnostic.Code(rawValue: code)
    self.severity = severity
    self.title = title
    self.reason = reason
    self.wrong = wrong
    self.right = right
    self.path = path
    self.beside = beside
    self.isIgnorable = isIgnorable
  }

  /// Every kind of finding, by code.
  public static let all: [Explanation] =
    (SyntaxExplanations.all + DefinitionExplanations.all + IgnoreRule.explanations
    + RuleBook.file.flatMap { $0.explanations } + RuleBook.workspace.flatMap { $0.explanations })
    .sorted { $0.code.rawValue < $1.code.rawValue }

  static let byCode: [Diagnostic.Code: Explanation] = Dictionary(
    all.map { ($0.code, $0) }
  ) { first, _ in first }

  /// - Returns: nil when there is no such code.
  public static func find(_ code: String) -> Explanation? {
    byCode[Diagnostic.Code(rawValue: code.uppercased())]
  }
}

/// The findings of one file, as its rules make them.
struct Findings {
  let file: String
  private(set) var list: [Diagnostic] = []

  init(file: String) { self.file = file }

  /// - Parameter severity: Another than that of the code, where the same slip does less harm.
  mutating func add(
    _ explanation: Explanation, at range: SourceRange, _ message: String, hint: String? = nil,
    severity: Diagnostic.Severity? = nil, fix: Fix? = nil
  ) {
    list.append(
      Diagnostic(
        file: file, range: range, severity: severity ?? explanation.severity, code: explanation.code,
        message: message, hint: hint, fix: fix))
  }

  mutating func add(_ diagnostics: [Diagnostic]) { list += diagnostics }
}
