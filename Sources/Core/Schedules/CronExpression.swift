// SPDX-License-Identifier: Apache-2.0

/// When something happens again and again: `30 6 * * MON-FRI`.
///
/// Source: crontab(5) of Paul Vixie's cron: minute, hour, day of the month, month, day of the week, each `*`, a number, a
/// range, a list of these, with a step; where both days are named, either will do. A time that the clocks skip is moved
/// by as much, one that they show twice counts once; with `*` for the hour the clocks are taken as they are.
public struct CronExpression: Sendable, Hashable, CustomStringConvertible {
  /// Why a text is no expression.
  public struct Problem: Error, Sendable, Hashable {
    public let message: String
  }

  public let description: String
  /// Bits of the values that fit.
  private let minutes: UInt64
  private let hours: UInt64
  private let days: UInt64
  private let months: UInt64
  /// Sunday is 0.
  private let weekdays: UInt64
  private let isEveryDay: Bool
  private let isEveryWeekday: Bool
  private let isEveryHour: Bool

  /// - Throws: ``Problem``.
  public init(_ text: String) throws(Problem) {
    description = text
    let known = text.lowercased()
    let full = Self.names[known] ?? known
    guard !known.hasPrefix("@") || Self.names[known] != nil else {
      throw Problem(message: "'\(text)' is none of \(Self.names.keys.sorted().joined(separator: ", "))")
    }
    let fields = full.split(whereSeparator: \.isWhitespace)
    guard fields.count == 5 else {
      throw Problem(
        message:
          "a cron expression has five fields, minute, hour, day, month and weekday; '\(text)' has \(fields.count)"
      )
    }
    minutes = try Field.minute.values(fields[0])
    hours = try Field.hour.values(fields[1])
    days = try Field.day.values(fields[2])
    months = try Field.month.values(fields[3])
    let weekdays = try Field.weekday.values(fields[4])
    // Both 0 and 7 are Sunday.
    self.weekdays = weekdays | weekdays >> 7
    isEveryHour = fields[1].hasPrefix("*")
    isEveryDay = fields[2].hasPrefix("*")
    isEveryWeekday = fields[4].hasPrefix("*")
    guard next(after: Timestamp(milliseconds: 0), in: .utc) != nil else {
      throw Problem(message: "the day that '\(text)' names never comes")
    }
  }

  private static let names = [
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
  ]

  /// The first time that fits and is later; `nil` = there is none.
  public func next(after time: Timestamp, in zone: Zone) -> Timestamp? {
    let first = (time.milliseconds.flooredQuotient(60_000) + 1) * 60
    let today = (first + zone.offset(at: first)).flooredQuotient(86_400)
    // A time that was moved may be one of the day before. The 29th of February comes within eight years.
    for day in today - 1...today + 366 * 8 where fits(day: day) {
      if let moment = self.first(on: day, notBefore: first, in: zone) {
        return Timestamp(milliseconds: moment * 1000)
      }
    }
    return nil
  }

  private func fits(day: Int64) -> Bool {
    let date = CivilDate(daysSince1970: day)
    guard months.has(date.month) else { return false }
    let weekday = (day + 4) - (day + 4).flooredQuotient(7) * 7
    if isEveryDay || isEveryWeekday { return days.has(date.day) && weekdays.has(weekday) }
    return days.has(date.day) || weekdays.has(weekday)
  }

  private func first(on day: Int64, notBefore first: Int64, in zone: Zone) -> Int64? {
    let midnight = day * 86_400
    let offset = zone.offset(at: midnight - 86_400)
    if offset == zone.offset(at: midnight + 2 * 86_400), offset == zone.offset(at: midnight) {
      return firstByClock(midnight, offset, notBefore: first)
    }
    if isEveryHour {
      var moment = max(first, zone.moment(showing: midnight))
      while true {
        let shown = moment + zone.offset(at: moment)
        guard shown.flooredQuotient(86_400) == day else { return nil }
        let inDay = shown - midnight
        if hours.has(inDay / 3600), minutes.has(inDay / 60 % 60) { return moment }
        moment += 60
      }
    }
    var earliest: Int64?
    for minute in 0..<Int64(1440) where hours.has(minute / 60) && minutes.has(minute % 60) {
      let moment = zone.moment(showing: midnight + minute * 60)
      if moment >= first { earliest = min(earliest ?? moment, moment) }
    }
    return earliest
  }

  /// On a day on which the clocks are not changed.
  private func firstByClock(_ midnight: Int64, _ offset: Int64, notBefore first: Int64) -> Int64? {
    let earliest = max(0, first + offset - midnight)
    for hour in earliest / 3600..<max(24, earliest / 3600) where hours.has(hour) {
      for minute in Int64(0)..<60 where minutes.has(minute) {
        let inDay = hour * 3600 + minute * 60
        if inDay >= earliest { return midnight + inDay - offset }
      }
    }
    return nil
  }
}

extension CronExpression {
  private enum Field {
    case minute, hour, day, month, weekday

    var range: ClosedRange<Int> {
      switch self {
      case .minute: 0...59
      case .hour: 0...23
      case .day: 1...31
      case .month: 1...12
      case .weekday: 0...7
      }
    }

    private var noun: String {
      switch self {
      case .minute: "minute"
      case .hour: "hour"
      case .day: "day"
      case .month: "month"
      case .weekday: "weekday"
      }
    }

    private var names: [String] {
      switch self {
      case .minute, .hour, .day: []
      case .month: ["", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
      case .weekday: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
      }
    }

    /// The bits of what a field names.
    func values(_ text: Substring) throws(Problem) -> UInt64 {
      var bits: UInt64 = 0
      for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
        guard pieces.count <= 2 else { throw wrong(part) }
        let range = try range(of: pieces[0], hasStep: pieces.count == 2)
        var step = 1
        if pieces.count == 2 {
          guard let count = number(pieces[1]), count > 0 else { throw wrong(part) }
          step = count
        }
        for value in stride(from: range.lowerBound, through: range.upperBound, by: step) {
          bits |= 1 << UInt64(value)
        }
      }
      return bits
    }

    private func range(of text: Substring, hasStep: Bool) throws(Problem) -> ClosedRange<Int> {
      if text == "*" { return self == .weekday ? 0...6 : range }
      let ends = text.split(separator: "-", omittingEmptySubsequences: false)
      guard ends.count <= 2 else { throw wrong(text) }
      let first = try value(ends[0])
      // `5/10` goes on to the end, as in most crons.
      let last = ends.count == 2 ? try value(ends[1]) : hasStep ? range.upperBound : first
      guard first <= last else {
        throw Problem(message: "the \(noun) '\(text)' ends before it begins")
      }
      return first...last
    }

    private func value(_ text: Substring) throws(Problem) -> Int {
      if !text.isEmpty, let index = names.firstIndex(of: String(text)) { return index }
      guard let value = number(text) else { throw wrong(text) }
      guard range.contains(value) else {
        throw Problem(message: "the \(noun) \(value) is not \(range.lowerBound) to \(range.upperBound)")
      }
      return value
    }

    private func number(_ text: Substring) -> Int? {
      guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else {
        return nil
      }
      return Int(text)
    }

    private func wrong(_ text: Substring) -> Problem {
      Problem(message: "the \(noun) '\(text)' is neither *, a number, a range nor a step")
    }
  }
}

extension UInt64 {
  fileprivate func has(_ value: Int64) -> Bool { self >> UInt64(value) & 1 == 1 }
}
