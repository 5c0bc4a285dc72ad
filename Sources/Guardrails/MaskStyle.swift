// SPDX-License-Identifier: Apache-2.0

/// What stands where something was found.
public enum MaskStyle: String, CaseIterable, Sendable {
  /// Keeps what helps a reader and harms nobody: `**** **** **** 1111` for a card, `j***@example.com`
  /// for an address, country and last four characters of an IBAN; `[phone]` and so on for the rest.
  case mask
  /// Leaves nothing of it: `[removed: email]`.
  case remove
  /// Leaves its kind alone: `[email]`.
  case label

  func write(_ detector: Detector, _ found: Slice<UnsafeBufferPointer<UInt8>>, to text: inout [UInt8]) {
    switch (self, detector) {
    case (.mask, .card): Self.writeStars(found, keepingFirst: 0, to: &text)
    case (.mask, .iban): Self.writeStars(found, keepingFirst: 2, to: &text)
    case (.mask, .email):
      // A letter of two bytes is kept whole.
      text += found.prefix(1)
      text += found.dropFirst().prefix { $0 & 0xC0 == 0x80 }
      text += "***".utf8
      text += found.drop { $0 != UInt8(ascii: "@") }
    case (.mask, _), (.label, _): text += "[\(detector.name)]".utf8
    case (.remove, _): text += "[removed: \(detector.name)]".utf8
    }
  }

  private static func writeStars(
    _ found: Slice<UnsafeBufferPointer<UInt8>>, keepingFirst first: Int, to text: inout [UInt8]
  ) {
    let last = found.count { $0.isAlphanumeric } - 4
    var index = 0
    for byte in found {
      text.append(byte.isAlphanumeric && index >= first && index < last ? UInt8(ascii: "*") : byte)
      if byte.isAlphanumeric { index += 1 }
    }
  }
}
