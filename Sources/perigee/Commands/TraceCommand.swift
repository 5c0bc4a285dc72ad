// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import JSONCodec
import Server
import Storage

/// `perigee trace RUN`.
struct TraceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Shows what happened in a run: a timeline of its calls, with tokens and cost.",
    discussion: """
      Calls inside a called agent stand below the call. A call without an end was under way when the server stopped,
      or waits.

      Examples:
        perigee trace 0192f0c1-7a52-7000-8d0a-6f1c2b3a4d5e
        perigee trace 0192f0c1-7a52-7000-8d0a-6f1c2b3a4d5e --json
      """)

  @Argument(help: ArgumentHelp("The run's identifier, as 'perigee runs' shows it.", valueName: "run"))
  var id: String

  @Flag(help: "Prints JSON, as GET /v1/runs/RUN/trace does.")
  var json = false

  @OptionGroup var options: WorkspaceOptions

  func run() async throws {
    try await options.withStore { store, _ in
      var trace = RunTrace(
        run: try await store.run(id: id, visibleTo: .everyone), journal: try await store.journal(ofRun: id))
      trace.feedback = try await store.feedback(ofRun: id, visibleTo: .everyone)
      guard !json else { return Console.print(trace.json.text) }
      for line in trace.lines { Console.print(line) }
    }
  }
}

extension RunTrace {
  /// Columns of the timeline.
  private static let width = 32

  var lines: [String] {
    let run = self.run
    let end = max(
      run.finishedAt?.milliseconds ?? run.startedAt.milliseconds,
      spans.map { $0.startedAt.milliseconds + Int64($0.durationMilliseconds) }.max() ?? 0)
    let total = max(1, Double(end - run.startedAt.milliseconds))
    let status = run.failure.map { "\(run.status.rawValue): \($0)" } ?? run.status.rawValue
    var lines = [
      "run \(run.id)  \(run.agent)  \(status)  \(Milliseconds.text(total))  "
        + "\(run.usage.tokens) tokens  \(run.usage.costText)",
      "version \(run.version.shortVersion)  user \(run.userID)"
        + (run.sessionID.map { "  session \($0)" } ?? "") + "  \(run.startedAt)",
    ]
    let rows = spans.map { $0.cells(from: run.startedAt, over: total, width: Self.width) }
    if !rows.isEmpty { lines.append("") }
    lines += Table.lines(rows, left: 5).map { $0.trimmingSpaces }
    if !feedback.isEmpty { lines.append("") }
    for one in feedback {
      lines.append(
        "\(one.userID) thinks \(one.score.scoreText)" + (one.comment.map { ": \($0.onOneLine)" } ?? ""))
    }
    return lines
  }
}

extension RunTrace.Span {
  /// What guards decided, in words: `tool search refused: injection`; `nil` for any other span.
  private var decision: String? {
    guard name == "guardrail", let value = try? result?.value(), let action = value["action"]?.string else {
      return nil
    }
    let what = [value["stage"]?.string, value["tool"]?.string].compactMap { $0 }.joined(separator: " ")
    let rules = (value["rules"]?.array ?? []).compactMap(\.string).joined(separator: ", ")
    return "\(what) \(action): \(rules)"
  }

  fileprivate func cells(from start: Timestamp, over total: Double, width: Int) -> [String] {
    let offset = Double(max(0, startedAt.milliseconds - start.milliseconds))
    let first = min(width - 1, Int(offset / total * Double(width)))
    let length = min(width - first, max(1, Int((durationMilliseconds / total * Double(width)).rounded())))
    let bar = String(repeating: " ", count: first) + String(repeating: "█", count: length)
    var notes: [String] = []
    if let usage { notes.append("\(usage.inputTokens) + \(usage.outputTokens) tokens, \(usage.costText)") }
    switch status {
    case .open: notes.append("has not ended")
    case .failed: notes.append(failure?.description ?? "failed")
    case .ok:
      if let decision {
        notes.append(decision)
      } else if usage == nil, let result, result.bytes.count <= 60, !result.isNull {
        notes.append(result.text)
      }
    }
    return [
      "\(Int(offset)) ms", bar + String(repeating: " ", count: width - bar.count),
      String(repeating: "  ", count: depth) + name, Milliseconds.text(durationMilliseconds),
      notes.joined(separator: "; "),
    ]
  }
}

extension String {
  fileprivate var trimmingSpaces: String {
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }
}
