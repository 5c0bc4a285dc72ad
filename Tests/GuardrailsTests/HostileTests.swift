// SPDX-License-Identifier: Apache-2.0
import Guardrails
import TestSupport
import Testing

@Suite("hostile texts")
struct HostileTests {
  #if DEBUG
    static let bytes = 64 * 1024
  #else
    static let bytes = 1024 * 1024
  #endif

  static let units = [
    "1", "1 ", "11-", "4111 ", "@", "a@", "a@b.", "a.", "a@b@", "eyJ", "eyJ.", "eyJhbGciOiJIUzI1NiJ9.",
    "-----BEGIN", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n",
    "<", "<a ", "<a on", "<!ENTITY ", "ignore ", "ignore all ", "you are ", "\u{200B}", "i\u{200B}",
    "\u{E0041}", "\u{1F3F4}\u{E0041}", "'", "' or ", "';", "; ", "|", "../", "..", "{{", "${", "${${", "=",
    ":", "password=", "password: \"",
    "a://", "a://b:", "https://a:b", "+", "+1", "(1", "(030) ", "DE89", "DE89 ", "AB 12 ", "bearer ",
    "Bearer a1", "sk-", "SK0", "xoxb-1", "fuuu", "$", "é", "😀", "\u{D0}\u{430}", "system: a ", "\nsystem: ",
    "### ", "<|", "[INST", "::", "a:", "1:", "1.",
    "union select ", "union select a,", "0", "tel ", "bsn 1", "ｉ", "𝐢", "\u{0}", "1732874331123 ", "x", "_",
    "%2e", "`", "\\", "\"",
  ]

  @Test("a text of one thing over and over is done", arguments: units)
  func endures(unit: String) {
    let text = String(repeating: unit, count: Self.bytes / unit.utf8.count)
    let findings = Inspectors.all.findings(in: text)
    let masked = Inspector.masked(text, findings)
    var stream = StreamingInspector(Inspectors.all)
    var shown = ""
    for piece in stride(from: 0, to: text.utf8.count, by: 997) {
      let end = min(piece + 997, text.utf8.count)
      let start = text.utf8.index(text.startIndex, offsetBy: piece)
      shown += stream.push(
        String(text.unicodeScalars[start..<text.utf8.index(text.startIndex, offsetBy: end)]))
    }
    #expect(shown + stream.finish() == masked)
  }

  @Test("text that ends anywhere is done", arguments: 0..<20)
  func enduresCuts(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    let text = (0..<40).map { _ in Self.units.randomElement(using: &generator)! }.joined()
    for count in 0..<text.unicodeScalars.count {
      _ = Inspectors.all.findings(in: String(text.unicodeScalars.prefix(count)))
    }
  }
}
