// SPDX-License-Identifier: Apache-2.0

/// One pass over a text, from left to right: the first detector that finds something at a byte has
/// it, and the search goes on behind it.
struct Scanner: Sendable {
  let detectors: DetectorSet
  private let triggers: Triggers
  private let profanity: Profanity
  private let seeksLettered: Bool
  private let seeksEmail: Bool
  private let seeksAddress: Bool

  init(_ detectors: DetectorSet, profaneWords: [String]) {
    self.detectors = detectors
    seeksLettered = !detectors.isDisjoint(with: .lettered)
    seeksEmail = detectors.contains(.email)
    seeksAddress = detectors.contains(.ipAddress)
    profanity = Profanity(extra: profaneWords)
    triggers = Triggers(detectors, profanity: profanity.beginnings)
  }

  /// One finding, with the tail that goes on behind the bytes that were read.
  struct Hit {
    let detector: Detector
    var match: Match
  }

  /// Calls back for every finding from an index on.
  ///
  /// - Returns: The first byte that more text could make part of a finding; the end where none could.
  func scan(_ reader: inout Reader, from start: Int, _ found: (Hit) -> Void) -> Int {
    let bytes = reader.bytes
    let count = bytes.count
    var pass = Pass(reader)
    return triggers.withView { view in
      var at = start
      while at < count {
        let byte = bytes[at]
        let kind = view.kind(byte)
        var next = at + 1
        let candidates: DetectorSet
        if kind == 0 {
          if view.first(byte) == 0 {
            at = next
            continue
          }
          candidates = self.candidates(atSign: at, view, &reader, &pass)
        } else {
          // Nothing begins within a word: what is no finding is passed over as a whole.
          var kinds = kind
          while next < count {
            let kind = view.kind(bytes[next])
            if kind == 0 { break }
            kinds |= kind
            next += 1
          }
          candidates = self.candidates(atWord: at..<next, hasDigit: kinds > 1, view, &reader, &pass)
        }
        if reader.touchedEnd { return at }
        if !candidates.isEmpty {
          let hit = hit(candidates, view, in: &reader, at: at)
          if reader.touchedEnd { return at }
          if var hit {
            if let tail = hit.match.tail { hit.match.end = tail.end(in: bytes, from: hit.match.end) }
            found(hit)
            at = hit.match.end
            continue
          }
        }
        at = next
      }
      return at
    }
  }

  /// What is remembered on the way.
  struct Pass {
    /// The next `@` that is not before the place in question.
    private var nextAt = -1
    /// Where the characters of an address begin that reach up to the end.
    private let openAddress: Int

    init(_ reader: Reader) {
      var at = reader.bytes.count
      if !reader.isWhole {
        let first = max(0, at - Email.localBytesMax - 1)
        while at > first, Email.local.contains(reader.past(at - 1)) || reader.past(at - 1) >= 0x80 { at -= 1 }
      }
      openAddress = at
    }

    /// Whether an address may begin at an index: one sign for all, or the end of the text, is near.
    @inline(__always)
    mutating func mayBeAddress(_ index: Int, in reader: Reader) -> Bool {
      let bytes = reader.bytes
      if nextAt < index {
        nextAt = index
        while nextAt < bytes.count, bytes[nextAt] != UInt8(ascii: "@") { nextAt += 1 }
      }
      if nextAt < bytes.count { return nextAt - index <= Email.localBytesMax }
      return index >= openAddress && bytes.count - index <= Email.localBytesMax
    }
  }

  /// What may begin at a byte that is neither a letter nor a digit of ASCII.
  @inline(__always)
  private func candidates(
    atSign at: Int, _ view: Triggers.View, _ reader: inout Reader, _ pass: inout Pass
  ) -> DetectorSet {
    let first = reader.past(at)
    var set = DetectorSet(rawValue: view.pair(first, reader[at + 1]))
    if set.contains(.email), !pass.mayBeAddress(at, in: reader) { set.remove(.email) }
    // Letters of two bytes begin nothing within a word, as those of ASCII.
    if (0x80..<0xE0).contains(first), !set.isEmpty, reader.isWord(before: at) { return [] }
    return set
  }

  /// What may begin at a word, letters and digits of ASCII up to the next other byte.
  @inline(__always)
  private func candidates(
    atWord word: Range<Int>, hasDigit: Bool, _ view: Triggers.View, _ reader: inout Reader, _ pass: inout Pass
  ) -> DetectorSet {
    let at = word.lowerBound
    let first = reader.past(at)
    var set: DetectorSet = []
    if view.first(first) != 0 {
      let second = reader[at + 1]
      set = DetectorSet(
        rawValue: first.isLetter ? view.word(first, second, reader[at + 2]) : view.pair(first, second))
    }
    if first.isLetter {
      if seeksLettered, mayBeLettered(word, hasDigit: hasDigit, &reader) {
        set.formUnion(detectors.intersection(.lettered))
      }
    } else if !set.isDisjoint(with: .numbers), !mayBeNumber(at, &reader) {
      set.subtract(.numbers)
    }
    if seeksAddress {
      let after = word.count <= 4 ? reader[word.upperBound] : 0
      let isAddress = after == UInt8(ascii: ":") || after == UInt8(ascii: ".") && first.isDigit
      if isAddress { set.insert(.ipAddress) } else { set.remove(.ipAddress) }
    }
    if seeksEmail, pass.mayBeAddress(at, in: reader) { set.insert(.email) }
    return set.isEmpty || reader.isWord(before: at) ? [] : set
  }

