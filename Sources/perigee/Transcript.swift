// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Synchronization

/// Shows a turn in the terminal as it happens: the answer on standard output, tools on standard error.
final class Transcript: Sendable {
  fileprivate struct State {
    /// Whether the last piece of text left its line open.
    var isInLine = false
    var isClosed = false
  }

  private let state = Mutex(State())

  @Sendable func show(_ event: RunEvent) {
    state.withLock { state in
      if state.isClosed { return }
      switch event {
      case .started: break
      case .text(let text):
        state.isInLine = true
        Console.print(text, terminator: "")
      case .toolStarted(_, let name, let arguments):
        state.endLine()
        if Console.isInteractive { Console.note(dim: "· \(name) \(arguments.text.prefix(200)) …") }
      case .toolFinished(let call):
        state.endLine()
        Console.note(dim: call.line)
      case .approvalRequested(let approval):
        state.endLine()
        Console.note(dim: "· waits for approval: \(approval.question.title) (perigee approve \(approval.id))")
      case .completed, .failed, .waiting: state.endLine()
      }
    }
  }

  /// Says something about the turn on standard error.
  ///
  /// - Parameter endsText: What was shown does not go on; where it does, a file gets it in one piece.
  func note(_ text: String, endsText: Bool = false) {
    state.withLock { state in
      if state.isClosed { return }
      if endsText || Console.isTerminal { state.endLine() }
      Console.note(dim: text)
    }
  }

  /// Shows nothing any more, whatever becomes of the turn.
  func close() {
    state.withLock { state in
      state.endLine()
      state.isClosed = true
    }
  }
}

extension Transcript.State {
  fileprivate mutating func endLine() {
    if isInLine { Console.print("") }
    isInLine = false
  }
}

extension ToolCall {
  /// `list_todos {"limit":10} (1.2 ms)`.
  fileprivate var line: String {
    let milliseconds = "\((durationMilliseconds * 10).rounded() / 10) ms"
    switch outcome {
    case .result: return "· \(name) \(arguments.text.prefix(200)) (\(milliseconds))"
    case .failed(let failure):
      return "· \(name) \(arguments.text.prefix(200)) failed: \(failure.message) (\(milliseconds))"
    }
  }
}
