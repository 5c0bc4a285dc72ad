// SPDX-License-Identifier: Apache-2.0

/// Swear words as whole words, in any case, with a few digits and signs for letters.
struct Profanity: Sendable {
  /// The longest built-in word, its letters stretched.
  private static let bytesMax = 64

  /// Roots with the endings that they take: a last consonant is doubled where English does it.
  ///
  /// Words with an innocent sense are left out: a cock crows, and Dick is a name.
  private static let roots: [(word: String, endings: String)] = [
    ("fuck", "s ed er ers in ing ings wit wits head heads face up off tard tards able y"),
    ("motherfuck", "er ers in ing a as"), ("clusterfuck", "s"),
    ("shit", "s e y head heads hole holes face faces show load"),
    ("shitt", "ed er ers ing y ier iest"), ("bullshit", "s ter ters ting ted"), ("horseshit", ""),
    ("dipshit", "s"),
    ("batshit", ""), ("bitch", "es ed ing y ass"), ("cunt", "s y ish"), ("ass", "es"), ("asshole", "s"),
    ("arse", "s hole holes"), ("asshat", "s"), ("jackass", "es"), ("dumbass", "es"), ("fatass", "es"),
    ("bastard", "s y"), ("dickhead", "s"), ("dickface", "s"), ("cocksucker", "s"), ("cocksuck", "ing"),
    ("pussy", ""), ("pussies", ""), ("wank", "s ed er ers ing y"), ("twat", "s"), ("slut", "s ty"),
    ("whore", "s d"),
    ("bollock", "s ed ing"), ("bugger", "s ed ing"), ("piss", "ed er ing es off"), ("prickhead", "s"),
    ("faggot", "s ry"), ("fag", "s"), ("nigger", "s"), ("nigga", "s z"), ("retard", "s ed"),
    ("douche", "s bag bags"),
    ("douchebag", "s"), ("dildo", "s es"), ("jizz", "ed"), ("titties", ""), ("skank", "s y"), ("kike", "s"),
    ("goddamn", "ed it"), ("goddam", ""), ("tosser", "s"), ("bellend", "s"), ("knobhead", "s"),
    ("blowjob", "s"),
    ("handjob", "s"), ("wetback", "s"), ("raghead", "s"), ("towelhead", "s"), ("shagg", "ed ing"),
    ("cumshot", "s"), ("fck", "n ing"), ("fuk", "n ing er"), ("stfu", ""), ("gtfo", ""),
  ]

  private let words: Trie

  /// - Parameter extra: More words, matched whole and in any case; as they are, without endings.
  init(extra: [String]) {
    var words = Trie()
    for (root, endings) in Self.roots {
      words.insert(root.utf8, value: 0)
      for ending in endings.split(separator: " ") { words.insert((root + ending).utf8, value: 0) }
    }
    for word in extra where !word.isEmpty && word.utf8.count <= Self.bytesMax {
      words.insert(word.utf8.map { Self.folded($0) }, value: 1)
      // Beside the letters that Unicode lowers and this fold does not.
      words.insert(word.lowercased().utf8.map { Self.folded($0) }, value: 1)
      words.insert(word.uppercased().utf8.map { Self.folded($0) }, value: 1)
    }
    self.words = words
  }

  /// A sign as the letter that it stands for.
  static func folded(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "@"): UInt8(ascii: "a")
    case UInt8(ascii: "0"): UInt8(ascii: "o")
    case UInt8(ascii: "1"), UInt8(ascii: "!"): UInt8(ascii: "i")
    case UInt8(ascii: "$"): UInt8(ascii: "s")
    case UInt8(ascii: "3"): UInt8(ascii: "e")
    default: byte.lowercased
    }
  }

  var beginnings: [[UInt8]] { words.beginnings }

  func match(in reader: inout Reader, at start: Int) -> Match? {
    guard !reader.isWord(before: start) else { return nil }
    // A sign before a word is rarely a letter: `@ss` is a variable, `$hit` has to be longer than three.
    var node = Trie.root
    var at = start
    var end: Int?
    var signs = 0
    while at - start < Self.bytesMax {
      let byte = reader[at]
      let letter = Self.folded(byte)
      if let next = words.next(node, letter) {
        node = next
        if letter != byte.lowercased { signs += 1 }
        at += 1
      } else {
        let stretched = stretchEnd(of: letter, in: &reader, from: at, start: start)
        if stretched == at { break }
        at = stretched
      }
      guard words.value(node) != nil, signs == 0 || at - start > 3 && signs < at - start else { continue }
      if !reader[at].isAlphanumeric, !reader.isWord(at: at) { end = at }
    }
    return end.map { Match(start, $0) }
  }

  /// Where a letter that goes on and on is over: three in a row are more than any word has.
  private func stretchEnd(of letter: UInt8, in reader: inout Reader, from at: Int, start: Int) -> Int {
    guard at > start, letter.isLetter, Self.folded(reader.past(at - 1)) == letter else { return at }
    var end = at
    while end - start < Self.bytesMax, Self.folded(reader[end]) == letter { end += 1 }
    let isLong = end - at > 1 || at - 1 > start && Self.folded(reader.past(at - 2)) == letter
    return isLong ? end : at
  }
}
