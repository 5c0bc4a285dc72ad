// SPDX-License-Identifier: Apache-2.0
import Guardrails
import TestSupport
import Testing

@Suite("streaming")
struct StreamingTests {
  private func expectSame(
    _ text: String, _ pieces: [String], _ inspector: Inspector, _ style: MaskStyle, _ note: String
  ) {
    var stream = StreamingInspector(inspector, style: style)
    var shown: [String] = pieces.map { stream.push($0) }
    shown.append(stream.finish())
    #expect(shown.joined() == inspector.masked(text, style: style), "\(note) \(text.debugDescription)")
    #expect(stream.findings == inspector.findings(in: text), "\(note)")
    if !text.contains("\u{FFFD}") { #expect(!shown.contains { $0.contains("\u{FFFD}") }) }
  }

  @Test("one scalar at a time gives what the whole gives", arguments: Detector.allCases)
  func singleScalars(detector: Detector) {
    for text in Samples.texts where text.utf8.count < 300 {
      let pieces = text.unicodeScalars.map { String($0) }
      expectSame(text, pieces, Inspectors.one(detector), .mask, detector.name)
    }
  }

  @Test("one scalar at a time gives what the whole gives, of long texts, too", arguments: MaskStyle.allCases)
  func singleScalarsOfLongTexts(style: MaskStyle) {
    for text in Samples.texts where text.utf8.count >= 300 {
      expectSame(text, text.unicodeScalars.map { String($0) }, Inspectors.all, style, "long")
    }
  }

  @Test("any way of cutting gives what the whole gives", arguments: 0..<60)
  func randomCuts(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    for _ in 0..<10 {
      let text = Samples.mixture(using: &generator)
      let scalarsMax = [1, 2, 5, 40].randomElement(using: &generator)!
      let pieces = Samples.cut(text, scalarsMax: scalarsMax, using: &generator)
      let style = MaskStyle.allCases.randomElement(using: &generator)!
      let some = Detector.allCases.filter { _ in Bool.random(using: &generator) }
      expectSame(text, pieces, Inspectors.all, style, "SEED=\(seed)")
      expectSame(text, pieces, Inspector(some), style, "SEED=\(seed)")
    }
  }

  @Test("every cut in two gives what the whole gives")
  func everyCut() {
    for text in Samples.hits where text.utf8.count < 120 {
      let scalars = Array(text.unicodeScalars)
      for cut in 0...scalars.count {
        let pieces = [scalars[..<cut], scalars[cut...]].map { String(String.UnicodeScalarView($0)) }
        expectSame(text, pieces, Inspectors.all, .mask, "cut at \(cut)")
      }
    }
  }

  @Test("of prose only the last words are held back")
  func holdsLittle() {
    var stream = StreamingInspector(Inspectors.all)
    var held = 0
    var pushes = 0
    for character in Corpus.prose {
      _ = stream.push(String(character))
      #expect(stream.heldBytes < 40)
      held += stream.heldBytes
      pushes += 1
    }
    #expect(held / pushes < 8)
  }

  @Test(
    "a hold is bounded",
    arguments: [
      "a", "1", "1 ", "sk-" + "a", "<a ", "'", "ignore ", "-", "\u{200B}", "a.", "eyJ", "=", "password=",
    ])
  func boundsHold(unit: String) {
    for opener in [
      "", "x ", "password=", "Bearer ", "sk-" + "ant-1", "https://a:", "<img ", "ignore ", "+1", "joe@",
    ] {
      var stream = StreamingInspector(Inspectors.all)
      _ = stream.push(opener)
      for _ in 0..<(3000 / unit.utf8.count) {
        _ = stream.push(unit)
        #expect(stream.heldBytes <= 700)
      }
    }
  }

  @Test("a private key is held until it ends")
  func holdsPrivateKey() {
    let key = SecretSamples.pem("RSA PRIVATE", lines: 40)
    var stream = StreamingInspector(Inspectors.one(.privateKey))
    var shown = stream.push("key:\n")
    for character in key { shown += stream.push(String(character)) }
    #expect(shown == "key:\n")
    shown += stream.push("\n" + String(repeating: "and so on ", count: 40))
    #expect(shown.hasPrefix("key:\n[private_key]\nand so on"))
  }

  @Test("an endless key is passed over as it arrives")
  func swallowsTail() {
    var stream = StreamingInspector(Inspectors.one(.apiKey))
    var shown = stream.push("a sk-" + "ant-1")
    for _ in 0..<10_000 { shown += stream.push("xy") }
    #expect(stream.heldBytes < 200)
    shown += stream.push(" b")
    #expect(shown + stream.finish() == "a [api_key] b")
    #expect(stream.findings.map(\.range) == [2..<20_010])
  }

  @Test("a new text begins after the end of one")
  func startsAgain() {
    var stream = StreamingInspector(Inspectors.one(.email))
    #expect(stream.push("joe@exam") + stream.finish() == "joe@exam")
    #expect(stream.push("ple.com joe@example.com") + stream.finish() == "ple.com j***@example.com")
    #expect(stream.findings.map(\.range) == [16..<31])
  }
}
