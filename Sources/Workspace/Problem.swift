// SPDX-License-Identifier: Apache-2.0
import Lint
import Synchronization

extension Diagnostic.Code {
  static let unreadable = Self(rawValue: "W101")
  static let failsToLoad = Self(rawValue: "W102")
  static let unknownField = Self(rawValue: "W201")
  static let wrongType = Self(rawValue: "W202")
  static let outOfRange = Self(rawValue: "W203")
  static let missingField = Self(rawValue: "W204")
  static let conflict = Self(rawValue: "W205")
  static let invalidSchema = Self(rawValue: "W206")
  static let unknownName = Self(rawValue: "W207")
  static let duplicateName = Self(rawValue: "W208")
  static let notAvailable = Self(rawValue: "W209")
}

extension SourceRange {
  /// The first character of a line, for what is only known to be somewhere in it.
  static func line(_ line: Int, column: Int = 1) -> SourceRange {
    let start = Position(offset: 0, line: line, column: column)
    return SourceRange(start, start)
  }
}

/// Collects the problems of all files of a workspace.
final class WorkspaceProblems: Sendable {
  private let found = Mutex<[Diagnostic]>([])

  var isEmpty: Bool { found.withLock(\.isEmpty) }
  var count: Int { found.withLock(\.count) }

  /// By file and line.
  var diagnostics: [Diagnostic] {
    found.withLock { found in
      found.sorted {
        ($0.file, $0.line, $0.column, $0.message) < ($1.file, $1.line, $1.column, $1.message)
      }
    }
  }

  func add(_ diagnostic: Diagnostic) { found.withLock { $0.append(diagnostic) } }

  func add(file: String, _ code: Diagnostic.Code, _ message: String, hint: String? = nil) {
    add(
      Diagnostic(file: file, range: .line(1), severity: .error, code: code, message: message, hint: hint))
  }
}

/// Collects the problems of one file, and finds the places of the fields that they speak of.
struct ProblemList {
  let file: String
  /// What the text shows of what the file returns, looked for when there is a problem to place.
  let table: @Sendable () -> ReturnedTable?
  let all: WorkspaceProblems

  func add(path: [String], _ code: Diagnostic.Code, _ message: String, hint: String? = nil) {
    all.add(
      Diagnostic(
        file: file, range: table()?.position(of: path).range ?? .line(1), severity: .error, code: code,
        message: message, hint: hint))
  }
}

enum Nearest {
  static func hint(for name: String, in known: some Sequence<String>) -> String? {
    Suggestion.nearest(to: name, in: Array(known)).map { "did you mean '\($0)'?" }
  }
}
