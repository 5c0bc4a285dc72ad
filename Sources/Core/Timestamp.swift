// SPDX-License-Identifier: Apache-2.0

/// A moment of the wall clock, in milliseconds since 1970 UTC.
public struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
  public let milliseconds: Int64

  public init(milliseconds: Int64) { self.milliseconds = milliseconds }

  public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

  /// RFC 3339 in UTC with milliseconds, `2026-11-21T09:30:00.000Z`.
  public var description: String {
    let days = milliseconds.flooredQuotient(86_400_000)
    let inDay = milliseconds - days * 86_400_000
    let date = CivilDate(daysSince1970: days)
    return String(unsafeUninitializedCapacity: 32) { buffer in
      var at = 0
      func put(_ value: Int64, width: Int, then separator: Character?) {
        var divisor: Int64 = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
          buffer[at] = UInt8(48 + value / divisor % 10)
          at += 1
          divisor /= 10
        }
        if let separator = separator?.asciiValue {
          buffer[at] = separator
          at += 1
        }
      }
      put(date.year, width: 4, then: "-")
      put(date.month, width: 2, then: "-")
      put(date.day, width: 2, then: "T")
      put(inDay / 3_600_000, width: 2, then: ":")
      put(inDay / 60_000 % 60, width: 2, then: ":")
      put(inDay / 1000 % 60, width: 2, then: ".")
      put(inDay % 1000, width: 3, then: "Z")
      return at
    }
  }
}

/// Where time comes from: the machine, or a test that turns it by hand.
public protocol TimeSource: Sendable {
  var now: Timestamp { get }
  /// Time since some fixed moment that never jumps.
  var elapsed: Duration { get }
  /// - Throws: `CancellationError` as soon as the task is cancelled.
  func sleep(for duration: Duration) async throws
}

extension Timestamp {
  /// Reads an RFC 3339 date, or date and time; UTC unless an offset is written.
  public init?(parsing text: String) {
    var rest = Substring(text)
    func digits(_ count: Int) -> Int64? {
      let head = rest.prefix(count)
      guard head.utf8.count == count, head.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
      rest = rest.dropFirst(count)
      return Int64(head)
    }
    func skip(_ characters: String) -> Bool {
      guard let first = rest.first, characters.contains(first) else { return false }
      rest = rest.dropFirst()
      return true
    }
    guard let year = digits(4), skip("-"), let month = digits(2), skip("-"), let day = digits(2),
      (1...12).contains(month), (1...CivilDate.days(in: month, of: year)).contains(day)
    else { return nil }
    var milliseconds = CivilDate.daysSince1970(year, month, day) * 86_400_000
    if !rest.isEmpty {
      guard skip("Tt "), let hour = digits(2), skip(":"), let minute = digits(2), skip(":"),
        let second = digits(2),
        hour < 24, minute < 60, second < 61
      else { return nil }
      milliseconds += (hour * 3600 + minute * 60 + second) * 1000
      if skip(".") {
        let fraction = rest.prefix { $0.isASCII && $0.isNumber }
        guard !fraction.isEmpty else { return nil }
        rest = rest.dropFirst(fraction.count)
        milliseconds += Int64((fraction + "00").prefix(3)) ?? 0
      }
      if !skip("Zz") {
        let sign: Int64 = rest.first == "-" ? -1 : 1
        guard skip("+-"), let hours = digits(2), skip(":"), let minutes = digits(2), hours < 24, minutes < 60
        else {
          return nil
        }
        milliseconds -= sign * (hours * 60 + minutes) * 60_000
      }
      guard rest.isEmpty else { return nil }
    }
    self.init(milliseconds: milliseconds)
  }
}

extension Timestamp {
  /// To the millisecond, the rest is dropped.
  public static func + (time: Timestamp, duration: Duration) -> Timestamp {
    Timestamp(milliseconds: time.milliseconds + Int64(duration / .milliseconds(1)))
  }

  public static func - (later: Timestamp, earlier: Timestamp) -> Duration {
    .milliseconds(later.milliseconds - earlier.milliseconds)
  }
}
