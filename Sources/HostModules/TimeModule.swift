// SPDX-License-Identifier: Apache-2.0
import Core
import LuaHost

extension HostModule {
  /// Seconds: 31 days.
  private static let sleepMax = 31 * 86_400.0

  /// `time`: the clock.
  static let time = HostModule(
    "time", "The clock. A moment is a number: seconds since 1970 UTC, with milliseconds as its fraction.",
    functions: [
      Function(
        "now", "The present moment.", returns: "number",
        body: .answers(
          { _, scope in .number(Double(scope.resources.time.now.milliseconds) / 1000) }, named: "time.now",
          recorded: true)),
      Function(
        "sleep", "Waits without holding anything up; the run leaves memory where that is for long.",
        [Parameter("seconds", "number", "at most 31 days")],
        mayWait: true,
        body: .waits(
          { arguments, scope in
            let seconds = try arguments.number(1)
            guard seconds >= 0, seconds <= sleepMax else {
              throw arguments.fault(1, "0 to \(Int(sleepMax)) expected, got \(seconds)")
            }
            if scope.isInside {
              // A tool has its own time, and is kept as a whole.
              try await scope.resources.time.sleep(for: .seconds(seconds))
            } else {
              try await scope.services.sleep(
                for: .seconds(seconds), on: scope.resources.time, key: scope.key(arguments))
            }
            return .nil
          }, named: "time.sleep")),
      Function(
        "format", "Writes a moment: RFC 3339 in UTC, or as `os.date` would, in UTC.",
        [
          Parameter("moment", "number", "as `time.now` gives it"),
          Parameter("format", "string?", "`%Y-%m-%d`"),
        ],
        returns: "string", example: #"time.format(time.now(), "%H:%M")"#),
      Function(
        "parse", "Reads an RFC 3339 date, or date and time; UTC unless an offset is written.",
        [Parameter("text", "string", "`2026-11-21T09:30:00Z`")], returns: "number",
        body: .answers(
          { arguments, _ in
            let text = try arguments.string(1)
            guard let moment = Timestamp(parsing: text) else {
              throw arguments.fault(1, "'\(text.prefix(40))' is no RFC 3339 date")
            }
            return .number(Double(moment.milliseconds) / 1000)
          }, named: "time.parse")),
    ],
    privateFunctions: [
      HostFunction(
        "_time.rfc3339",
        .answers(
          { arguments, _ in
            let seconds = try arguments.number(1)
            // The years 0000 to 9999, which RFC 3339 can write.
            guard (-62_167_219_200...253_402_300_799).contains(seconds) else {
              throw arguments.fault(1, "the moment is out of range")
            }
            return .string(Timestamp(milliseconds: Int64((seconds * 1000).rounded())).description)
          }, named: "time.format"))
    ])
}
