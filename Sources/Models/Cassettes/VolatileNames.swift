// SPDX-License-Identifier: Apache-2.0

/// What is different in every run and means the same: UUIDs by their number, and times of the clock.
struct VolatileNames: Sendable {
  /// In the order of their first appearance.
  private(set) var identifiers: [String] = []

  /// Puts `[uuid 1]` and `[time]` in place of UUIDs and of times down to the second (RFC 3339, or SQL's).
  mutating func replace(in text: String) -> String {
    WordScan.replace(in: text) { rest in
      if let identifier = Self.uuid(rest) {
        let number = identifiers.firstIndex(of: identifier) ?? identifiers.count
        if number == identifiers.count { identifiers.append(identifier) }
        return (identifier.utf8.count, Self.label(number))
      }
      return Self.time(rest).map { ($0, "[time]") }
    }
  }

  /// Puts the numbers of known UUIDs in their place; those that are new, and times, stay: they are an answer's own.
  func replacing(in text: String) -> String {
    if identifiers.isEmpty { return text }
    return WordScan.replace(in: text) { rest in
      guard let identifier = Self.uuid(rest), let number = identifiers.firstIndex(of: identifier) else {
        return nil
      }
      return (identifier.utf8.count, Self.label(number))
    }
  }

  /// Puts this run's UUIDs back where a recording has their numbers.
  func restoring(in text: String) -> String {
    if !text.contains("[uuid ") { return text }
    return identifiers.enumerated().reduce(text) { $0.replacing(Self.label($1.offset), with: $1.element) }
  }

  private static func label(_ index: Int) -> String { "[uuid \(index + 1)]" }

  private static func uuid(_ rest: ArraySlice<UInt8>) -> String? {
    WordScan.fits(rest, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")
      ? String(decoding: rest.prefix(36), as: UTF8.self) : nil
  }

  /// Length of a time, with its fraction and its zone.
  private static func time(_ rest: ArraySlice<UInt8>) -> Int? {
    guard WordScan.fits(rest, "0000-00-00 00:00:00") || WordScan.fits(rest, "0000-00-00T00:00:00") else {
      return nil
    }
    var end = rest.dropFirst(19)
    if end.first == UInt8(ascii: ".") {
      let digits = end.dropFirst().prefix { WordScan.isDigit($0) }.count
      if digits > 0 { end = end.dropFirst(digits + 1) }
    }
    let zones: [StaticString] = ["Z", "+00:00", "-00:00", "+0000", "-0000"]
    if let zone = zones.first(where: { WordScan.fits(end, $0) }) {
      end = end.dropFirst(zone.utf8CodeUnitCount)
    }
    return end.startIndex - rest.startIndex
  }
}
