// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Logging
import LuaHost

extension HostModule {
  /// `log`: lines in the server's log.
  static let log = HostModule(
    "log",
    "Lines in the server's log, marked with the run, the agent and the user; 1,000 lines or 256 KiB a run.",
    functions: [
      function("debug", .debug), function("info", .info), function("warn", .warning),
      function("error", .error),
    ])

  /// Characters of a line that are kept.
  private static let lineMax = 4096

  private static func function(_ name: String, _ level: Logger.Level) -> Function {
    Function(
      name, "Writes a line at level \(level).",
      [
        Parameter("message", "string", "at most \(lineMax) characters are kept"),
        Parameter("fields", "table<string, any>?", "more to read beside it"),
      ],
      body: .answers(
        { arguments, scope in
          let line = try arguments.string(1).prefix(lineMax)
          let fields = arguments.isAbsent(2) ? nil : RawJSON(try arguments.json(2))
          let verdict = scope.shared.admit(
            logBytes: line.utf8.count + min(fields?.bytes.count ?? 0, lineMax))
          if verdict == .drop { return .nil }
          var metadata: Logger.Metadata = [
            "run": "\(scope.run.runID)", "agent": "\(scope.run.agent.name)", "user": "\(scope.run.user.id)",
          ]
          if let fields {
            metadata["fields"] =
              fields.bytes.count <= lineMax ? .stringConvertible(fields) : "\(fields.text.prefix(lineMax))"
          }
          scope.resources.logger.log(level: level, "\(line)", metadata: metadata)
          if verdict == .writeLast {
            scope.resources.logger.warning(
              "this run logged more than it may; the rest is dropped", metadata: metadata)
          }
          return .nil
        }, named: "log.\(name)"))
  }
}
