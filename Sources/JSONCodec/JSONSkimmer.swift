// SPDX-License-Identifier: Apache-2.0

/// Reads some of a JSON text and passes over the rest, without making a tree of either.
///
/// What is passed over has to be JSON as ``JSON/init(parsing:)`` takes it, except that what is in its strings is not
/// looked at.
public struct JSONSkimmer: ~Copyable {
  /// The key of a member, to be compared with.
  public struct Key {
    fileprivate let bytes: UnsafeBufferPointer<UInt8>

    public static func ~= (name: StaticString, key: Key) -> Bool { JSONText.isEqual(key.bytes[...], name) }
  }

  private var parser: JSONParser

  /// Where it stands, in bytes from the beginning of the text: at a value that is to be read, and behind it afterwards.
  public var offset: Int { parser.at }

  /// Reads one value, which is the whole text.
  ///
  /// - Parameter body: Has to read the value, or pass over it.
  /// - Throws: ``JSONError``, for keys with escapes in objects that are read as well.
  public static func skim<Result>(
    _ text: [UInt8], _ body: (inout JSONSkimmer) throws(JSONError) -> Result
  ) throws(JSONError) -> Result {
    try text.withUnsafeBufferPointer { bytes throws(JSONError) in
      var skimmer = JSONSkimmer(parser: JSONParser(bytes: bytes))
      skimmer.parser.skipSpace()
      let result = try body(&skimmer)
      skimmer.parser.skipSpace()
      guard skimmer.parser.next == nil else { throw skimmer.parser.fault("unexpected text after the value") }
      return result
    }
  }

  /// Reads an object.
  ///
  /// - Parameter body: Called for each member, whose value it has to read or pass over.
  public mutating func object(
    _ body: (Key, inout JSONSkimmer) throws(JSONError) -> Void
  ) throws(JSONError) {
    guard parser.next == UInt8(ascii: "{") else { throw parser.fault("expected an object") }
    try parser.enter()
    defer { parser.depth -= 1 }
    if try parser.isEmpty(UInt8(ascii: "}")) { return }
    repeat {
      let key = Key(bytes: try parser.key())
      try body(key, &self)
    } while try !parser.closes(UInt8(ascii: "}"))
  }

  /// Reads an array.
  ///
  /// - Parameter body: Called for each element with its place, from 0; it has to read it or pass over it.
  public mutating func array(
    _ body: (Int, inout JSONSkimmer) throws(JSONError) -> Void
  ) throws(JSONError) {
    guard parser.next == UInt8(ascii: "[") else { throw parser.fault("expected an array") }
    try parser.enter()
    defer { parser.depth -= 1 }
    if try parser.isEmpty(UInt8(ascii: "]")) { return }
    var index = 0
    repeat {
      try body(index, &self)
      index += 1
    } while try !parser.closes(UInt8(ascii: "]"))
  }

  /// What a string says that stands so between its quotes; `nil` when one of the bytes is escaped or may not stand there.
  public static func plainString(_ bytes: UnsafeRawBufferPointer) -> String? {
    bytes.withMemoryRebound(to: UInt8.self) {
      JSONText.firstSpecial(in: $0, from: 0) == $0.count ? JSONParser.utf8($0) : nil
    }
  }

  public mutating func string() throws(JSONError) -> String {
    guard parser.next == UInt8(ascii: "\"") else { throw parser.fault("expected a string") }
    return try parser.string()
  }

  /// Passes over a `null`; false when there is another value, which is still to be read.
  public mutating func null() throws(JSONError) -> Bool {
    guard parser.next == UInt8(ascii: "n") else { return false }
    _ = try parser.word("null", .null)
    return true
  }

  /// Passes over a value.
  public mutating func skip() throws(JSONError) {
    switch parser.next {
    case UInt8(ascii: "{"): try object { _, inner throws(JSONError) in try inner.skip() }
    case UInt8(ascii: "["): try array { _, inner throws(JSONError) in try inner.skip() }
    case UInt8(ascii: "\""): try parser.skipString()
    default: _ = try parser.value()
    }
  }
}

extension JSONParser {
  /// Passes the closing bracket of what has nothing in it.
  fileprivate mutating func isEmpty(_ bracket: UInt8) throws(JSONError) -> Bool {
    guard next == bracket else { return false }
    at += 1
    return true
  }

  /// Passes a key and its colon.
  fileprivate mutating func key() throws(JSONError) -> UnsafeBufferPointer<UInt8> {
    guard next == UInt8(ascii: "\"") else { throw fault("expected a key in quotes") }
    let start = at + 1
    at = JSONText.firstSpecial(in: bytes, from: start)
    guard next == UInt8(ascii: "\"") else { throw fault("a key that is not plain") }
    let key = UnsafeBufferPointer(rebasing: bytes[start..<at])
    at += 1
    skipSpace()
    guard next == UInt8(ascii: ":") else { throw fault("expected ':'") }
    at += 1
    skipSpace()
    return key
  }

  fileprivate mutating func skipString() throws(JSONError) {
    let start = at
    at += 1
    while true {
      at = JSONText.firstSpecial(in: bytes, from: at)
      switch next {
      case nil: throw fault("string without an end", at: start)
      case UInt8(ascii: "\""):
        at += 1
        return
      // Whatever is escaped: what it means is not looked at.
      case UInt8(ascii: "\\"): at += 2
      case .some: throw fault("control character in a string")
      }
    }
  }
}
