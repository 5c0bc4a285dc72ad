// SPDX-License-Identifier: Apache-2.0
import Crypto

/// A key that a program sends in place of a user's token: `pgk_<id>_<secret><checksum>`; it does not print
/// itself.
///
/// The id is 16 characters of `a`-`z` and `2`-`7` (80 random bits), the secret 43 of `0`-`9`, `A`-`Z` and
/// `a`-`z` (256 random bits), the checksum 6 more: CRC-32 of all before it. So a typo is told without asking
/// the store, and a secret scanner can tell a key from a look-alike. No character ends a word, so that a
/// double click selects it all.
public struct APIKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// Names the key in lists and logs; it is no secret.
  public let id: String
  /// SHA-256 of the secret.
  let digest: SHA256Digest
  private let text: String

  public static let prefix = "pgk_"
  static let idLength = 16
  static let secretLength = 43
  static let checksumLength = 6
  static let length = 4 + idLength + 1 + secretLength + checksumLength

  static let idAlphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
  static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

  /// Makes a key of the system's random numbers.
  public static func make() -> APIKey {
    var random = SystemRandomNumberGenerator()
    // 62^43 > 2^256: as many keys as 32 random bytes, drawn one character at a time without bias.
    let id = (0..<idLength).map { _ in idAlphabet[Int.random(in: 0..<idAlphabet.count, using: &random)] }
    let secret = (0..<secretLength).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
    let body = Array(prefix.utf8) + id + [UInt8(ascii: "_")] + secret
    return APIKey(
      id: String(decoding: id, as: UTF8.self),
      text: String(decoding: body + checksum(of: body), as: UTF8.self))
  }

  /// - Throws: ``TokenRefusal`` `malformed` for everything but the one spelling of a key.
  public init(parsing text: String) throws(TokenRefusal) {
    let bytes = Array(text.utf8)
    let idEnd = 4 + Self.idLength
    guard bytes.count == Self.length, bytes.starts(with: Self.prefix.utf8), bytes[idEnd] == UInt8(ascii: "_"),
      bytes[4..<idEnd].allSatisfy({ Self.isInID($0) }),
      bytes[(idEnd + 1)...].allSatisfy({ Self.isAlphanumeric($0) })
    else { throw TokenRefusal(.malformed, "this is not an API key") }
    let body = bytes.dropLast(Self.checksumLength)
    guard Self.checksum(of: body).elementsEqual(bytes.suffix(Self.checksumLength)) else {
      throw TokenRefusal(.malformed, "the API key has a typo, its checksum does not fit")
    }
    self.init(id: String(decoding: bytes[4..<idEnd], as: UTF8.self), text: text)
  }

  private init(id: String, text: String) {
    self.id = id
    self.text = text
    let secret = text.utf8.dropFirst(4 + Self.idLength + 1).dropLast(Self.checksumLength)
    digest = SHA256.hash(data: Array(secret))
  }

  /// Returns the key itself, for the one time that it is shown.
  public func reveal() -> String { text }

  /// What is stored of the secret: its SHA-256, 32 bytes.
  ///
  /// Slow hashes (Argon2, PBKDF2) protect what people choose, of which there are few enough to try. Of 256
  /// random bits nobody tries a noticeable part, and a slow hash would cost each request its milliseconds. No
  /// salt for the same reason: no two secrets are equal, and no table holds them.
  public var hash: [UInt8] { Array(digest) }

  public var description: String { "\(Self.prefix)\(id)_…" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}

extension APIKey {
  private static func isInID(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      || (UInt8(ascii: "2")...UInt8(ascii: "7")).contains(byte)
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"):
      true
    default: false
    }
  }

  /// CRC-32 in six digits of base 62, the highest first.
  static func checksum(of body: some Sequence<UInt8>) -> [UInt8] {
    var rest = Int(crc32(body))
    var digits = [UInt8](repeating: alphabet[0], count: checksumLength)
    for place in digits.indices.reversed() {
      digits[place] = alphabet[rest % alphabet.count]
      rest /= alphabet.count
    }
    return digits
  }

  /// Source: ITU-T V.42, 8.1.1.6.2, reflected, as zlib has it.
  private static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc >> 1 ^ (0xEDB8_8320 & (0 &- (crc & 1))) }
    }
    return ~crc
  }
}
