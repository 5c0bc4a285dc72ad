// SPDX-License-Identifier: Apache-2.0

/// The value of a field that is named password, and the password of a connection string.
///
/// The finding is the value alone. A value that is code, a placeholder or a plain word of prose
/// is none.
enum Password {
  static let bytesMax = 200

  private static let names: [StaticString] = [
    "password", "passwd", "passphrase", "passwort", "kennwort", "pwd", "pass", "contrasena",
    "contrase\u{F1}a", "motdepasse", "mot_de_passe", "client_secret", "secret_key",
  ]
  private static let endings: [UInt16] = names.map { name in
    let last = name.utf8CodeUnitCount - 1
    return UInt16(name.utf8Start[last - 1]) << 8 | UInt16(name.utf8Start[last])
  }
  private static let quotes = ByteSet("\"'`")
  private static let loose = ByteSet.graphic(except: ByteSet("\"'`<>,;()[]{}"))
  /// In an address, the next field follows.
  private static let tight = ByteSet.graphic(except: ByteSet("\"'`<>,;()[]{}&"))

  static func match(in reader: inout Reader, at sign: Int) -> Match? {
    let isColon = reader[sign] == UInt8(ascii: ":")
    if isColon, reader[sign + 1] == UInt8(ascii: "/") { return connection(in: &reader, at: sign) }
    guard isNamed(before: sign, in: reader) else { return nil }
    var at = sign + 1
    // Go's `:=`, and the arrow of a hash.
    if isColon, reader[at] == UInt8(ascii: "=") { at += 1 }
    if !isColon, reader[at] == UInt8(ascii: ">") { at += 1 }
    if reader[at] == UInt8(ascii: "=") { return nil }
    let value = reader.run(of: .spaces, from: at, bytesMax: 4)
    let isTight = value == at && !isColon
    var quote = value
    if reader[quote] == UInt8(ascii: "\\") { quote += 1 }
    if quotes.contains(reader[quote]) { return quoted(in: &reader, at: quote, escaped: quote > value) }
    return bare(in: &reader, at: value, isTight: isTight)
  }

  /// Whether a field of this name holds a password: `dbPassword`, `password_confirmation`, `SMTP_PASS`.
  ///
  /// Short names mean too much beside it, as in `{"pass": 12, "fail": 3}` or `boarding_pass`: they count after the name of
  /// what a password is for.
  static func isName(_ field: String) -> Bool {
    var name = Substring(field.lowercased())
    for ending in ["_confirmation", "confirmation", "_confirm", "confirm", "_again"]
    where name.hasSuffix(ending) {
      name = name.dropLast(ending.count)
      break
    }
    while name.last?.isNumber == true || name.last == "_" { name = name.dropLast() }
    if let short = ["pass", "pwd"].first(where: name.hasSuffix) {
      let owner = name.dropLast(short.count)
      return owners.contains { owner.hasSuffix($0) || owner.hasSuffix("\($0)_") || owner.hasSuffix("\($0)-") }
    }
    var bytes = String(name)
    return bytes.withUTF8 { isNamed(before: $0.count, in: Reader($0, isWhole: true)) }
  }

  /// What has a password in configurations.
  private static let owners = [
    "db", "database", "sql", "postgres", "redis", "mongo", "smtp", "imap", "mail", "ftp", "ssh", "user",
    "admin",
    "root", "login", "proxy", "auth",
  ]

  /// Whether the value of such a field is one.
  static func isValue(_ value: String) -> Bool {
    var value = value
    return value.withUTF8 { bytes in
      // A text with spaces speaks of passwords, and a short number counts them.
      (4...bytesMax).contains(bytes.count) && bytes.allSatisfy { $0 > 0x20 }
        && (bytes.count >= 6 || !bytes.allSatisfy(\.isDigit))
        && !isPlaceholder(in: Reader(bytes, isWhole: true), 0..<bytes.count)
    }
  }

  private static func isNamed(before sign: Int, in reader: Reader) -> Bool {
    var end = sign
    while end > sign - 3, reader.past(end - 1) == UInt8(ascii: " ") { end -= 1 }
    if quotes.contains(reader.past(end - 1)) { end -= 1 }
    if reader.past(end - 1) == UInt8(ascii: "\\") { end -= 1 }
    // Nothing else is a name's end: most fields are told by two letters.
    let ending = UInt16(reader.past(end - 2).lowercased) << 8 | UInt16(reader.past(end - 1).lowercased)
    guard endings.contains(ending) else { return false }
    return names.contains { name in
      let count = name.utf8CodeUnitCount
      guard end >= count else { return false }
      for offset in 0..<count where reader.past(end - count + offset).lowercased != name.utf8Start[offset] {
        return false
      }
      // `bypass` and `compass` end like a name, too; `dbPassword` is one.
      return count > 4 || !reader.past(end - count - 1).isLetter
    }
  }

