// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import JSONCodec

/// Turns `schedules` into ``Schedule``s.
enum ScheduleDefinition {
  private static let fields = ["cron", "every", "zone", "message", "input", "missed"]

  static func decode(_ agent: DefinitionReader) -> [Schedule] {
    guard let value = agent.value("schedules") else { return [] }
    guard let list = value.list else {
      agent.report(
        "schedules", .wrongType, "'schedules' must be a list of tables, not \(value.describedType)")
      return []
    }
    var schedules: [Schedule] = []
    for (index, element) in list.enumerated() where !element.isUnknown {
      let path = agent.path + ["schedules", String(index + 1)]
      guard let object = element.object, !element.isMark else {
        agent.problems.add(
          path: path, .wrongType, "a schedule must be a table, not \(element.describedType)",
          hint: "write { cron = \"0 6 * * *\", zone = \"Europe/Zurich\" } or { every = \"6h\" }")
        continue
      }
      let reader = DefinitionReader(object, path: path, problems: agent.problems, noun: "a schedule")
      guard var schedule = schedule(reader) else { continue }
      // Two that come at the same times are told apart by their order.
      let count = schedules.count { $0.timing == schedule.timing }
      if count > 0 { schedule.name += " #\(count + 1)" }
      schedules.append(schedule)
    }
    return schedules
  }

  private static func schedule(_ reader: DefinitionReader) -> Schedule? {
    reader.allow(fields)
    let message = reader.string("message") ?? Schedule.messageDefault
    if message.isEmpty { reader.report("message", .outOfRange, "'message' must not be empty") }
    let input = reader.table("input", noun: "input")?.object ?? JSONObject()
    let missed = reader.choice("missed", Schedule.MissedPolicy.self) ?? .once
    guard let (name, timing) = timing(reader) else { return nil }
    return Schedule(name: name, timing: timing, message: message, input: input, missed: missed)
  }

  private static func timing(_ reader: DefinitionReader) -> (name: String, Schedule.Timing)? {
    guard !reader.isUnknown("cron"), !reader.isUnknown("every"), !reader.isUnknown("zone") else { return nil }
    switch (reader.isPresent("cron"), reader.isPresent("every")) {
    case (true, true):
      reader.report("every", .conflict, "a schedule has 'cron' or 'every', not both")
      return nil
    case (false, false):
      reader.report(nil, .missingField, "a schedule needs 'cron' or 'every'")
      return nil
    case (false, true):
      if reader.isPresent("zone") { reader.report("zone", .conflict, "'zone' goes with 'cron' alone") }
      return interval(reader).map { ("every \($0.text)", .every($0.duration)) }
    case (true, false):
      guard let cron = reader.string("cron") else { return nil }
      let zone = reader.string("zone") ?? "UTC"
      do {
        let expression = try CronExpression(cron)
        guard let rules = Zone(named: zone) else {
          reader.report(
            "zone", .outOfRange, "there is no time zone '\(zone)'",
            hint: Suggestion.hint(for: zone, in: TimeZone.knownTimeZoneIdentifiers)
              ?? "take a name of the IANA time zone database, such as \"Europe/Zurich\"")
          return nil
        }
        return ("\(expression) \(zone)", .cron(expression, rules))
      } catch {
        reader.report("cron", .outOfRange, error.message)
        return nil
      }
    }
  }

  private static func interval(_ reader: DefinitionReader) -> (text: String, duration: Duration)? {
    var written: (text: String, duration: Duration)?
    if let text = reader.value("every")?.string {
      written = WrittenDuration(text).map { (text, $0.duration) }
    } else if let seconds = reader.value("every")?.double, seconds <= WrittenDuration.secondsMax {
      written = ("\(seconds.plain)s", .seconds(seconds))
    }
    guard let written, written.duration >= .seconds(1) else {
      reader.report(
        "every", .outOfRange, "'every' must be seconds, or a time such as \"15m\", of 1 s to a year")
      return nil
    }
    return written
  }
}

extension Zone {
  /// A zone of the system's time zone database; `nil` = it has none of that name.
  init?(named name: String) {
    if name == "UTC" {
      self = .utc
      return
    }
    guard TimeZone.knownTimeZoneIdentifiers.contains(name), let zone = TimeZone(identifier: name) else {
      return nil
    }
    self.init(name: name) { time in
      Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(time.milliseconds) / 1000)))
    }
  }
}
