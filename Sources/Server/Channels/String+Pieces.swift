// SPDX-License-Identifier: Apache-2.0

extension String {
  /// The text in pieces that a messenger takes, each cut where it hurts least: between paragraphs, lines, sentences,
  /// words, and never within a character that fits.
  ///
  /// - Parameter max: Characters of a piece, as UTF-16 counts them.
  func pieces(max: Int) -> [String] {
    var pieces: [String] = []
    var rest = self[...].trimmed
    while rest.utf16.count > max {
      let end = rest.lastFit(max: max)
      let cut = rest[..<end].gap ?? end
      let piece = rest[..<cut].trimmed
      if !piece.isEmpty { pieces.append(String(piece)) }
      rest = rest[cut...].trimmed
    }
    if !rest.isEmpty { pieces.append(String(rest)) }
    return pieces
  }
}

extension Substring {
  fileprivate var trimmed: Substring {
    var text = self
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }

  /// The end of as many characters as fit; of one that is too long by itself, as much of it as does.
  fileprivate func lastFit(max: Int) -> Index {
    var (end, count) = (startIndex, 0)
    for index in indices {
      let size = self[index].utf16.count
      if count + size > max { break }
      count += size
      end = self.index(after: index)
    }
    if end > startIndex { return end }
    for index in unicodeScalars.indices {
      let size = UTF16.width(unicodeScalars[index])
      if count > 0, count + size > max { break }
      count += size
      end = unicodeScalars.index(after: index)
    }
    return end
  }

  /// The best place to cut it, which leaves not too little before it; `nil` = there is none.
  fileprivate var gap: Index? {
    let least = index(startIndex, offsetBy: count / 2)
    let late = self[least...]
    if let paragraph = late.lastRange(of: "\n\n") { return paragraph }
    if let line = late.lastIndex(where: \.isNewline) { return line }
    let ends = late.indices.filter { late[$0].isWhitespace && $0 > startIndex }
    let sentence = ends.last { ".!?…。！？".contains(self[self.index(before: $0)]) }
    return sentence ?? ends.last ?? lastIndex { $0.isWhitespace }
  }

  private func lastRange(of text: String) -> Index? {
    indices.last { self[$0...].hasPrefix(text) }
  }
}