  private static func quoted(in reader: inout Reader, at quote: Int, escaped: Bool) -> Match? {
    let mark = reader[quote]
    let start = quote + 1
    var at = start
    var hasSpace = false
    var hasDigit = false
    while reader[at] != mark || escaped && reader.past(at - 1) != UInt8(ascii: "\\") {
      let byte = reader[at]
      guard byte >= 0x20, at - start < bytesMax else { return nil }
      if !escaped, byte == UInt8(ascii: "\\"), reader[at + 1] >= 0x20 { at += 1 }
      hasSpace = hasSpace || byte == UInt8(ascii: " ")
      hasDigit = hasDigit || byte.isDigit
      at += 1
    }
    let end = escaped ? at - 1 : at
    guard end - start >= 4, !hasSpace || hasDigit, !isPlaceholder(in: reader, start..<end) else { return nil }
    return Match(start, end)
  }

  private static func bare(in reader: inout Reader, at start: Int, isTight: Bool) -> Match? {
    let bare = isTight ? tight : loose
    var end = start
    var digits = 0
    var letters = 0
    var others = 0
    while bare.contains(reader[end]) || reader[end] >= 0x80, end - start < bytesMax {
      let byte = reader.past(end)
      if byte.isDigit {
        digits += 1
      } else if byte.isLetter || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".") {
        letters += 1
      } else {
        others += 1
      }
      end += 1
    }
    if end - start == bytesMax {
      // A scalar is not cut in two: the tail is ASCII, and takes over at the first that is not.
      while end > start, reader.past(end - 1) >= 0x80 { end -= 1 }
      return digits > 0 && end > start ? Match(start, end, tail: .bytes(bare)) : nil
    }
    // A call, an index, a template or a type, not a value.
    if ByteSet("([{<").contains(reader[end]) { return nil }
    if isTight, ByteSet(",)").contains(reader[end]), digits == 0 { return nil }
    while end > start, ByteSet(".!?:").contains(reader.past(end - 1)), isTight || others == 0 { end -= 1 }
    let isStrong = digits > 0 && letters + others > 0 && end - start >= 6 || others > 1 && digits > 0
    guard end - start >= (isTight ? 4 : 6),
      isTight ? letters < end - start || isWord(start..<end, in: reader) : isStrong,
      !isPlaceholder(in: reader, start..<end)
    else { return nil }
    return Match(start, end)
  }

  /// Whether a value without spaces around its sign is one word, and not a path through a program.
  private static func isWord(_ range: Range<Int>, in reader: Reader) -> Bool {
    !range.contains { reader.past($0) == UInt8(ascii: ".") }
  }

  private static let constants: [StaticString] = [
    "null", "none", "true", "false", "undefined", "password", "passwd", "string", "required", "changeme",
    "redacted", "hidden", "secret", "self", "value", "passphrase", "passwort", "your_password",
    "yourpassword", "optional", "text", "input",
  ]

  private static func isPlaceholder(in reader: Reader, _ range: Range<Int>) -> Bool {
    let first = reader.past(range.lowerBound)
    let second = reader.past(range.lowerBound + 1)
    switch first {
    case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "<"): return true
    // A card that was masked keeps its last digits.
    case UInt8(ascii: "*"): if second == first, reader.past(range.lowerBound + 2) == first { return true }
    case UInt8(ascii: "$"):
      if second.isUpper || second == UInt8(ascii: "{") || second == UInt8(ascii: "(") { return true }
    case UInt8(ascii: "%"): if ByteSet("({s%").contains(second) { return true }
    default: break
    }
    if range.allSatisfy({ reader.past($0) == first }) { return true }
    return constants.contains { constant in
      constant.utf8CodeUnitCount == range.count
        && (0..<range.count).allSatisfy {
          reader.past(range.lowerBound + $0).lowercased == constant.utf8Start[$0]
        }
    }
  }

  private static let user = ByteSet.graphic(except: ByteSet("\"'`<>/:@?#()[]{}"))
  private static let secret = ByteSet.graphic(except: ByteSet("\"'`<>/@?#()"))

  /// The password between a scheme and a host: `postgres://user:password@host`.
  private static func connection(in reader: inout Reader, at colon: Int) -> Match? {
    guard reader[colon + 2] == UInt8(ascii: "/"), reader.past(colon - 1).isAlphanumeric else { return nil }
    let end = reader.run(of: user, from: colon + 3, bytesMax: 65)
    guard end - colon - 3 <= 64, reader[end] == UInt8(ascii: ":") else { return nil }
    let close = reader.run(of: secret, from: end + 1, bytesMax: bytesMax)
    guard close > end + 1, reader[close] == UInt8(ascii: "@") else { return nil }
    let first = reader.past(end + 1)
    let isTemplate =
      ByteSet("[{$").contains(first) || (end + 1..<close).allSatisfy { reader.past($0) == first }
    guard !isTemplate || first == UInt8(ascii: "$") && !ByteSet("{(").contains(reader.past(end + 2)) else {
      return nil
    }
    return reader[close + 1].isAlphanumeric || reader[close + 1] == UInt8(ascii: "[")
      ? Match(end + 1, close) : nil
  }
}
