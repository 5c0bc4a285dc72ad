// SPDX-License-Identifier: Apache-2.0
import Synchronization

extension Diagnostic.Code {
  public static let unreadable = Self(rawValue: "W101")
  public static let failsToLoad = Self(rawValue: "W102")
  public static let unknownField = Self(rawValue: "W201")
  public static let wrongType = Self(rawValue: "W202")
  public static let outOfRange = Self(rawValue: "W203")
  public static let missingField = Self(rawValue: "W204")
  public static let conflict = Self(rawValue: "W205")
  public static let invalidSchema = Self(rawValue: "W206")
  public static let unknownName = Self(rawValue: "W207")
  public static let duplicateName = Self(rawValue: "W208")
  public static let notAvailable = Self(rawValue: "W209")
  public static let unreachable = Self(rawValue: "W212")
  public static let unknownStep = Self(rawValue: "W301")
  public static let waitingSteps = Self(rawValue: "W302")
  public static let actions = Self(rawValue: "W303")
  public static let unreachableState = Self(rawValue: "W304")
  public static let endlessState = Self(rawValue: "W305")
  public static let patience = Self(rawValue: "W306")
  public static let webhookHost = Self(rawValue: "W308")
}

extension SourceRange {
  /// The first character of a line, for what is only known to be somewhere in it.
  public static func line(_ line: Int, column: Int = 1) -> SourceRange {
    let start = Position(offset: 0, line: line, column: column)
    return SourceRange(start, start)
  }
}

/// Collects the problems of all files of a workspace.
public final class WorkspaceProblems: Sendable {
  private let found = Mutex<[Diagnostic]>([])

  public init() {}

  public var isEmpty: Bool { found.withLock(\.isEmpty) }
  /// Whether the workspace may not be loaded; a warning does not keep it from that.
  public var hasErrors: Bool { found.withLock { $0.contains { $0.severity == .error } } }
  public var count: Int { found.withLock(\.count) }
  var errorCount: Int { found.withLock { $0.count { $0.severity == .error } } }

  /// By file and line.
  public var diagnostics: [Diagnostic] {
    found.withLock { found in
      found.sorted {
        ($0.file, $0.line, $0.column, $0.message) < ($1.file, $1.line, $1.column, $1.message)
      }
    }
  }

  public func add(_ diagnostic: Diagnostic) { found.withLock { $0.append(diagnostic) } }

  public func add(file: String, _ code: Diagnostic.Code, _ message: String, hint: String? = nil) {
    add(
      Diagnostic(file: file, range: .line(1), severity: .error, code: code, message: message, hint: hint))
  }
}

/// Collects the problems of one file, and finds the places of the fields that they speak of.
public struct ProblemList {
  let file: String
  /// What the text shows of what the file returns, looked for when there is a problem to place.
  let table: @Sendable () -> ReturnedTable?
  let all: WorkspaceProblems

  public init(file: String, table: @escaping @Sendable () -> ReturnedTable?, all: WorkspaceProblems) {
    self.file = file
    self.table = table
    self.all = all
  }

  /// Errors of all files so far.
  var errorCount: Int { all.errorCount }

  public func add(
    path: [String], _ code: Diagnostic.Code, _ message: String, hint: String? = nil,
    severity: Diagnostic.Severity = .error, at part: ReturnedTable.Part = .key
  ) {
    all.add(
      Diagnostic(
        file: file, range: table()?.position(of: path, part).range ?? .line(1), severity: severity,
        code: code,
        message: message, hint: hint))
  }
}
