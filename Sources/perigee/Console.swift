// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Evals
import Glibc
import Settings
import Synchronization
import Workspace

/// Exit codes that scripts around the command line may rely on.
enum ExitStatus: Int32 {
  /// The thing asked about is bad.
  case bad = 1
  /// Wrong usage or configuration.
  case usage = 2
  /// A bug of ours.
  case software = 70
}

/// What a command failed with: said on stderr, with the way to mend it.
struct CommandError: Error {
  let message: String
  var hint: String?
  var status: ExitStatus = .usage
}

/// Standard output and standard error; to a terminal nothing goes that it would obey.
enum Console {
  static func print(_ text: String, terminator: String = "\n") {
    write(shown(text, on: STDOUT_FILENO) + terminator, to: STDOUT_FILENO)
  }

  /// Writes a line on standard error, its second part dim where colours are wanted.
  ///
  /// Source: https://no-color.org.
  static func note(_ text: String = "", dim: String = "") {
    let isColoured = !dim.isEmpty && isatty(STDERR_FILENO) == 1 && getenv("NO_COLOR") == nil
    let dim = shown(dim, on: STDERR_FILENO)
    write(
      shown(text, on: STDERR_FILENO) + (isColoured ? "\u{1B}[2m\(dim)\u{1B}[0m" : dim) + "\n",
      to: STDERR_FILENO)
  }

  /// Writes a line on standard output, coloured on a terminal.
  static func print(_ spans: [Span]) {
    let isColoured = isTerminal && getenv("NO_COLOR") == nil
    let line = spans.map { span in
      let text = shown(span.text, on: STDOUT_FILENO)
      return isColoured && span.tone != .plain ? "\u{1B}[\(span.tone.code)m\(text)\u{1B}[0m" : text
    }.joined()
    write(line + "\n", to: STDOUT_FILENO)
  }

  /// Says on a terminal how far something is, in a line that goes away; `nil` takes it away.
  static func progress(_ text: String?) {
    guard isTerminal, isatty(STDERR_FILENO) == 1, getenv("TERM").map({ strcmp($0, "dumb") }) != 0 else {
      return
    }
    write("\r\u{1B}[K" + (text.map { shown($0, on: STDERR_FILENO) } ?? ""), to: STDERR_FILENO)
  }

  static var isInteractive: Bool { isatty(STDIN_FILENO) == 1 && isTerminal }

  /// Whether somebody looks at standard output.
  static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  /// A file gets every character: there it does nothing.
  private static func shown(_ text: String, on descriptor: Int32) -> String {
    text.hasControls && isatty(descriptor) == 1 ? text.withoutControls : text
  }

  /// Held while a line is written: a long one takes a pipe several steps.
  private static let writing = Mutex(())

  private static func write(_ text: String, to descriptor: Int32) {
    writing.withLock { _ in writeAll(text, to: descriptor) }
  }

  private static func writeAll(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { buffer in
      var rest = UnsafeRawBufferPointer(buffer)
      while !rest.isEmpty {
        let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        // Nobody reads any more: there is no one to tell.
        guard count > 0 else { return }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
    }
  }

  /// Says what went wrong and ends the process.
  static func exit(for error: any Error) -> Never {
    switch error {
    case let error as CommandError: fail(error.message, error.hint, error.status)
    case let error as ConfigurationError:
      for problem in error.problems {
        note("error: \(problem)")
        if let hint = problem.hint { note("hint: \(hint)") }
      }
      Glibc.exit(ExitStatus.usage.rawValue)
    case let error as WorkspaceError:
      note(error.description)
      let count = error.diagnostics.count
      fail("the workspace has \(count) problem\(count == 1 ? "" : "s")", "mend the scripts above", .usage)
    case let failure as Failure: fail(failure)
    case is CancellationError: Glibc.exit(130)
    default: exit(forParser: error)
    }
  }

  private static func fail(_ failure: Failure) -> Never {
    if failure.code == .cancelled { Glibc.exit(130) }
    if let diagnostic = failure.diagnostic { note(diagnostic) }
    let status: ExitStatus =
      switch failure.code {
      case .invalidArguments, .notFound, .denied: .usage
      case .internal where failure.diagnostic == nil: .software
      default: .bad
      }
    fail("\(failure.message) [\(failure.code)]", nil, status)
  }

  private static func fail(_ message: String, _ hint: String?, _ status: ExitStatus) -> Never {
    note("error: \(message)")
    if let hint { note("hint: \(hint)") }
    Glibc.exit(status.rawValue)
  }

  /// Help and version end well; wrong usage ends with 2, not with the parser's own code.
  private static func exit(forParser error: any Error) -> Never {
    let code = Perigee.exitCode(for: error)
    let message = Perigee.fullMessage(for: error)
    if code == .success {
      print(message)
      Glibc.exit(0)
    }
    if code == .validationFailure {
      note(message.hasPrefix("Error: ") ? "error: " + message.dropFirst("Error: ".count) : message)
      Glibc.exit(ExitStatus.usage.rawValue)
    }
    if error is ExitCode { Glibc.exit(code.rawValue) }
    fail(String(describing: error), nil, .software)
  }
}

extension Span.Tone {
  /// Parameter of SGR. Source: ECMA-48, 8.3.117.
  fileprivate var code: Int {
    switch self {
    case .plain: 0
    case .good: 32
    case .bad: 31
    case .doubtful: 33
    case .aside: 2
    }
  }
}
