// SPDX-License-Identifier: Apache-2.0

/// Identity numbers that consist of digits; those with letters are in the other files.
///
/// A number without separators that many other numbers look like counts only where its name
/// stands before it.
enum NationalID {
  static func match(_ number: Number, in reader: Reader) -> Match? {
    for count in stride(from: min(number.groups, 5), to: 0, by: -1) where number.mayEnd(after: count) {
      if isIssued(number, groups: count, in: reader) { return Match(number.start, number.end(of: count)) }
    }
    return nil
  }

  private static func isIssued(_ number: Number, groups: Int, in reader: Reader) -> Bool {
    guard let separator = number.separator(of: groups) else {
      return isCPF(number, groups: groups)
    }
    let isPlain = groups == 1
    switch (number.digits(in: groups), number.shape(of: groups)) {
    case (9, 0x324):
      return (separator == UInt8(ascii: "-") || separator == UInt8(ascii: " ")) && isSocialSecurity(number)
    case (9, 0x9):
      return isSocialSecurity(number) && reader.hasLabel(socialSecurityLabels, before: number.start)
        || isBSN(number) && reader.hasLabel(bsnLabels, before: number.start)
    case (9, 0x333):
      return isBSN(number) && reader.hasLabel(bsnLabels, before: number.start)
    case (11, 0xB):
      return isPESEL(number) || isTaxID(number)
        || hasCPFDigits(number) && reader.hasLabel(["cpf"], before: number.start)
    case (11, 0x2333): return separator == UInt8(ascii: " ") && isTaxID(number)
    case (10, 0x64), (12, 0x84):
      return separator == UInt8(ascii: "-") && isPersonnummer(number, groups: groups)
    case (10, 0xA), (12, 0xC):
      return isPlain && isPersonnummer(number, groups: groups)
        && reader.hasLabel(personnummerLabels, before: number.start)
    default: return false
    }
  }

  private static let socialSecurityLabels: [StaticString] = ["ssn", "social security", "social"]
  private static let bsnLabels: [StaticString] = ["bsn", "burgerservicenummer", "sofinummer"]
  private static let personnummerLabels: [StaticString] = ["personnummer", "personnr", "samordningsnummer"]

  /// US social security numbers. Source: SSA, "Social Security Number Randomization": areas 000, 666
  /// and 900 to 999, group 00 and serial 0000 are never assigned.
  private static func isSocialSecurity(_ number: Number) -> Bool {
    let area = number.value(0..<3)
    return area > 0 && area != 666 && area < 900 && number.value(3..<5) > 0 && number.value(5..<9) > 0
  }

  /// Dutch burgerservicenummer. Source: Logisch Ontwerp BSN, the eleven test.
  private static func isBSN(_ number: Number) -> Bool {
    number.value(0..<9) > 0 && number.weighted([9, 8, 7, 6, 5, 4, 3, 2, -1]).isMultiple(of: 11)
  }

  /// Polish PESEL: a day, whose month tells the century, a serial and a check digit.
  /// Source: Polish act on population registration of 2010, article 15.
  private static func isPESEL(_ number: Number) -> Bool {
    let month = number.value(2..<4)
    let century = [1900, 2000, 2100, 2200, 1800][min(month / 20, 4)]
    guard isDay(number.value(4..<6), month: month % 20, year: century + number.value(0..<2)) else {
      return false
    }
    return number.weighted([1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).isMultiple(of: 10)
  }

  /// German tax identification number: among its first ten digits one stands two or three times,
  /// every other at most once. Source: BZSt, "Steuerliche Identifikationsnummer"; ISO 7064, MOD 11,10.
  private static func isTaxID(_ number: Number) -> Bool {
    guard number.digit(0) > 0 else { return false }
    var counts = SIMD16<UInt8>(repeating: 0)
    var product = 10
    for index in 0..<10 {
      let digit = number.digit(index)
      counts[digit] += 1
      let sum = (digit + product) % 10
      product = (sum == 0 ? 10 : sum) * 2 % 11
    }
    let repeated = (0..<10).filter { counts[$0] > 1 }
    guard repeated.count == 1, counts[repeated[0]] <= 3 else { return false }
    return (11 - product) % 10 == number.digit(10)
  }

  /// Swedish personal number: six digits of a day, sixty more in a samordningsnummer, and four with
  /// a Luhn digit; a century may stand before. Source: Skatteverket, SKV 704.
  private static func isPersonnummer(_ number: Number, groups: Int) -> Bool {
    let first = number.digits(in: groups) - 10
    guard first == 0 || [18, 19, 20].contains(number.value(0..<2)) else { return false }
    let year = (first == 0 ? 2000 : number.value(0..<2) * 100) + number.value(first..<(first + 2))
    let day = number.value((first + 4)..<(first + 6))
    guard isDay(day > 60 ? day - 60 : day, month: number.value((first + 2)..<(first + 4)), year: year) else {
      return false
    }
    return number.passesLuhn(first..<(first + 10))
  }

  /// Brazilian CPF as it is written: 123.456.789-09.
  private static func isCPF(_ number: Number, groups: Int) -> Bool {
    number.shape(of: groups) == 0x3332 && number.separator(before: 1) == UInt8(ascii: ".")
      && number.separator(before: 2) == UInt8(ascii: ".") && number.separator(before: 3) == UInt8(ascii: "-")
      && hasCPFDigits(number)
  }

  /// Source: Receita Federal, the two check digits modulo 11; eleven like digits are not given out.
  private static func hasCPFDigits(_ number: Number) -> Bool {
    guard !(1..<11).allSatisfy({ number.digit($0) == number.digit(0) }) else { return false }
    let first = number.weighted([10, 9, 8, 7, 6, 5, 4, 3, 2]) * 10 % 11 % 10
    let second = number.weighted([11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) * 10 % 11 % 10
    return first == number.digit(9) && second == number.digit(10)
  }
}
