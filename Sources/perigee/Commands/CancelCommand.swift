// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Storage

/// `perigee cancel RUN`.
struct CancelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Cancels a run that is under way, or waits.",
    discussion: """
      The server that has it under way on this data folder cancels it within a second.

      Examples:
        perigee cancel 0192f0c1-7a52-7000-8d0a-6f1c2b3a4d5e
      """)

  @Argument(help: ArgumentHelp("The run's identifier, as 'perigee runs' shows it.", valueName: "run"))
  var id: String

  @OptionGroup var options: WorkspaceOptions

  func run() async throws {
    try await options.withStore { store, _ in
      let run = try await store.run(id: id, visibleTo: .everyone)
      if let waiting = try await store.waitingRun(id: id, visibleTo: .everyone),
        try await store.endWaitingTurn(
          TurnClosing.cancelled(
            id, user: waiting.beginning.user, sessionID: waiting.sessionID, at: SystemTime().now))
      {
        try await record(run, store)
        return Console.note("It is cancelled.")
      }
      guard run.finishedAt == nil else {
        throw CommandError(
          message: "this run is not under way: it is \(run.status.rawValue)", hint: "list them: perigee runs",
          status: .bad)
      }
      try await store.askToCancel(run: id)
      try await record(run, store)
      Console.note("The server that has it is asked to cancel it.")
    }
  }

  private func record(_ run: RunRecord, _ store: SQLiteStore) async throws {
    try await store.record([
      AuditEntry(
        .runCancelled, at: SystemTime().now, by: Principal.local.actor, runID: id, agent: run.agent,
        version: run.version)
    ])
  }
}
