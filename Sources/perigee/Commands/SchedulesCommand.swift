// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import JSONCodec
import Server
import Storage

/// `perigee schedules`.
struct SchedulesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schedules", abstract: "Lists when agents run without being asked.",
    discussion: """
      Shows the schedules of the scripts that were in force when a server ran last, those that are due
      first at the top. What came of a run: perigee trace RUN.

      Examples:
        perigee schedules
        perigee schedules --json
      """)

  @Flag(help: "Prints JSON, as GET /v1/schedules does.")
  var json = false

  @OptionGroup var options: WorkspaceOptions

  func run() async throws {
    try await options.withStore { store, _ in
      let schedules = try await store.schedules()
      guard !json else { return Console.print(schedules.json.text) }
      guard !schedules.isEmpty else {
        return Console.note("No agent has a schedule, or no server was started since it has.")
      }
      let head = ["AGENT", "SCHEDULE", "DUE", "LAST", "RUN", "STATUS"]
      let rows = schedules.map { record in
        [
          record.due.agent, record.due.name, record.due.dueAt.description, record.last?.at.description ?? "-",
          record.last?.runID ?? "-", record.last?.status?.rawValue ?? "-",
        ]
      }
      for line in Table.lines([head] + rows, left: 6) { Console.print(line) }
    }
  }
}
