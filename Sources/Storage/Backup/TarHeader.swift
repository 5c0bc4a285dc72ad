// SPDX-License-Identifier: Apache-2.0

/// What stands before a file in a tar archive: 512 bytes.
///
/// Source: POSIX.1-2024, pax, "ustar Interchange Format"; for files of 8 GiB and more the binary numbers of GNU tar
/// (https://www.gnu.org/software/tar/manual/html_node/Extensions.html).
struct TarHeader: Sendable, Equatable {
  enum Kind: Sendable, Equatable {
    case file, folder
    /// Links, devices and whatever else an archive can hold.
    case other
  }

  static let blockBytes = 512
  static let sizeMax: Int64 = 1 << 50

  var name: String
  var size: Int64
  /// Seconds since 1970.
  var modifiedAt: Int64 = 0
  var kind = Kind.file

  /// Zero bytes that follow a file of that size, up to a whole block.
  static func padding(after size: Int64) -> Int {
    let rest = Int(size % Int64(blockBytes))
    return rest == 0 ? 0 : blockBytes - rest
  }

  // MARK: Writing

  /// - Returns: `nil` for a name that does not fit.
  var block: [UInt8]? {
    guard let (prefix, base) = Self.parts(of: Array(name.utf8)) else { return nil }
    var block = [UInt8](repeating: 0, count: Self.blockBytes)
    func put(_ bytes: some Collection<UInt8>, at offset: Int) {
      block.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
    put(base, at: 0)
    put(Self.octal(kind == .folder ? 0o700 : 0o600, digits: 7), at: 100)
    put(Self.octal(0, digits: 7), at: 108)
    put(Self.octal(0, digits: 7), at: 116)
    if size < 1 << 33 {
      put(Self.octal(size, digits: 11), at: 124)
    } else {
      put([0x80, 0, 0, 0] + (0..<8).map { UInt8(truncatingIfNeeded: size >> (56 - 8 * $0)) }, at: 124)
    }
    put(Self.octal(max(modifiedAt, 0), digits: 11), at: 136)
    block[156] = UInt8(ascii: kind == .folder ? "5" : "0")
    put("ustar\0".utf8, at: 257)
    put("00".utf8, at: 263)
    put(prefix, at: 345)
    put(Self.octal(Self.checksum(block), digits: 6), at: 148)
    block[155] = UInt8(ascii: " ")
    return block
  }

  /// A long name is cut at a `/`: up to 155 bytes before it, up to 100 behind it.
  private static func parts(of name: [UInt8]) -> (prefix: [UInt8], base: [UInt8])? {
    if name.count <= 100 { return name.isEmpty ? nil : ([], name) }
    for (index, byte) in name.enumerated() where byte == UInt8(ascii: "/") {
      let base = Array(name[(index + 1)...])
      if index <= 155, !base.isEmpty, base.count <= 100 { return (Array(name[..<index]), base) }
    }
    return nil
  }

  private static func octal(_ value: Int64, digits: Int) -> [UInt8] {
    let text = String(value, radix: 8)
    return Array(String(repeating: "0", count: max(0, digits - text.count)).utf8) + Array(text.utf8) + [0]
  }

  /// The sum of all bytes, those of the checksum itself taken as spaces.
  private static func checksum(_ block: [UInt8]) -> Int64 {
    block.enumerated().reduce(0) { sum, byte in
      sum + Int64((148..<156).contains(byte.offset) ? UInt8(ascii: " ") : byte.element)
    }
  }

}

// Reading.
extension TarHeader {
  /// Reads a block that is not all zero; `nil` when it is no header, or one with a wrong checksum.
  init?(block: [UInt8]) {
    guard block.count == Self.blockBytes, block[257..<262].elementsEqual("ustar".utf8),
      Self.number(block[148..<156]) == Self.checksum(block),
      let size = Self.number(block[124..<136]), (0...Self.sizeMax).contains(size),
      let base = Self.text(block[0..<100]), let prefix = Self.text(block[345..<500])
    else { return nil }
    // What GNU tar writes has no prefix, but times in its place.
    let isPOSIX = block[262] == 0
    name = isPOSIX && !prefix.isEmpty ? "\(prefix)/\(base)" : base
    self.size = size
    modifiedAt = Self.number(block[136..<148]) ?? 0
    kind =
      switch block[156] {
      case UInt8(ascii: "0"), 0: .file
      case UInt8(ascii: "5"): .folder
      default: .other
      }
  }

  private static func text(_ field: ArraySlice<UInt8>) -> String? {
    String(validating: field.prefix { $0 != 0 }, as: UTF8.self)
  }

  private static func number(_ field: ArraySlice<UInt8>) -> Int64? {
    if let first = field.first, first & 0x80 != 0 {
      guard first == 0x80, field.dropFirst().dropLast(8).allSatisfy({ $0 == 0 }) else { return nil }
      return field.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }.asInt64
    }
    let digits = field.drop { $0 == UInt8(ascii: " ") }.prefix { $0 != 0 && $0 != UInt8(ascii: " ") }
    return Int64(String(decoding: digits, as: UTF8.self), radix: 8)
  }
}

extension UInt64 {
  fileprivate var asInt64: Int64? { Int64(exactly: self) }
}
