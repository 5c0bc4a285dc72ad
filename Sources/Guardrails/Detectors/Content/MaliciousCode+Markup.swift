// SPDX-License-Identifier: Apache-2.0

extension MaliciousCode {
  private static let tagBytesMax = 256

  /// A script's tag, a tag with an event handler, an entity from outside, or a template.
  static func markup(in reader: inout Reader, at start: Int) -> Int? {
    let next = reader[start + 1]
    if next == UInt8(ascii: "!") { return entity(in: &reader, at: start) }
    if next == UInt8(ascii: "%") { return template(in: &reader, at: start) }
    if next == UInt8(ascii: "/") {
      let end =
        reader.has("script", at: start + 2) ? reader.run(of: .spaces, from: start + 8, bytesMax: 4) : start
      return reader[end] == UInt8(ascii: ">") ? end + 1 : nil
    }
    guard next.isLetter else { return nil }
    let isScript =
      reader.has("script", at: start + 1)
      && (reader[start + 7].isSpace || ByteSet("/>").contains(reader[start + 7]))
    if isScript { return tagEnd(in: &reader, from: start + 7) ?? start + 7 }
    return handler(in: &reader, at: start)
  }

  private static func tagEnd(in reader: inout Reader, from start: Int) -> Int? {
    for at in start..<(start + tagBytesMax) {
      switch reader[at] {
      case UInt8(ascii: ">"): return at + 1
      case UInt8(ascii: "<"), 0: return nil
      default: break
      }
    }
    return nil
  }

  /// The end of `<img onerror=`; a brace after it is JSX.
  private static func handler(in reader: inout Reader, at start: Int) -> Int? {
    var at = start + 1
    while at - start < tagBytesMax {
      let byte = reader[at]
      if byte == UInt8(ascii: ">") || byte == UInt8(ascii: "<") || byte == 0 { return nil }
      let isBorder =
        byte.isSpace || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
      at += 1
      guard isBorder, reader.has("on", at: at) else { continue }
      let name = reader.run(of: .letters, from: at + 2, bytesMax: 24)
      let sign = reader.run(of: .whitespace, from: name, bytesMax: 4)
      guard name - at > 4, reader[sign] == UInt8(ascii: "=") else { continue }
      let value = reader.run(of: .whitespace, from: sign + 1, bytesMax: 4)
      if reader[value] != UInt8(ascii: "{"), reader[value] != 0 { return sign + 1 }
    }
    return nil
  }

  /// `<!ENTITY name SYSTEM`. Source: XML 1.0, 4.2.2.
  private static func entity(in reader: inout Reader, at start: Int) -> Int? {
    guard reader.has("<!entity", at: start) else { return nil }
    var at = start + 8
    for _ in 0..<3 {
      let word = reader.run(of: .whitespace, from: at, bytesMax: 16)
      guard word > at else { return nil }
      if let end = reader.end(ofAny: ["system", "public"], at: word) { return end }
      at = reader.run(of: ByteSet.identifier.union(ByteSet("%-.:")), from: word, bytesMax: 64)
      guard at > word else { return nil }
    }
    return nil
  }

  /// Arithmetic or the insides of objects in a template, and lookups of Log4j.
  static func template(in reader: inout Reader, at start: Int) -> Int? {
    switch (reader[start], reader[start + 1]) {
    case (UInt8(ascii: "$"), UInt8(ascii: "(")): return command(in: &reader, at: start + 2)
    case (UInt8(ascii: "$"), UInt8(ascii: "{")):
      if reader.has("jndi:", at: start + 2) { return start + 7 }
      if reader.hasExactly("${", at: start + 2) {
        let lookups: [StaticString] = ["lower:", "upper:", "env:", "sys:", "::-", "date:"]
        for lookup in lookups where reader.has(lookup, at: start + 4) {
          return start + 4 + lookup.utf8CodeUnitCount
        }
      }
      return product(in: &reader, at: start + 2, close: "}")
    case (UInt8(ascii: "{"), UInt8(ascii: "{")):
      return product(in: &reader, at: start + 2, close: "}}") ?? insides(in: &reader, at: start + 2)
    case (UInt8(ascii: "#"), UInt8(ascii: "{")): return product(in: &reader, at: start + 2, close: "}")
    case (UInt8(ascii: "<"), UInt8(ascii: "%")):
      return product(
        in: &reader, at: reader[start + 2] == UInt8(ascii: "=") ? start + 3 : start + 2, close: "%>")
    default: return nil
    }
  }

  private static func product(in reader: inout Reader, at start: Int, close: StaticString) -> Int? {
    var at = reader.run(of: .spaces, from: start, bytesMax: 4)
    for factor in 0..<2 {
      if ByteSet("'\"").contains(reader[at]) { at += 1 }
      let end = reader.run(of: .digits, from: at, bytesMax: 12)
      guard end > at else { return nil }
      at = ByteSet("'\"").contains(reader[end]) ? end + 1 : end
      at = reader.run(of: .spaces, from: at, bytesMax: 4)
      if factor == 0 {
        guard reader[at] == UInt8(ascii: "*") else { return nil }
        at = reader.run(of: .spaces, from: at + 1, bytesMax: 4)
      }
    }
    return reader.hasExactly(close, at: at) ? at + close.utf8CodeUnitCount : nil
  }

  private static func insides(in reader: inout Reader, at start: Int) -> Int? {
    let names: [StaticString] = [
      "__class__", "__globals__", "__mro__", "__import__", "constructor", "__subclasses__",
    ]
    for at in start..<(start + 64) {
      let byte = reader[at]
      if byte == UInt8(ascii: "}") || byte == 0x0A || byte == 0 { return nil }
      guard byte == UInt8(ascii: "_") || byte == UInt8(ascii: "c") else { continue }
      for name in names where reader.hasExactly(name, at: at) { return at + name.utf8CodeUnitCount }
    }
    return nil
  }
}
