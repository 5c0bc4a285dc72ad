// SPDX-License-Identifier: Apache-2.0

extension EvalReport {
  /// The report as CI systems read it: a suite for each file, a test for each case.
  ///
  /// Source: the schema of Jenkins' xUnit plugin, junit-10.xsd.
  public var junit: String {
    var lines = [
      #"<?xml version="1.0" encoding="UTF-8"?>"#,
      "<testsuites name=\"perigee eval\" \(Self.counts(results)) time=\"\(duration.seconds)\">",
    ]
    var files: [String] = []
    for result in results where !files.contains(result.evalCase.place.file) {
      files.append(result.evalCase.place.file)
    }
    for file in files {
      let own = results.filter { $0.evalCase.place.file == file }
      let time = own.reduce(Duration.zero) { $0 + $1.duration }
      lines.append("  <testsuite name=\"\(file.xml)\" \(Self.counts(own)) time=\"\(time.seconds)\">")
      for result in own { lines += result.junit }
      lines.append("  </testsuite>")
    }
    return (lines + ["</testsuites>", ""]).joined(separator: "\n")
  }

  private static func counts(_ results: [CaseResult]) -> String {
    let failures = results.count { $0.status == .failed }
    let skipped = results.count { $0.status == .skipped || $0.status == .interrupted }
    return "tests=\"\(results.count)\" failures=\"\(failures)\" errors=\"0\" skipped=\"\(skipped)\""
  }
}

extension CaseResult {
  fileprivate var junit: [String] {
    let head =
      "    <testcase classname=\"\(evalCase.place.file.xml)\" name=\"\(evalCase.name.xml)\" time=\"\(duration.seconds)\""
    switch status {
    case .ok: return [head + "/>"]
    case .skipped, .interrupted:
      return [head + ">", "      <skipped message=\"\(status.rawValue)\"/>", "    </testcase>"]
    case .failed:
      let kinds = turns.flatMap(\.judgements).filter(\.verdict.isFailed).map(\.name)
      let text = details.map { line in line.map(\.text).joined() }
      return [
        head + ">",
        "      <failure type=\"\((kinds.first ?? "fault").xml)\" message=\"\((kinds.isEmpty ? "not run" : kinds.joined(separator: ", ")).xml)\">\(text.joined(separator: "\n").xml)</failure>",
        "    </testcase>",
      ]
    }
  }
}

extension Duration {
  fileprivate var seconds: Double { (self / .seconds(1) * 1000).rounded() / 1000 }
}

extension String {
  /// Fit for an attribute and for text; what XML 1.0 cannot hold at all is replaced.
  fileprivate var xml: String {
    var result = UnicodeScalarView()
    for scalar in unicodeScalars {
      switch scalar {
      case "&": result.append(contentsOf: "&amp;".unicodeScalars)
      case "<": result.append(contentsOf: "&lt;".unicodeScalars)
      case ">": result.append(contentsOf: "&gt;".unicodeScalars)
      case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
      case "\t", "\n", "\u{20}"..."\u{D7FF}", "\u{E000}"..."\u{FFFD}", "\u{10000}"..."\u{10FFFF}":
        result.append(scalar)
      default: result.append("\u{FFFD}")
      }
    }
    return String(result)
  }
}
