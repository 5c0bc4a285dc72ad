// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import Core

@Suite("Cron expressions")
struct CronExpressionTests {
  private static func zone(_ name: String) throws -> Zone {
    let zone = try #require(TimeZone(identifier: name))
    return Zone(name: name) { time in
      Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(time.milliseconds) / 1000)))
    }
  }

  private static func times(
    _ expression: String, after start: String, count: Int = 1, in zone: Zone = .utc
  ) throws -> [String] {
    let cron = try CronExpression(expression)
    var time = try #require(Timestamp(parsing: start))
    return try (0..<count).map { _ in
      time = try #require(cron.next(after: time, in: zone))
      return String(time.description.prefix(16))
    }
  }

  @Test(
    "the next time of",
    arguments: [
      ("0 */6 * * *", "2026-11-29T06:00:00Z", "2026-11-29T12:00"),
      ("0 */6 * * *", "2026-11-29T05:59:59Z", "2026-11-29T06:00"),
      ("* * * * *", "2026-12-31T23:59:30Z", "2027-01-01T00:00"),
      ("30 6 * * MON-FRI", "2026-11-28T00:00:00Z", "2026-11-30T06:30"),
      ("0 0 29 2 *", "2026-11-29", "2028-02-29T00:00"),
      ("0 0 31 * *", "2026-11-29", "2026-12-31T00:00"),
      ("5-10/2,40 3 * jan,Dec *", "2026-12-01T03:09:00Z", "2026-12-01T03:40"),
      ("0 12 13 * 5", "2026-11-10", "2026-11-13T12:00"),
      ("0 12 13 * FRI", "2026-11-13T12:00:00Z", "2026-11-20T12:00"),
      ("0 0 * * 7", "2026-11-29T00:00:00Z", "2026-12-06T00:00"),
      ("@daily", "2026-11-29T00:00:00Z", "2026-11-30T00:00"),
      ("@Hourly", "2026-11-29T00:10:00Z", "2026-11-29T01:00"),
      ("7/20 1 * * *", "2026-11-29", "2026-11-29T01:07"),
      ("0 0 1 1 *", "1999-12-31", "2000-01-01T00:00"),
    ])
  func next(_ expression: String, _ start: String, _ expected: String) throws {
    #expect(try Self.times(expression, after: start) == [expected])
  }

  @Test("the clocks of a zone count, where they are changed, too")
  func zones() throws {
    let zurich = try Self.zone("Europe/Zurich")
    // On the 29th of March 2026 two o'clock is three o'clock, on the 25th of October three is two.
    #expect(
      try Self.times("30 2 * * *", after: "2026-03-28", count: 3, in: zurich)
        == ["2026-03-28T01:30", "2026-03-29T01:30", "2026-03-30T00:30"])
    #expect(
      try Self.times("30 2 * * *", after: "2026-10-24T12:00:00Z", count: 2, in: zurich)
        == ["2026-10-25T00:30", "2026-10-26T01:30"])
    #expect(
      try Self.times("30 * * * *", after: "2026-10-24T23:00:00Z", count: 4, in: zurich)
        == ["2026-10-24T23:30", "2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"])
    #expect(
      try Self.times("0 9 * * *", after: "2026-07-01", count: 1, in: try Self.zone("Asia/Kolkata"))
        == ["2026-07-01T03:30"])
    // A day that Samoa did not have.
    #expect(
      try Self.times("0 9 * * *", after: "2011-12-29T12:00:00Z", count: 2, in: try Self.zone("Pacific/Apia"))
        == ["2011-12-29T19:00", "2011-12-30T19:00"])
  }

  @Test(
    "what is none says why",
    arguments: [
      ("* * * *", "five fields"), ("60 * * * *", "the minute 60 is not 0 to 59"),
      ("* 24 * * *", "the hour 24"),
      ("* * 0 * *", "the day 0"), ("* * * 13 *", "the month 13"), ("* * * * 8", "the weekday 8"),
      ("* * * * mo", "the weekday 'mo'"), ("*/0 * * * *", "the minute '*/0'"),
      ("5-1 * * * *", "ends before it begins"),
      ("1,,2 * * * *", "the minute ''"), ("-1 * * * *", "the minute ''"),
      ("1/2/3 * * * *", "the minute '1/2/3'"),
      ("0 0 30 2 *", "never comes"), ("@often", "none of @annually"), ("", "five fields"),
      ("٣ * * * *", "the minute"),
      ("99999999999999999999 * * * *", "the minute"), ("1-2-3 * * * *", "the minute"),
    ])
  func faults(_ expression: String, _ reason: String) throws {
    let problem = try #require(throws: CronExpression.Problem.self) { try CronExpression(expression) }
    #expect(problem.message.contains(reason), "\(problem.message)")
  }

  /// What an expression means, told minute by minute by somebody who looks at the clock.
  private struct Watcher {
    let fields: [Set<Int>]
    let isEveryHour: Bool
    let isEitherDay: Bool

    func fits(_ local: Int64) -> Bool {
      let date = CivilDate(daysSince1970: local.flooredQuotient(86_400))
      let inDay = Int(local - local.flooredQuotient(86_400) * 86_400)
      let day = fields[2].contains(Int(date.day))
      let weekday = fields[4].contains(Int((local.flooredQuotient(86_400) + 4) % 7))
      return fields[0].contains(inDay / 60 % 60) && fields[1].contains(inDay / 3600)
        && fields[3].contains(Int(date.month)) && (isEitherDay ? day || weekday : day && weekday)
    }

    func times(from start: Int64, minutes: Int64, in zone: Zone) -> Set<Int64> {
      var times: Set<Int64> = []
      var latest = start + zone.offset(at: start) - 60
      for moment in stride(from: start, to: start + minutes * 60, by: 60) {
        let offset = zone.offset(at: moment)
        let local = moment + offset
        if isEveryHour {
          if fits(local) { times.insert(moment) }
          continue
        }
        if local > latest {
          // Those that are skipped are as much later.
          for skipped in stride(from: latest + 60, to: local, by: 60) where fits(skipped) {
            times.insert(moment + skipped - latest - 60)
          }
          if fits(local) { times.insert(moment) }
          latest = local
        }
      }
      return times
    }
  }

  @Test("it is what somebody sees who looks at the clock each minute", arguments: UInt64(0)..<60)
  func property(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let ranges = [0...59, 0...23, 1...31, 1...12, 0...6]
    var texts: [String] = []
    var fields: [Set<Int>] = []
    for range in ranges {
      switch Int.random(in: 0..<4, using: &random) {
      case 0,
        1 where range.count > 24:
        let few = Set(
          (0..<Int.random(in: 1...4, using: &random)).map { _ in Int.random(in: range, using: &random) })
        texts.append(few.sorted().map(String.init).joined(separator: ","))
        fields.append(few)
      case 1:
        let step = Int.random(in: 2...5, using: &random)
        texts.append("*/\(step)")
        fields.append(Set(stride(from: range.lowerBound, through: range.upperBound, by: step)))
      case 2 where range.count > 6:
        let low = Int.random(in: range, using: &random)
        let high = Int.random(in: low...range.upperBound, using: &random)
        texts.append("\(low)-\(high)")
        fields.append(Set(low...high))
      default:
        texts.append("*")
        fields.append(Set(range))
      }
    }
    let watcher = Watcher(
      fields: fields, isEveryHour: texts[1].hasPrefix("*"),
      isEitherDay: !texts[2].hasPrefix("*") && !texts[4].hasPrefix("*"))
    let text = texts.joined(separator: " ")
    let zones = ["UTC", "Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
    let zone = try Self.zone(zones[Int(seed) % zones.count])
    // Around a change of the clocks, of the north or the south.
    let start =
      try #require(
        Timestamp(
          parsing: ["2026-03-05", "2026-03-27", "2026-04-03", "2026-10-01", "2026-10-23"][Int(seed / 5) % 5])
      ).milliseconds / 1000
    let cron: CronExpression
    do { cron = try CronExpression(text) } catch { return #expect(error.message.contains("never comes")) }
    let days: Int64 = 12
    var times: [Int64] = []
    var time = Timestamp(milliseconds: (start - 60) * 1000)
    while let next = cron.next(after: time, in: zone), next.milliseconds / 1000 < start + days * 86_400 {
      times.append(next.milliseconds / 1000)
      time = next
    }
    let expected = watcher.times(from: start, minutes: days * 1440, in: zone).filter {
      $0 < start + days * 86_400
    }
    #expect(times == expected.sorted(), "seed \(seed): \(text) in \(zone.name)")
  }
}

