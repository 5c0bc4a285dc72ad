// SPDX-License-Identifier: Apache-2.0
public import Core

extension Timestamp {
  /// Reads `Sun, 06 Nov 1994 08:49:37 GMT`; `nil` for the two obsolete forms and everything else.
  ///
  /// Source: RFC 9110, 5.6.7; calendar arithmetic by Howard Hinnant, "chrono-Compatible Low-Level Date
  /// Algorithms".
  public init?(httpDate text: String) {
    let words = text.split(separator: " ")
    guard words.count == 6, words[5] == "GMT", let day = Int64(words[1]), (1...31).contains(day),
      let month = Self.months.firstIndex(of: String(words[2])), let year = Int64(words[3]),
      (1970...9999).contains(year)
    else { return nil }
    let clock = words[4].split(separator: ":").compactMap { Int64($0) }
    guard clock.count == 3, (0..<24).contains(clock[0]), (0..<60).contains(clock[1]),
      (0...60).contains(clock[2])
    else { return nil }
    // Years begin in March here, so that the leap day is the last of its year.
    let shifted = (Int64(month) + 10) % 12
    let years = month < 2 ? year - 1 : year
    let days =
      years * 365 + years / 4 - years / 100 + years / 400 + (153 * shifted + 2) / 5 + day - 1 - 719_468
    let seconds = days * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
    self.init(milliseconds: seconds * 1000)
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
}
