// SPDX-License-Identifier: Apache-2.0
import Guardrails
import TestSupport
import Testing

@Suite("masking")
struct MaskingTests {
  @Test(
    "a mask keeps the shape",
    arguments: [
      ("4111 1111 1111 1111", "**** **** **** 1111"), ("378282246310005", "***********0005"),
      ("joe@example.com", "j***@example.com"),
      ("DE89 3704 0044 0532 0130 00", "DE** **** **** **** **30 00"),
      ("öster@example.com", "ö***@example.com"), ("call +14155552671!", "call [phone]!"),
      ("SSN 123-45-6789", "SSN [national_id]"), ("password=hunter2&x", "password=[password]&x"),
      ("holy shit", "holy [profanity]"),
      ("postgres://u:pw1@h", "postgres://u:[password]@h"),
    ])
  func masks(text: String, masked: String) { #expect(Inspectors.all.masked(text) == masked) }

  @Test("a removal leaves nothing")
  func removes() {
    let text = "joe@example.com, 4111111111111111"
    #expect(Inspectors.all.masked(text, style: .remove) == "[removed: email], [removed: card]")
  }

  @Test("what was masked is not found again", arguments: MaskStyle.allCases)
  func isIdempotent(style: MaskStyle) {
    for text in Samples.texts {
      for detector in Detector.allCases {
        let masked = Inspectors.one(detector).masked(text, style: style)
        let again = Inspectors.one(detector).findings(in: masked)
        #expect(again.isEmpty, "\(text) -> \(masked): \(shown(again, in: masked))")
      }
      let masked = Inspectors.all.masked(text, style: style)
      #expect(Inspectors.all.masked(masked, style: style) == masked)
    }
  }

  // Of two findings without a space between, one may hide the other until it is masked.
  @Test("what was masked in a mixture is not found again", arguments: 0..<40)
  func isIdempotentInMixtures(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    for _ in 0..<20 {
      let text = Samples.mixture(of: Samples.spaces, using: &generator)
      let style = MaskStyle.allCases.randomElement(using: &generator)!
      let masked = Inspectors.all.masked(text, style: style)
      let again = Inspectors.all.masked(masked, style: style)
      #expect(again == masked, "SEED=\(seed) \(text.debugDescription)")
    }
  }

  @Test("findings are in order, apart, and on the borders of scalars", arguments: 0..<40)
  func isOrdered(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    for _ in 0..<20 {
      let text = Samples.mixture(using: &generator)
      let bytes = Array(text.utf8)
      var last = 0
      for finding in Inspectors.all.findings(in: text) {
        #expect(
          finding.range.lowerBound >= last && !finding.range.isEmpty
            && finding.range.upperBound <= bytes.count)
        last = finding.range.upperBound
        for border in [finding.range.lowerBound, last] where border < bytes.count {
          #expect(bytes[border] & 0xC0 != 0x80, "\(finding) in \(text.debugDescription)")
        }
      }
    }
  }
}
