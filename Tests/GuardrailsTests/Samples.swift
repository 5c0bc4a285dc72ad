// SPDX-License-Identifier: Apache-2.0
import Guardrails
import TestSupport

/// Everything that is looked for anywhere in these tests, and everything that looks like it.
enum Samples {
  static let hits: [String] =
    (PersonalSamples.emails + PersonalSamples.phones + PersonalSamples.ibans + PersonalSamples.cards
    + PersonalSamples.nationalIDs + PersonalSamples.addresses + SecretSamples.keys + SecretSamples.privateKeys
    + SecretSamples.tokens + SecretSamples.passwords + ContentSamples.profanity + ContentSamples.malicious
    + ContentSamples.injections).map { Marked($0).text }

  static let misses: [String] =
    PersonalSamples.noEmails + PersonalSamples.noPhones + PersonalSamples.noIBANs + PersonalSamples.noCards
    + PersonalSamples.noNationalIDs + PersonalSamples.noAddresses + SecretSamples.noKeys
    + SecretSamples.noPrivateKeys + SecretSamples.noTokens + SecretSamples.noPasswords
    + ContentSamples.noProfanity + ContentSamples.noMalicious + ContentSamples.noInjections

  static let texts = hits + misses + Corpus.all.map(\.1)

  static let spaces = [" ", "\n", ", ", " – ", "; ", ".\n"]
  static let signs = [
    "", "-", ".", "/", ":", "=", "'", "\"", "é", "😀", "a", "1", "@", "\u{200B}", "_", "(", "[",
  ]

  /// A text of a few samples with something between them, some of them cut off.
  static func mixture(of separators: [String] = spaces + signs, using generator: inout SplitMix64) -> String {
    var text = ""
    for _ in 0..<Int.random(in: 1...6, using: &generator) {
      var piece = texts.randomElement(using: &generator)!
      if Bool.random(using: &generator) {
        let count = piece.unicodeScalars.count
        let kept = piece.unicodeScalars.prefix(Int.random(in: 0...count, using: &generator))
        piece = String(String.UnicodeScalarView(kept))
      }
      text += piece + separators.randomElement(using: &generator)!
    }
    return text
  }

  /// A text in pieces of up to some scalars.
  static func cut(_ text: String, scalarsMax: Int, using generator: inout SplitMix64) -> [String] {
    var pieces: [String] = []
    var rest = text.unicodeScalars[...]
    while !rest.isEmpty {
      let count = Int.random(in: 1...scalarsMax, using: &generator)
      pieces.append(String(String.UnicodeScalarView(rest.prefix(count))))
      rest = rest.dropFirst(count)
    }
    return pieces
  }
}
