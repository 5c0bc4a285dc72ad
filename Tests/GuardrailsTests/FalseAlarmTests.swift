// SPDX-License-Identifier: Apache-2.0
import Guardrails
import TestSupport
import Testing

@Suite("false alarms")
struct FalseAlarmTests {
  @Test("nothing is found where nothing is", arguments: Corpus.all)
  func passesCorpus(name: String, text: String) {
    let inspector = Inspector(Detector.allCases)
    #expect(shown(inspector.findings(in: text), in: text) == [])
    let long = String(repeating: text, count: 20)
    #expect(inspector.findings(in: long).isEmpty)
  }

  @Test("random identifiers and digests are left alone", arguments: 0..<20)
  func passesRandom(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    var lines: [String] = []
    for _ in 0..<50 {
      let digest = (0..<64).map { _ in "0123456789abcdef".randomElement(using: &generator)! }
      lines.append(String(digest))
      let parts = [8, 4, 4, 4, 12].map { count in
        String((0..<count).map { _ in "0123456789abcdef".randomElement(using: &generator)! })
      }
      lines.append(parts.joined(separator: "-"))
      lines.append("\(Int.random(in: 0..<10_000_000_000, using: &generator))")
      lines.append("\(Double.random(in: 0..<1000, using: &generator))")
      let hour = Int.random(in: 10..<24, using: &generator)
      lines.append("20\(hour)-\(hour / 2 + 1)-\(hour)T\(hour):\(hour):\(hour).\(hour * 100)Z")
    }
    let text = lines.joined(separator: "\n")
    let inspector = Inspector(Detector.allCases)
    #expect(shown(inspector.findings(in: text), in: text) == [])
  }

  @Test("detectors are named by their category or their own name")
  func names() {
    #expect(Detector.named("pii") == [.iban, .card, .nationalID, .email, .phone])
    #expect(Detector.named("secrets") == [.privateKey, .apiKey, .token, .password])
    #expect(Detector.named("profanity") == [.profanity])
    #expect(Detector.named("ip_address") == [.ipAddress])
    #expect(Detector.named("malicious_code") == [.maliciousCode])
    #expect(Detector.named("nothing").isEmpty)
    #expect(Set(Detector.allCases.map(\.summary)).count == Detector.allCases.count)
  }

  @Test("what is not asked for is not found", arguments: Detector.allCases)
  func findsOnlyWanted(detector: Detector) {
    for text in Samples.texts {
      let findings = Inspectors.one(detector).findings(in: text)
      #expect(findings.allSatisfy { $0.detector == detector })
    }
    #expect(Inspector([]).findings(in: Samples.texts.joined(separator: " ")).isEmpty)
  }
}
