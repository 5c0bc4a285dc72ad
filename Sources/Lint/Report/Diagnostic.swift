// SPDX-License-Identifier: Apache-2.0

/// One thing that is wrong in a file.
public struct Diagnostic: Sendable, Hashable {
  public enum Severity: String, Sendable, Hashable, CaseIterable {
    case error, warning, info
  }

  /// Stable name of a kind of finding: `P001`.
  public struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }
  }

  public let file: String
  public let range: SourceRange
  public let severity: Severity
  public let code: Code
  /// One line, no full stop.
  public let message: String
  /// How to mend it.
  public let hint: String?
  /// A change that mends it, where one is safe.
  public let fix: Fix?

  public init(
    file: String, range: SourceRange, severity: Severity, code: Code, message: String, hint: String? = nil,
    fix: Fix? = nil
  ) {
    self.file = file
    self.range = range
    self.severity = severity
    self.code = code
    self.message = message
    self.hint = hint
    self.fix = fix
  }

  /// The same under another name of its file.
  public func renamed(_ file: String) -> Diagnostic {
    Diagnostic(
      file: file, range: range, severity: severity, code: code, message: message, hint: hint, fix: fix)
  }

  public var line: Int { range.start.line }
  public var column: Int { range.start.column }
  public var endLine: Int { range.end.line }
  /// Column after the last one.
  public var endColumn: Int { range.end.column }
}

extension Diagnostic.Code {
  /// Something else was expected here.
  public static let unexpected = Self(rawValue: "P001")
  /// A block or a bracket is never closed.
  public static let unclosed = Self(rawValue: "P002")
  /// A string or a long comment is never closed.
  public static let unfinished = Self(rawValue: "P003")
  public static let malformedNumber = Self(rawValue: "P004")
  public static let invalidEscape = Self(rawValue: "P005")
  /// A character that Lua has no use for.
  public static let invalidCharacter = Self(rawValue: "P006")
  public static let nestedTooDeeply = Self(rawValue: "P007")
  public static let breakOutsideLoop = Self(rawValue: "P008")
  /// A `goto` without its label, or into the scope of a local.
  public static let badGoto = Self(rawValue: "P009")
  public static let duplicateLabel = Self(rawValue: "P010")
  public static let varargOutside = Self(rawValue: "P011")
  public static let constantAssigned = Self(rawValue: "P012")
  public static let badAttribute = Self(rawValue: "P013")
  /// More locals or upvalues than a function can have.
  public static let tooMany = Self(rawValue: "P014")
}