@Suite("Schedules")
struct ScheduleTests {
  private static func schedule(_ missed: Schedule.MissedPolicy, every seconds: Int = 60) -> Schedule {
    Schedule(name: "s", timing: .every(.seconds(seconds)), missed: missed)
  }

  private static func at(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }

  @Test("missed times are had once, each, or not at all, and the next one keeps the beat")
  func missed() {
    let now = Self.at(1000 + 60 * 5 + 40)
    #expect(Self.schedule(.once).occurrences(since: Self.at(1000), at: now).runs == [Self.at(1300)])
    #expect(
      Self.schedule(.all).occurrences(since: Self.at(1000), at: now).runs
        == stride(from: 1000, through: 1300, by: 60).map(Self.at))
    #expect(Self.schedule(.skip).occurrences(since: Self.at(1000), at: now).runs == [])
    #expect(
      Self.schedule(.skip).occurrences(since: Self.at(1000), at: Self.at(1003)).runs == [Self.at(1000)])
    for policy in Schedule.MissedPolicy.allCases {
      #expect(Self.schedule(policy).occurrences(since: Self.at(1000), at: now).next == Self.at(1360))
    }
  }

  @Test("a server that was away for a year makes up for a hundred of the last month, in no time")
  func longAgo() throws {
    let year = Int64(365 * 86_400)
    let runs = Self.schedule(.all, every: 1).occurrences(since: Self.at(0), at: Self.at(year)).runs
    #expect(runs == (year - 99...year).map(Self.at))
    let cron = Schedule(name: "s", timing: .cron(try CronExpression("*/2 * * * *"), .utc), missed: .all)
    let minutes = cron.occurrences(since: Self.at(0), at: Self.at(year))
    #expect(
      minutes.runs.count == 100 && minutes.runs.last == Self.at(year) && minutes.next == Self.at(year + 120))
  }

  @Test("every counts from when it was first known")
  func every() {
    let schedule = Self.schedule(.once)
    #expect(schedule.next(after: Self.at(7)) == Self.at(67))
    #expect(schedule.next(after: Self.at(500), from: Self.at(67)) == Self.at(547))
    #expect(schedule.next(after: Self.at(67), from: Self.at(67)) == Self.at(127))
  }
}
