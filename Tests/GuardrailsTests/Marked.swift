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

/// SplitMix64: the same seed, the same cuts.
struct Generator: RandomNumberGenerator {
  var state: UInt64

  // Any other start than a multiple of the step below: else seeds would share their numbers.
  init(seed: Int) { state = UInt64(seed + 1) &* 0xD134_2543_DE82_EF95 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
