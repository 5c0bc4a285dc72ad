// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Synchronization

/// Shows a turn in the terminal as it happens: the answer on standard output, tools on standard error.
final class Transcript: Sendable {
  /// Whether the last piece of text left its line open.
  private let isInLine = Mutex(false)

  @Sendable func show(_ event: RunEvent) {
    switch event {
    case .started: break
    case .text(let text):
      isInLine.withLock { $0 = true }
      Console.print(text, terminator: "")
    case .toolStarted(_, let name, let arguments):
      endLine()
      if Console.isInteractive { Console.note(Console.dim("· \(name) \(arguments.text.prefix(200)) …")) }
    case .toolFinished(let call): Console.note(Console.dim(call.line))
    case .completed, .failed: endLine()
    }
  }

  private func endLine() {
    let wasInLine = isInLine.withLock { isInLine in
      defer { isInLine = false }
      return isInLine
    }
    if wasInLine { Console.print("") }
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
