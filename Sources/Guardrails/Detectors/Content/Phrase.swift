// SPDX-License-Identifier: Apache-2.0

/// Sentences of a few words, each slot with alternatives, compiled to one bit per slot.
///
/// A slot is written `a|b`, `[a|b]` when it may be left out, and `[a|b]*` when it may also be
/// repeated. A colon is a word of its own.
struct Phrases: Sendable {
  /// The longest stretch of a text that is taken for one phrase.
  static let bytesMax = 256
  private static let gapBytesMax = 16
  private static let colon = 0

  private struct Form: Sendable {
    var slots = 0
    var optional: UInt16 = 0
    var repeated: UInt16 = 0
  }

  private var vocabulary = Trie()
  private var count = 1
  private var forms: [Form] = []
  /// The slots that each word fits, by form; a row for each word.
  private var fits: [[UInt16]] = [[]]
  /// The forms that a word may begin.
  private var openers: [[Int]] = [[]]

  init(_ sources: [String]) {
    for source in sources {
      add(source)
      for word in Self.words(source.prefix { $0 != " " }) { beginnings.append(Array(word.utf8.prefix(3))) }
    }
    for index in fits.indices {
      fits[index] += Array(repeating: 0, count: forms.count - fits[index].count)
      openers[index] = forms.indices.filter { fits[index][$0] & reachable(1, forms[$0]) != 0 }
    }
  }

  private static func words(_ part: Substring) -> [Substring] {
    part.split(whereSeparator: { "[]|*".contains($0) })
  }

  private mutating func add(_ source: String) {
    var form = Form()
    for part in source.split(separator: " ") {
      let slot = UInt16(1) << UInt16(form.slots)
      if part.hasPrefix("[") { form.optional |= slot }
      if part.hasSuffix("*") { form.repeated |= slot }
      for word in Self.words(part) {
        let id = word == ":" ? Self.colon : vocabulary.insert(word.utf8, value: count)
        if id == count {
          count += 1
          fits.append([])
          openers.append([])
        }
        fits[id] += Array(repeating: 0, count: forms.count + 1 - fits[id].count)
        fits[id][forms.count] |= slot
      }
      form.slots += 1
    }
    forms.append(form)
  }

  /// The first three letters of every word that begins a phrase, all of a shorter one.
  private(set) var beginnings: [[UInt8]] = []

  /// Slots that may come next, where those before may be left out.
  private func reachable(_ slots: UInt16, _ form: Form) -> UInt16 {
    var all = slots
    for index in 0..<form.slots
    where all & (1 << UInt16(index)) != 0 && form.optional & (1 << UInt16(index)) != 0 {
      all |= 1 << UInt16(index + 1)
    }
    return all
  }

  func match(in reader: inout Reader, at start: Int) -> Match? {
    guard !reader.isWord(before: start), let first = word(in: &reader, at: start) else { return nil }
    var end: Int?
    for form in openers[first.id] {
      if let found = match(form, first, in: &reader, from: start) { end = max(end ?? 0, found) }
    }
    return end.map { Match(start, $0) }
  }

  private func match(_ index: Int, _ first: (id: Int, end: Int), in reader: inout Reader, from start: Int)
    -> Int?
  {
    let form = forms[index]
    let accepted = UInt16(1) << UInt16(form.slots)
    var slots = reachable(1, form)
    var word = first
    var end: Int?
    while true {
      let hit = slots & fits[word.id][index]
      slots = reachable(hit << 1 | hit & form.repeated, form)
      if slots & accepted != 0 { end = word.end }
      guard slots & ~accepted != 0, let at = gapEnd(in: &reader, from: word.end, start: start),
        let next = self.word(in: &reader, at: at)
      else { return end }
      word = next
    }
  }

  /// The word of the vocabulary that stands at an index.
  private func word(in reader: inout Reader, at start: Int) -> (id: Int, end: Int)? {
    var node = Trie.root
    var at = start
    var end = start
    if reader[at] == UInt8(ascii: ":") { return (Self.colon, at + 1) }
    while at - start < Self.bytesMax {
      let byte = reader[at]
      if byte.isLetter {
        guard let next = vocabulary.next(node, byte.lowercased) else { return nil }
        node = next
        at += 1
        end = at
        continue
      }
      let (character, length) = Folding.character(in: &reader, at: at)
      switch character {
      case .letter(let letter):
        guard let next = vocabulary.next(node, letter) else { return nil }
        node = next
        end = at + length
      case .ignored: if at == start { return nil }
      case .other: return vocabulary.value(node).map { ($0, end) }
      }
      at += length
    }
    return nil
  }

  /// Where the next word begins: after white space, marks of emphasis and characters that nobody sees.
  private func gapEnd(in reader: inout Reader, from start: Int, start first: Int) -> Int? {
    var at = start
    while at - start < Self.gapBytesMax, at - first < Self.bytesMax {
      switch reader[at] {
      case 0x09, 0x0A, 0x0D, 0x20, 0x22, 0x27, 0x2A, 0x2C, 0x2D, 0x5F, 0x7E: at += 1
      case 0xC2 where reader[at + 1] == 0xA0: at += 2
      case 0xE2 where reader[at + 1] == 0x80 && [0x98, 0x99, 0x9C, 0x9D].contains(reader[at + 2]): at += 3
      case 0xE3 where reader[at + 1] == 0x80 && reader[at + 2] == 0x80: at += 3
      default:
        guard let length = Invisible.length(in: &reader, at: at) else {
          return at > start || reader[at] == UInt8(ascii: ":") ? at : nil
        }
        at += length
      }
    }
    return nil
  }
}
