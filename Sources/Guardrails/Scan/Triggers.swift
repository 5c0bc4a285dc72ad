// SPDX-License-Identifier: Apache-2.0

/// Which detectors may find something that begins with some given bytes.
///
/// One table, so that the scan reads it through one pointer: by byte its kind and class, by byte the
/// detectors, by two classes the detectors, by two classes those whose pattern may end or break there,
/// and by three letters the detectors.
struct Triggers: Sendable {
  private static let firstsAt = 256
  private static let pairsAt = 512
  private static let shortsAt = pairsAt + 64 * 64
  private static let triplesAt = shortsAt + 64 * 64

  private var table = [UInt16](repeating: 0, count: Triggers.triplesAt + 32 * 32 * 32)

  /// The table while it is being read.
  struct View {
    let base: UnsafePointer<UInt16>

    /// Letters 1, digits 2, other bytes 0.
    @inline(__always)
    func kind(_ byte: UInt8) -> UInt16 { base[Int(byte)] & 3 }

    @inline(__always)
    func first(_ byte: UInt8) -> UInt16 { base[firstsAt + Int(byte)] }

    @inline(__always)
    func pair(_ first: UInt8, _ second: UInt8) -> UInt16 {
      base[pairsAt + Int(base[Int(first)] >> 2) << 6 + Int(base[Int(second)] >> 2)] & self.first(first)
    }

    /// What a letter and the two bytes after it may begin.
    @inline(__always)
    func word(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> UInt16 {
      guard second.isLetter else { return pair(first, second) }
      if third.isLetter { return base[triplesAt + Triggers.triple(first, second, third)] }
      // A sign or a character that nobody sees may stand within a word, a space may not.
      let isInside = third >= 0x80 || third.isDigit || insides.contains(third)
      return isInside
        ? pair(first, second)
        : base[shortsAt + Int(base[Int(first)] >> 2) << 6 + Int(base[Int(second)] >> 2)] & self.first(first)
    }
  }

  private static let insides = ByteSet("@$!'")

  func withView<Result>(_ body: (View) -> Result) -> Result {
    table.withUnsafeBufferPointer { buffer in
      // SAFETY: every index that the view makes of bytes is within the table.
      guard let base = buffer.baseAddress else { preconditionFailure("the table is never empty") }
      return body(View(base: base))
    }
  }

  private static let signs = Array(" \t-_./<|[#+({$'\"`;&@!=:%\\*".utf8)

  private static func fold(_ byte: UInt8) -> UInt16 {
    if byte.isLetter { return UInt16(byte.lowercased - 0x61) }
    if byte.isDigit { return UInt16(26 + byte - 0x30) }
    if byte >= 0x80 { return 63 }
    return UInt16(36 + (signs.firstIndex(of: byte) ?? signs.count))
  }

  private static func triple(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> Int {
    Int(first & 31) << 10 | Int(second & 31) << 5 | Int(third & 31)
  }

  /// - Parameters:
  ///   - detectors: Those that are looked for.
  ///   - profanity: Bare letters; the signs that stand for them are added here.
  init(_ detectors: DetectorSet, profanity: [[UInt8]]) {
    for byte in UInt8.min...UInt8.max {
      table[Int(byte)] = Self.fold(byte) << 2 | (byte.isLetter ? 1 : byte.isDigit ? 2 : 0)
    }
    for beginning in profanity { addProfanity(beginning) }
    for beginning in Injection.phrases.beginnings + Injection.beginnings { add(.injection, beginning) }
    for lead in [0xC3, 0xD0, 0xD1, 0xE2, 0xEF, 0xF0, 0xF3] as [UInt8] { add(.injection, [lead]) }
    // An invisible character may follow the first letter.
    for beginning in Injection.phrases.beginnings { add(.injection, [beginning[0], 0x80]) }
    for beginning in Injection.markers { add(.injection, Self.bytes(beginning)) }
    for beginning in MaliciousCode.beginnings { add(.maliciousCode, Self.bytes(beginning)) }
    for letter in UInt8(ascii: "a")...UInt8(ascii: "z") {
      for sign in MaliciousCode.signs { add(.maliciousCode, [sign, letter]) }
    }
    for beginning in APIKey.beginnings { add(.apiKey, beginning) }
    for beginning in ["eyj", "bea", "bas"] as [StaticString] { add(.token, Self.bytes(beginning)) }
    for lead in [UInt8(ascii: "_")] + Array(0xC3...0xC9) { add(.email, [lead]) }
    add(.privateKey, Self.bytes("--"))
    add(.password, Self.bytes(":"))
    add(.password, Self.bytes("="))
    add(.ipAddress, Self.bytes("::"))
    for digit in UInt8(ascii: "0")...UInt8(ascii: "9") {
      add(.phone, [UInt8(ascii: "+"), digit])
      add(.phone, [UInt8(ascii: "("), digit])
      for detector in [Detector.card, .nationalID, .phone, .ipAddress] { add(detector, [digit]) }
    }
    for index in Self.firstsAt..<table.count { table[index] &= detectors.rawValue }
  }

  private static func bytes(_ text: StaticString) -> [UInt8] {
    text.withUTF8Buffer { Array($0) }
  }

  /// A word of three letters or more begins with these; of fewer, nothing else may follow.
  private mutating func add(_ detector: Detector, _ beginning: [UInt8]) {
    guard let first = beginning.first else { return }
    let bit = DetectorSet(detector).rawValue
    table[Self.firstsAt + Int(first)] |= bit
    if first.isLetter { table[Self.firstsAt + Int(first ^ 0x20)] |= bit }
    let row = Self.pairsAt + Int(Self.fold(first)) << 6
    guard beginning.count > 1 else {
      for column in 0..<64 { table[row + column] |= bit }
      return
    }
    let column = Int(Self.fold(beginning[1]))
    if beginning.count > 2, beginning[0..<3].allSatisfy(\.isLetter) {
      table[Self.triplesAt + Self.triple(beginning[0], beginning[1], beginning[2])] |= bit
      if detector != .injection, detector != .profanity { return }
    } else {
      table[row - Self.pairsAt + Self.shortsAt + column] |= bit
    }
    table[row + column] |= bit
  }

  private mutating func addProfanity(_ beginning: [UInt8]) {
    for first in Self.signs(for: beginning[0]) {
      guard beginning.count > 1 else {
        add(.profanity, [first])
        continue
      }
      for second in Self.signs(for: beginning[1]) { add(.profanity, [first, second]) }
    }
    add(.profanity, beginning)
    // A letter may be stretched.
    if beginning.count > 1 { add(.profanity, [beginning[0], beginning[1], beginning[1]]) }
  }

  private static func signs(for letter: UInt8) -> [UInt8] {
    (UInt8.min...UInt8.max).filter { Profanity.folded($0) == letter }
  }
}
