// SPDX-License-Identifier: Apache-2.0

/// Keys by the shape that their makers gave them, wherever they turn up.
enum CredentialShapes {
  /// Source: the key formats of OpenAI, Anthropic, Stripe, GitHub, Slack and AWS; RFC 6750, 7617, 7519.
  private static let prefixes = [
    "sk-", "sk_", "pk_", "rk_", "ghp_", "gho_", "github_pat_", "xoxb-", "xoxp-", "AKIA", "eyJ",
  ].map { Array($0.utf8) }
  private static let schemes = ["Bearer ", "bearer ", "Basic ", "basic "].map { Array($0.utf8) }
  /// A shorter word is none of a key.
  private static let lengthMin = 16

  static func blot(_ text: String) -> String {
    WordScan.replace(in: text) { rest in
      if prefixes.contains(where: { rest.starts(with: $0) }) {
        return key(rest).map { ($0, "[key]") }
      }
      guard let scheme = schemes.first(where: { rest.starts(with: $0) }) else { return nil }
      return key(rest.dropFirst(scheme.count)).map {
        (scheme.count + $0, String(decoding: scheme, as: UTF8.self) + "[key]")
      }
    }
  }

  /// Length of the key that the rest begins with: a long word that is none of a language.
  private static func key(_ rest: ArraySlice<UInt8>) -> Int? {
    let word = rest.prefix { WordScan.isWordByte($0) || "-_.~+/=".utf8.contains($0) }
    let capitals = UInt8(ascii: "A")...UInt8(ascii: "Z")
    let isRandom = word.dropFirst(6).contains { WordScan.isDigit($0) || capitals.contains($0) }
    return word.count >= lengthMin && isRandom ? word.count : nil
  }
}
