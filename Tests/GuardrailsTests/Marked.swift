// SPDX-License-Identifier: Apache-2.0
import Guardrails
import Testing

/// A text whose findings are written in ⟨ and ⟩.
struct Marked {
  let text: String
  let ranges: [Range<Int>]

  init(_ source: String) {
    var text = ""
    var ranges: [Range<Int>] = []
    var start = 0
    for scalar in source.unicodeScalars {
      switch scalar {
      case "⟨": start = text.utf8.count
      case "⟩": ranges.append(start..<text.utf8.count)
      default: text.unicodeScalars.append(scalar)
      }
    }
    self.text = text
    self.ranges = ranges
  }

  /// Expects one detector to find what is marked, and nothing else.
  func expect(_ detector: Detector, sourceLocation: SourceLocation = #_sourceLocation) {
    let findings = Inspectors.one(detector).findings(in: text)
    let wanted = ranges.map { Finding(detector: detector, range: $0) }
    #expect(findings == wanted, "\(shown(findings, in: text))", sourceLocation: sourceLocation)
  }
}

enum Inspectors {
  static let all = Inspector(Detector.allCases, profaneWords: ["blorf", "Größenwahn"])
  private static let single = Dictionary(
    uniqueKeysWithValues: Detector.allCases.map { ($0, Inspector([$0])) })

  static func one(_ detector: Detector) -> Inspector { single[detector]! }
}

func shown(_ findings: [Finding], in text: String) -> [String] {
  let bytes = Array(text.utf8)
  return findings.map { "\($0.detector.name): \(String(decoding: bytes[$0.range], as: UTF8.self))" }
}
