// SPDX-License-Identifier: Apache-2.0
import Core

/// A part of a line, and what it means, so that a terminal may colour it.
public struct Span: Sendable, Hashable {
  public enum Tone: Sendable {
    case plain, good, bad, doubtful, aside
  }

  public let text: String
  public let tone: Tone

  public init(_ text: String, _ tone: Tone = .plain) {
    self.text = text
    self.tone = tone
  }
}

/// The table of results: its columns are as wide as the names are long, so it can be printed row by row.
public struct EvalTable: Sendable {
  private static let nameMax = 60
  private let width: Int

  public init(_ cases: [EvalCase]) {
    width = min(EvalTable.nameMax, max(4, cases.map(\.name.count).max() ?? 0)) + 2
  }

  public var header: [Span] {
    [Span("\("CASE".padded(width))  TURNS  RESULT       ANSWERS    TIME      COST", .aside)]
  }

  /// The line before the first case of a file.
  public func heading(_ file: String) -> [Span] { [Span(file)] }

  public func row(_ result: CaseResult) -> [Span] {
    let name = result.evalCase.name.split(whereSeparator: \.isNewline).joined(separator: " ")
    let shown = name.count > EvalTable.nameMax ? name.prefix(EvalTable.nameMax - 1) + "…" : name
    return [
      Span("  \(shown)".padded(width) + "  " + "\(result.evalCase.turns.count)".padded(5) + "  "),
      Span(result.status.word.padded(11), result.status.tone),
      Span(
        "  \((result.answerer?.rawValue ?? "-").padded(9))  \(result.duration.short.padded(8))  \(result.usage.cost)"
      ),
    ]
  }
}

extension CaseResult {
  /// What was expected and what came, for each expectation that failed or could not be judged.
  public var details: [[Span]] {
    let judged = turns.contains { $0.judgements.contains { $0.verdict != .met } }
    guard fault != nil || judged else { return [] }
    var lines = [
      [
        Span(status.word, status.tone),
        Span(" \(evalCase.name) (\(evalCase.place), agent \(evalCase.agent), \(phrase))"),
      ]
    ]
    if let fault { lines += fault.lines(indent: 2) }
    for (index, turn) in turns.enumerated() { lines += turn.details(number: index + 1) }
    return lines
  }
}

extension TurnResult {
  fileprivate func details(number: Int) -> [[Span]] {
    let open = judgements.filter { $0.verdict != .met }
    guard !open.isEmpty else { return [] }
    var lines = [[Span("  turn \(number): \(turn.message.shortened(indent: 10))")]]
    for judgement in open {
      switch judgement.verdict {
      case .met: continue
      case .skipped(let reason):
        lines.append([Span("    skipped ", .doubtful), Span("\(judgement.name): \(reason)")])
      case .failed(let mismatch):
        lines.append([Span("    \(judgement.name)", .bad)])
        lines += mismatch.lines(indent: 6)
      }
    }
    lines.append([Span("    tools: \(outcome.callsSummary.shortened(indent: 11))", .aside)])
    return lines
  }
}

extension Mismatch {
  fileprivate func lines(indent: Int) -> [[Span]] {
    let margin = String(repeating: " ", count: indent)
    var lines = [
      [Span("\(margin)expected: \(expected.shortened(indent: indent + 10))")],
      [Span("\(margin)got:      \(got.shortened(indent: indent + 10))")],
    ]
    let shown = differences.prefix(Mismatch.differencesMax)
    lines += shown.map { line in
      let tone: Span.Tone = line.hasPrefix("- ") ? .bad : line.hasPrefix("+ ") ? .good : .plain
      return [Span("\(margin)  "), Span(line.shortened(indent: indent + 4), tone)]
    }
    let rest = differences.count - shown.count
    if rest > 0 { lines.append([Span("\(margin)  and \(rest) more lines", .aside)]) }
    return lines
  }

  /// Lines of a comparison that are shown.
  private static let differencesMax = 60
}

extension EvalReport {
  /// The last line: how many of what, the time, the cost.
  public var summary: [Span] {
    var spans = [Span("\(results.count) case\(results.count == 1 ? "" : "s"): ")]
    for status in CaseResult.Status.allCases where count(status) > 0 {
      if spans.count > 1 { spans.append(Span(", ")) }
      spans.append(Span("\(count(status)) \(status.rawValue)", status.tone))
    }
    return spans + [Span(" (\(duration.short), \(usage.cost))")]
  }
}

// MARK: Words

extension CaseResult.Status {
  fileprivate var word: String { self == .failed ? "FAILED" : rawValue }

  fileprivate var tone: Span.Tone {
    switch self {
    case .ok: .good
    case .failed: .bad
    case .skipped, .interrupted: .doubtful
    }
  }
}

extension CaseResult {
  fileprivate var phrase: String {
    switch answerer {
    case .stub: "nothing recorded: the stub answered"
    case .recording: "answered from its recording"
    case .model: "answered by the model"
    case nil: "no model was asked"
    }
  }
}

extension Usage {
  /// `$0.0012`; `?` when no price is known.
  fileprivate var cost: String {
    guard let costUSD else { return "$?" }
    let units = Int64((costUSD * 1_000_000).rounded())
    if units == 0 { return "$0" }
    let digits = "\(units % 1_000_000)"
    var fraction = String(repeating: "0", count: 6 - digits.count) + digits
    while fraction.hasSuffix("0"), fraction.count > 2 { fraction.removeLast() }
    return "$\(units / 1_000_000).\(fraction)"
  }
}

extension Duration {
  /// `12 ms`, `1.2 s`.
  fileprivate var short: String {
    let milliseconds = self / .milliseconds(1)
    if milliseconds < 1000 { return "\(Int(milliseconds.rounded())) ms" }
    return "\((milliseconds / 100).rounded() / 10) s"
  }
}

extension String {
  fileprivate func padded(_ width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, width - count))
  }

  /// No more than a screenful, further lines under the first.
  fileprivate func shortened(indent: Int) -> String {
    let cut = count > 1500 ? prefix(1500) + "…" : self[...]
    let lines = cut.split(separator: "\n", omittingEmptySubsequences: false)
    let shown = lines.count > 20 ? lines.prefix(20) + ["…"] : lines[...]
    return shown.joined(separator: "\n" + String(repeating: " ", count: indent))
  }
}
