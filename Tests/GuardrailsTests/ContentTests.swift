// SPDX-License-Identifier: Apache-2.0
import Guardrails
import Testing

@Suite("content")
struct ContentTests {
  @Test("a swear word is found", arguments: ContentSamples.profanity)
  func findsProfanity(source: String) { Marked(source).expect(.profanity) }

  @Test("an innocent word is left alone", arguments: ContentSamples.noProfanity)
  func passesProfanity(source: String) { Marked(source).expect(.profanity) }

  @Test(
    "words of the caller are found",
    arguments: ["blorf", "BLORF!", "größenwahn", "GRÖSSENWAHN".lowercased(), "bl0rf"])
  func findsExtraWords(text: String) {
    let inspector = Inspector(
      [.profanity], profaneWords: ["blorf", "Größenwahn", "grössenwahn", "", "two words"])
    #expect(inspector.findings(in: text).count == 1)
    #expect(inspector.findings(in: "x" + text + "x").isEmpty)
    #expect(inspector.findings(in: "two words").count == 1)
  }

  @Test("hostile code is found", arguments: ContentSamples.malicious)
  func findsMalicious(source: String) { Marked(source).expect(.maliciousCode) }

  @Test("harmless code is left alone", arguments: ContentSamples.noMalicious)
  func passesMalicious(source: String) { Marked(source).expect(.maliciousCode) }

  @Test("a smuggled instruction is found", arguments: ContentSamples.injections)
  func findsInjection(source: String) { Marked(source).expect(.injection) }

  @Test("an honest text is left alone", arguments: ContentSamples.noInjections)
  func passesInjection(source: String) { Marked(source).expect(.injection) }
}
