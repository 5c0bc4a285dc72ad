// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Logging
import Storage

/// `perigee retry RUN`.
struct RetryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry", abstract: "Does a run again that has failed, was cancelled or interrupted.",
    discussion: """
      It begins anew, under its name and with its message, on the scripts as they are now. A server on this
      data folder takes it up within a second, else the next that starts.

      Examples:
        perigee retry 0192f0c1-7a52-7000-8d0a-6f1c2b3a4d5e
      """)

  @Argument(help: ArgumentHelp("The run's identifier, as 'perigee runs' shows it.", valueName: "run"))
  var id: String

  @OptionGroup var options: WorkspaceOptions

  func run() async throws {
    let host = try await Host.open(
      options, try options.configuration(), cassette: try CassetteOptions.parse([]),
      logger: .command(.warning))
    do {
      try await host.runner.queueAgain(run: id)
      try await host.store.record([
        AuditEntry(.runRetried, at: host.time.now, by: Principal.local.actor, runID: id)
      ])
    } catch {
      try await host.close()
      throw error
    }
    try await host.close()
    Console.note("It is done again.")
  }
}