  /// Whether digits follow where identity numbers that begin with letters have them.
  private func mayBeLettered(_ word: Range<Int>, hasDigit: Bool, _ reader: inout Reader) -> Bool {
    let end = word.upperBound
    if hasDigit {
      let letters = reader.run(of: .letters, from: word.lowerBound, bytesMax: 7) - word.lowerBound
      return letters < 3 || letters == 6
    }
    switch word.count {
    case 1: return reader[end] == UInt8(ascii: "-")
    case 2: return reader[end] == UInt8(ascii: " ") && reader[end + 1].isDigit
    // Digits may follow.
    case 3...6:
      _ = reader[end]
      return false
    default: return false
    }
  }

  /// Whether there are enough digits for anything, in one piece or in groups that something has.
  private func mayBeNumber(_ at: Int, _ reader: inout Reader) -> Bool {
    let end = reader.run(of: .digits, from: at, bytesMax: 25)
    let separator = reader[end]
    if end - at >= 7 { return true }
    switch separator {
    case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"): break
    // A Corsican department.
    default: return end - at == 6 && separator.isUpper
    }
    let second = reader.run(of: .digits, from: end + 1, bytesMax: 8) - end - 1
    guard second > 1 else { return false }
    let begins0 = reader.past(at) == UInt8(ascii: "0")
    switch (separator, end - at) {
    case (UInt8(ascii: "/"), let first): return begins0 && first > 1
    case (UInt8(ascii: "."), let first):
      return first == 3 && second == 3 || begins0 && first == 2 && second == 2
    // The sex of a French number, or the country code of the US.
    case (_, 1): return second == (separator == UInt8(ascii: " ") ? 2 : 3)
    case (_, 2): return begins0 || second == 3
    // A year and a month are no number.
    case (_, 4): return second > 2
    default: return true
    }
  }

  private func hit(_ candidates: DetectorSet, _ view: Triggers.View, in reader: inout Reader, at start: Int)
    -> Hit?
  {
    var rest = candidates.rawValue
    var number: Number??
    while rest != 0 {
      let rank = rest.trailingZeroBitCount
      rest &= rest - 1
      let detector = Detector.ranked[rank]
      let match = match(detector, &number, in: &reader, at: start)
      if reader.touchedEnd { return nil }
      guard let match else { continue }
      return match.start == start
        ? Hit(detector: detector, match: match)
        : moreSpecific(than: rank, match, view, in: &reader) ?? Hit(detector: detector, match: match)
    }
    return nil
  }

  /// A value that is named a password and is known to be a key is a key.
  private func moreSpecific(than rank: Int, _ match: Match, _ view: Triggers.View, in reader: inout Reader)
    -> Hit?
  {
    let (first, second, third) = (reader[match.start], reader[match.start + 1], reader[match.start + 2])
    let known = first.isLetter ? view.word(first, second, third) : view.pair(first, second)
    let candidates = DetectorSet(rawValue: known & ((1 << UInt16(rank)) - 1))
    guard !candidates.isEmpty, let hit = hit(candidates, view, in: &reader, at: match.start),
      hit.match.end >= match.end
    else { return nil }
    return hit
  }

  private func match(_ detector: Detector, _ number: inout Number??, in reader: inout Reader, at start: Int)
    -> Match?
  {
    switch detector {
    case .privateKey: return PrivateKey.match(in: &reader, at: start)
    case .apiKey: return reader.isWord(before: start) ? nil : APIKey.match(in: &reader, at: start)
    case .token: return Token.match(in: &reader, at: start)
    case .password: return Password.match(in: &reader, at: start)
    case .iban: return IBAN.match(in: &reader, at: start)
    case .card: return digits(&number, in: &reader, at: start).flatMap { Card.match($0) }
    case .nationalID:
      guard reader[start].isDigit else { return NationalID.lettered(in: &reader, at: start) }
      if let found = digits(&number, in: &reader, at: start).flatMap({ NationalID.match($0, in: reader) }) {
        return found
      }
      return NationalID.mixed(in: &reader, at: start)
    case .email: return Email.match(in: &reader, at: start)
    case .phone:
      switch reader[start] {
      case UInt8(ascii: "+"): return Phone.international(in: &reader, at: start)
      case UInt8(ascii: "("): return Phone.bracketed(in: &reader, at: start)
      default: return digits(&number, in: &reader, at: start).flatMap { Phone.national($0, in: reader) }
      }
    case .ipAddress: return IPAddress.match(in: &reader, at: start)
    case .maliciousCode: return MaliciousCode.match(in: &reader, at: start)
    case .injection: return Injection.match(in: &reader, at: start)
    case .profanity: return profanity.match(in: &reader, at: start)
    }
  }

  /// The number at an index, read once for all detectors.
  private func digits(_ number: inout Number??, in reader: inout Reader, at start: Int) -> Number? {
    if let number { return number }
    let read = Number(in: &reader, at: start)
    number = .some(read)
    return read
  }
}
