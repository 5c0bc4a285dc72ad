// SPDX-License-Identifier: Apache-2.0

/// Bytes of a text, or of as much of it as has arrived.
///
/// A decision that was made without reading past the end holds for every continuation of the
/// text. That is the whole of the streaming logic: whoever reads past the end leaves a mark.
struct Reader {
  /// How far matchers may look behind their first byte; that many bytes are kept when streaming.
  static let lookBehindBytes = 64

  let bytes: UnsafeBufferPointer<UInt8>
  /// Whether the text ends where the bytes do.
  let isWhole: Bool
  private(set) var touchedEnd = false

  init(_ bytes: UnsafeBufferPointer<UInt8>, isWhole: Bool) {
    self.bytes = bytes
    self.isWhole = isWhole
  }

  /// The byte at an index, zero outside of the text.
  subscript(index: Int) -> UInt8 {
    mutating get {
      if index < bytes.count { return index < 0 ? 0 : bytes[index] }
      if !isWhole { touchedEnd = true }
      return 0
    }
  }

  /// A byte that was read already, or stands before one that was; zero outside of the text.
  func past(_ index: Int) -> UInt8 {
    index >= 0 && index < bytes.count ? bytes[index] : 0
  }

  /// The end of the bytes of a set from an index on, after at most `bytesMax` of them.
  mutating func run(of set: ByteSet, from start: Int, bytesMax: Int) -> Int {
    var index = start
    while index - start < bytesMax, set.contains(self[index]) { index += 1 }
    return index
  }

  /// Whether a lower-case ASCII literal stands at an index, in whatever case.
  mutating func has(_ literal: StaticString, at index: Int) -> Bool {
    for offset in 0..<literal.utf8CodeUnitCount
    where self[index + offset].lowercased != literal.utf8Start[offset] { return false }
    return true
  }

  /// Whether a literal stands at an index, byte by byte.
  mutating func hasExactly(_ literal: StaticString, at index: Int) -> Bool {
    for offset in 0..<literal.utf8CodeUnitCount where self[index + offset] != literal.utf8Start[offset] {
      return false
    }
    return true
  }

  /// The end of the first of some lower-case words at an index, none of which may go on with a letter.
  mutating func end(ofAny words: [StaticString], at index: Int) -> Int? {
    for word in words where has(word, at: index) {
      let end = index + word.utf8CodeUnitCount
      if !self[end].isWord { return end }
    }
    return nil
  }

  /// Whether a letter or digit of Latin, Greek or Cyrillic script ends right before an index.
  func isWord(before index: Int) -> Bool {
    let last = past(index - 1)
    if last < 0x80 { return last.isAlphanumeric }
    var lead = index - 1
    while lead > index - 4, past(lead) & 0xC0 == 0x80 { lead -= 1 }
    return Self.isLetter(lead: past(lead), past(lead + 1), past(lead + 2))
  }

  /// Whether a letter or digit of Latin, Greek or Cyrillic script begins at an index.
  mutating func isWord(at index: Int) -> Bool {
    let first = self[index]
    if first < 0x80 { return first.isAlphanumeric }
    return Self.isLetter(lead: first, self[index + 1], first >= 0xE0 ? self[index + 2] : 0)
  }

  private static func isLetter(lead: UInt8, _ second: UInt8, _ third: UInt8) -> Bool {
    switch lead {
    case 0xC3...0xC9, 0xCE...0xD4: true
    case 0xE1: (0xB8...0xBB).contains(second)
    // Fullwidth digits and letters.
    case 0xEF:
      second == 0xBC && (0x90...0x99).contains(third) || second == 0xBC && (0xA1...0xBA).contains(third)
        || second == 0xBD && (0x81...0x9A).contains(third)
    default: false
    }
  }

  /// Whether one of some lower-case words stands in the 24 bytes before an index, in its line; what
  /// stands in or before a bracket of its own, as a mask does, is no label.
  func hasLabel(_ labels: [StaticString], before index: Int) -> Bool {
    var at = index - 1
    while at >= max(0, index - 24), past(at) != UInt8(ascii: "\n"), past(at) != UInt8(ascii: "]") {
      if past(at).isLetter, !past(at - 1).isLetter,
        labels.contains(where: { isLabel($0, at: at, before: index) })
      {
        return true
      }
      at -= 1
    }
    return false
  }

  private func isLabel(_ label: StaticString, at start: Int, before index: Int) -> Bool {
    let count = label.utf8CodeUnitCount
    guard start + count <= index, !past(start + count).isLetter || start + count == index else {
      return false
    }
    return (0..<count).allSatisfy { past(start + $0).lowercased == label.utf8Start[$0] }
  }
}
