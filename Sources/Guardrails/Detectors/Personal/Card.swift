// SPDX-License-Identifier: Apache-2.0

/// Payment card numbers: an issuer's prefix, a length that it uses, and the check digit.
enum Card {
  /// As printed: Visa and most others, 19 digits, American Express, Diners.
  private static func isPrinted(_ shape: UInt32) -> Bool {
    shape == 0x4444 || shape == 0x44443 || shape == 0x465 || shape == 0x464
  }

  static func match(_ number: Number) -> Match? {
    for count in stride(from: min(number.groups, 5), to: 0, by: -1) where number.mayEnd(after: count) {
      let digits = number.digits(in: count)
      guard (13...19).contains(digits), count == 1 || isPrinted(number.shape(of: count)),
        let separator = number.separator(of: count), separator != UInt8(ascii: "/"),
        isIssued(number, digits: digits), number.passesLuhn(0..<digits)
      else { continue }
      return Match(number.start, number.end(of: count))
    }
    return nil
  }

  /// Source: the issuers' published ranges, as of 2025.
  private static func isIssued(_ number: Number, digits: Int) -> Bool {
    let four = number.value(0..<4)
    let two = four / 100
    switch four {
    case 4000...4999: return digits == 13 || digits == 16 || digits == 19
    case 2221...2720: return digits == 16
    case 3528...3589: return (16...19).contains(digits)
    case 3000...3059, 3095: return (14...19).contains(digits)
    case 6011, 6440...6599: return (16...19).contains(digits)
    // Elo, Hipercard and RuPay.
    case 6062, 6081...6085, 2200...2204: return digits == 16
    default: break
    }
    switch two {
    case 51...55: return digits == 16
    case 34, 37: return digits == 15
    case 36, 38, 39: return (14...19).contains(digits)
    case 62: return (16...19).contains(digits)
    // Maestro; its shorter numbers are too much like other numbers.
    case 50, 56...58, 63, 67: return digits == 16 || digits >= 18
    default: return false
    }
  }
}
