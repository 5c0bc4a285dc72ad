// SPDX-License-Identifier: Apache-2.0

/// `-- perigee: ignore P111 because …`: findings of that code on this line, or on the next one, are meant so.
struct Ignore: Sendable {
  let codes: [Diagnostic.Code]
  /// Empty = the comment is not complete, and hides nothing.
  let reason: String
  let line: Int
  /// The comment.
  let range: SourceRange

  static func all(in file: ParsedFile) -> [Ignore] {
    let comments = file.chunk.comments
    // Only a comment alone on its line speaks of the next one.
    var lines: Set<Int> = []
    return comments.compactMap { comment in
      let text = comment.text.trimmed
      guard !comment.isLong, text.hasPrefix("perigee:") else { return nil }
      let words = text.dropFirst("perigee:".count).split(separator: " ").map(String.init)
      guard words.first == "ignore" else { return nil }
      let because = words.firstIndex(of: "because") ?? words.count
      let codes = words[1..<max(1, because)].flatMap { $0.split(separator: ",") }.map {
        Diagnostic.Code(rawValue: String($0))
      }
      if lines.isEmpty { lines = Set(comments.lazy.map(\.range.start.line)) }
      var line = comment.range.start.line
      if file.source.line(line).prefix(while: { $0 == " " || $0 == "\t" }).unicodeScalars.count == comment
        .range.start.column - 1
      {
        line += 1
        // Several may stand above one line.
        while lines.contains(line), file.source.line(line).trimmed.hasPrefix("--") { line += 1 }
      }
      let reason = because + 1 < words.count ? words[(because + 1)...].joined(separator: " ") : ""
      return Ignore(codes: codes, reason: reason, line: line, range: comment.range)
    }
  }

  func hides(_ finding: Diagnostic) -> Bool {
    !reason.isEmpty && finding.line == line && codes.contains(finding.code)
      && Explanation.byCode[finding.code]?.isIgnorable != false
  }
}

/// Comments that excuse findings, held against the findings that there are.
enum IgnoreRule {
  static let incomplete = Explanation(
    "P901", .warning, "ignore without a code or a reason",
    "It hides nothing. Write which findings are meant and why, so that the next reader need not guess: `-- perigee: ignore P111 because …`.",
    wrong: "-- perigee: ignore P111\nlocal unused = 1\nreturn {}\n",
    right: "-- perigee: ignore P111 because the next release needs it\nlocal unused = 1\nreturn {}\n",
    isIgnorable: false)
  static let idle = Explanation(
    "P902", .warning, "ignore that hides nothing",
    "The line has no such finding any more, or one that cannot be ignored. `--fix` takes the comment away.",
    wrong: "-- perigee: ignore P111 because it is kept for later\nlocal used = 1\nreturn used\n",
    right: "local used = 1\nreturn used\n", isIgnorable: false)
  static let explanations = [incomplete, idle]

  /// - Returns: The findings that are not excused, and what is wrong with the excuses.
  static func apply(_ ignores: [Ignore], to findings: [Diagnostic], of file: ParsedFile) -> [Diagnostic] {
    if ignores.isEmpty { return findings }
    var left = Findings(file: file.source.name)
    left.add(findings.filter { finding in !ignores.contains { $0.hides(finding) } })
    for ignore in ignores {
      if ignore.reason.isEmpty || ignore.codes.isEmpty {
        left.add(
          incomplete, at: ignore.range,
          ignore.codes.isEmpty ? "this ignore names no code" : "this ignore gives no reason",
          hint: "-- perigee: ignore \(ignore.codes.first?.rawValue ?? "P111") because …")
        continue
      }
      // Of a file that cannot be read nothing else is said, and so nothing of what is missing.
      guard file.diagnostics.isEmpty else { continue }
      let idle = ignore.codes.filter { code in
        !findings.contains { $0.code == code && ignore.hides($0) }
      }
      if idle.isEmpty { continue }
      left.add(
        self.idle, at: ignore.range,
        "there is no \(idle.map(\.rawValue).joined(separator: " or ")) to ignore here",
        fix: idle.count == ignore.codes.count
          ? .removing(ignore.range, from: file.source, "take the comment away") : nil)
    }
    return left.list
  }
}

extension StringProtocol {
  /// Without spaces and tabs at its ends.
  var trimmed: String {
    let start = drop { $0 == " " || $0 == "\t" }
    return String(start.reversed().drop { $0 == " " || $0 == "\t" || $0 == "\r" }.reversed())
  }
}
