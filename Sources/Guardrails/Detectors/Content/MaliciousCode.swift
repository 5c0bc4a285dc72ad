// SPDX-License-Identifier: Apache-2.0

/// Code that is meant for whoever shows or runs a text: the finding is what gives it away, not
/// the whole of it.
enum MaliciousCode {
  /// The first bytes of every pattern, for the table of triggers.
  static let beginnings: [StaticString] = [
    "jav", "vbs", "uni", "xp_", "wai", "</", "<!", "&&", "$(", "${", "..", "%2", "{{", "#{", "<%", "||", "; ",
    ";+", ";/",
    "| ", "|/", "`/", "' ", "')", "';", "'o", "'a", "'|", "'/", "'+", "'%", "\" ", "\")", "\";", "\"o", "\"a",
    "\"|", "\"/", "\"+", "\"%",
  ]
  /// Signs that any letter may follow.
  static let signs = Array("<;|`".utf8)

  static func match(in reader: inout Reader, at start: Int) -> Match? {
    let end: Int?
    switch reader[start] {
    case UInt8(ascii: "<"): end = markup(in: &reader, at: start)
    case UInt8(ascii: "'"), UInt8(ascii: "\""): end = tautology(in: &reader, at: start)
    case UInt8(ascii: ";"), UInt8(ascii: "|"), UInt8(ascii: "&"):
      end = statement(in: &reader, at: start) ?? command(in: &reader, after: start)
    case UInt8(ascii: "`"): end = command(in: &reader, at: start + 1)
    case UInt8(ascii: "."), UInt8(ascii: "%"): end = traversal(in: &reader, at: start)
    case UInt8(ascii: "$"), UInt8(ascii: "{"), UInt8(ascii: "#"): end = template(in: &reader, at: start)
    default: end = word(in: &reader, at: start)
    }
    return end.map { Match(start, $0) }
  }

  /// `javascript:` before a call or an assignment, and words of SQL.
  private static func word(in reader: inout Reader, at start: Int) -> Int? {
    let last = reader.past(start - 1)
    if last == UInt8(ascii: "-") || last == UInt8(ascii: "_") || last == UInt8(ascii: ".") { return nil }
    for scheme in ["javascript:", "vbscript:"] as [StaticString] where reader.has(scheme, at: start) {
      let end = start + scheme.utf8CodeUnitCount
      let close = reader.run(of: ByteSet.identifier.union(ByteSet(".%/")), from: end, bytesMax: 64)
      return close > end && ByteSet("(=`[").contains(reader[close]) ? end : nil
    }
    if reader.has("xp_cmdshell", at: start) { return start + 11 }
    if reader.has("waitfor", at: start) { return phrase(["delay"], in: &reader, at: start + 7) }
    return reader.has("union", at: start) ? union(in: &reader, at: start + 5) : nil
  }

  /// `UNION SELECT` and a list: "the union select committee" has none.
  private static func union(in reader: inout Reader, at start: Int) -> Int? {
    guard let all = phrase(["all", "distinct"], in: &reader, at: start, optional: true),
      let end = phrase(["select"], in: &reader, at: all)
    else { return nil }
    var at = spaceEnd(in: &reader, at: end)
    guard at > end else { return nil }
    if ByteSet("0123456789*@'\"(").contains(reader[at]) || reader.has("null", at: at) { return end }
    // Names with commas between, up to FROM.
    for _ in 0..<8 {
      let name = reader.run(of: ByteSet.identifier.union(ByteSet(".`")), from: at, bytesMax: 32)
      guard name > at else { return nil }
      if reader[name] == UInt8(ascii: "(") { return end }
      at = spaceEnd(in: &reader, at: name)
      if reader[at] == UInt8(ascii: ",") {
        at = spaceEnd(in: &reader, at: at + 1)
      } else {
        return at > name && reader.end(ofAny: ["from"], at: at) != nil ? end : nil
      }
    }
    return nil
  }

  /// White space, a plus of a URL, or a comment of SQL.
  private static func spaceEnd(in reader: inout Reader, at start: Int) -> Int {
    var at = start
    while at - start < 16 {
      if reader[at].isSpace || reader[at] == UInt8(ascii: "+") {
        at += 1
      } else if reader.hasExactly("/**/", at: at) {
        at += 4
      } else if reader.has("%20", at: at) {
        at += 3
      } else {
        break
      }
    }
    return at
  }

  /// The end of one of some words after white space; where it may be missing, the start.
  private static func phrase(
    _ words: [StaticString], in reader: inout Reader, at start: Int, optional: Bool = false
  ) -> Int? {
    let at = spaceEnd(in: &reader, at: start)
    if at > start, let end = reader.end(ofAny: words, at: at) { return end }
    return optional ? start : nil
  }

  /// A quote, `OR`, and two things that are equal: `' OR '1'='1`.
  private static func tautology(in reader: inout Reader, at start: Int) -> Int? {
    var at = spaceEnd(in: &reader, at: start + 1)
    if reader[at] == UInt8(ascii: ")") { at = spaceEnd(in: &reader, at: at + 1) }
    if reader[at] == UInt8(ascii: ";") { return statement(in: &reader, at: at) }
    if reader.hasExactly("||", at: at) {
      at += 2
    } else {
      guard let end = reader.end(ofAny: ["or", "and"], at: at) else { return nil }
      at = end
    }
    let (left, middle) = operand(in: &reader, at: spaceEnd(in: &reader, at: at))
    let sign = spaceEnd(in: &reader, at: middle)
    guard !left.isEmpty, reader[sign] == UInt8(ascii: "=") || reader.has("like", at: sign) else { return nil }
    let next = reader[sign] == UInt8(ascii: "=") ? sign + 1 : sign + 4
    let (right, end) = operand(in: &reader, at: spaceEnd(in: &reader, at: next))
    guard left.count == right.count else { return nil }
    return zip(left, right).allSatisfy({ reader.past($0) == reader.past($1) }) ? end : nil
  }

  /// A number or a word, in quotes or not, and where it ends.
  private static func operand(in reader: inout Reader, at start: Int) -> (Range<Int>, Int) {
    let isQuoted = ByteSet("'\"").contains(reader[start])
    let first = isQuoted ? start + 1 : start
    let end = reader.run(of: .identifier, from: first, bytesMax: 16)
    return (first..<end, isQuoted && ByteSet("'\"").contains(reader[end]) ? end + 1 : end)
  }

  private static let statements: [(StaticString, [StaticString])] = [
    ("drop", ["table", "database", "schema", "user", "view"]), ("delete", ["from"]), ("insert", ["into"]),
    ("truncate", ["table"]), ("alter", ["table", "user", "role"]), ("create", ["user"]),
    ("exec", ["xp_cmdshell"]),
    ("shutdown", ["with"]), ("grant", ["all"]),
  ]

  /// A second statement of SQL in one line.
  private static func statement(in reader: inout Reader, at start: Int) -> Int? {
    guard reader[start] == UInt8(ascii: ";") else { return nil }
    let at = reader.run(of: ByteSet(" \t+"), from: start + 1, bytesMax: 8)
    for (verb, objects) in statements where reader.has(verb, at: at) {
      return phrase(objects, in: &reader, at: at + verb.utf8CodeUnitCount)
    }
    return nil
  }
}
