// SPDX-License-Identifier: Apache-2.0
import Core
import Evals
import Identity
import JSONCodec
import Settings
import Storage

/// One part of an installation, and how it is.
struct Finding: Sendable {
  enum State: String, Sendable {
    case ok, warning, error

    var tone: Span.Tone {
      switch self {
      case .ok: .good
      case .warning: .doubtful
      case .error: .bad
      }
    }
  }

  let part: String
  let state: State
  let message: String
  var hint: String?

  static func ok(_ part: String, _ message: String) -> Finding {
    Finding(part: part, state: .ok, message: message)
  }

  static func warning(_ part: String, _ message: String, hint: String) -> Finding {
    Finding(part: part, state: .warning, message: message, hint: hint)
  }

  static func error(_ part: String, _ message: String, hint: String?) -> Finding {
    Finding(part: part, state: .error, message: message, hint: hint)
  }

  /// What a check threw that `serve` makes as well: a finding for each problem.
  static func refusals(_ part: String, _ error: any Error) -> [Finding] {
    switch error {
    case let error as ConfigurationError:
      error.problems.map { .error(part, $0.description, hint: $0.hint) }
    case let error as CommandError: [.error(part, error.message, hint: error.hint)]
    case let error as IdentityError: [.error(part, error.message, hint: error.hint)]
    case let error as BackupError: [.error(part, error.message, hint: error.hint)]
    default: [.error(part, Failure(error).message, hint: Failure(error).diagnostic)]
    }
  }

  func write(to writer: inout JSONWriter) {
    writer.object {
      $0.member("part", part)
      $0.member("state", state.rawValue)
      $0.member("message", message)
      if let hint { $0.member("hint", hint) }
    }
  }
}
