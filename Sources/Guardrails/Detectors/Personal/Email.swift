// SPDX-License-Identifier: Apache-2.0

/// E-mail addresses with a domain that has a dot; letters with Latin accents count as letters.
enum Email {
  /// Source: RFC 5321, 4.5.3.1.
  static let localBytesMax = 64
  private static let domainBytesMax = 255
  static let local = ByteSet.alphanumerics.union(ByteSet("._%+-"))

  /// What looks like a domain in the names of pictures of two sizes, `icon@2x.png`, and of packages.
  private static let suffixes: [StaticString] = [
    "png", "jpg", "jpeg", "gif", "svg", "webp", "pdf", "js", "css", "json", "html", "zip", "tgz",
  ]

  static func match(in reader: inout Reader, at start: Int) -> Match? {
    guard isStart(start, in: reader) else { return nil }
    var at = start
    while let length = step(in: &reader, at: at, of: local) {
      at += length
      if at - start > localBytesMax { return nil }
    }
    guard at > start, reader[at] == UInt8(ascii: "@"), reader[at - 1] != UInt8(ascii: ".") else { return nil }
    guard let end = domainEnd(in: &reader, from: at + 1) else { return nil }
    // `git@host.com:path` is the address of a repository.
    if reader[end] == UInt8(ascii: ":"), reader[end + 1].isWord { return nil }
    return reader[end] == UInt8(ascii: "@") ? nil : Match(start, end)
  }

  /// Whether nothing of an address stands before an index.
  static func isStart(_ start: Int, in reader: Reader) -> Bool {
    var index = start
    while index > start - 8 {
      if reader.isWord(before: index) { return false }
      let last = reader.past(index - 1)
      guard local.contains(last) else {
        return last != UInt8(ascii: "@") || !reader.isWord(before: index - 1)
      }
      index -= 1
    }
    return true
  }

  /// The length of a character of an address.
  private static func step(in reader: inout Reader, at index: Int, of set: ByteSet) -> Int? {
    let byte = reader[index]
    if set.contains(byte) { return 1 }
    return (0xC3...0xC9).contains(byte) ? 2 : nil
  }

  private static func domainEnd(in reader: inout Reader, from start: Int) -> Int? {
    var at = start
    var end: Int?
    var labels = 0
    var numeric = 0
    while at - start < domainBytesMax {
      let label = at
      var isAlphabetic = true
      var isNumeric = true
      while let length = step(in: &reader, at: at, of: ByteSet.hostLabel), at - label < 64 {
        isAlphabetic = isAlphabetic && !reader[at].isDigit && reader[at] != UInt8(ascii: "-")
        isNumeric = isNumeric && reader[at].isDigit
        at += length
      }
      guard at > label, reader[label] != UInt8(ascii: "-"), reader[at - 1] != UInt8(ascii: "-") else { break }
      labels += 1
      if isNumeric { numeric += 1 }
      let isTop = isAlphabetic || reader.has("xn--", at: label)
      if labels > 1, isTop, at - label >= 2, numeric < 2, !isSuffix(in: &reader, label..<at) { end = at }
      guard reader[at] == UInt8(ascii: ".") else { break }
      at += 1
    }
    return end
  }

  private static func isSuffix(in reader: inout Reader, _ range: Range<Int>) -> Bool {
    for suffix in suffixes where suffix.utf8CodeUnitCount == range.count {
      if reader.has(suffix, at: range.lowerBound) { return true }
    }
    return false
  }
}

extension ByteSet {
  static let hostLabel = alphanumerics.union(ByteSet("-"))
}
