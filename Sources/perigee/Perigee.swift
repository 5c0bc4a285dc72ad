// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// The command line: one binary, one file a command.
@main
struct Perigee: AsyncParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "perigee",
    abstract: "Hosts AI agents written in Lua.",
    discussion: """
      Examples:
        perigee init my-agents && perigee serve --workspace my-agents
        perigee chat todo
        perigee run todo --input '{"message": "show my to-dos"}' --json
        perigee lint
        perigee eval
      """,
    version: version,
    subcommands: [
      ServeCommand.self, DevCommand.self, WorkerCommand.self, ChatCommand.self, RunCommand.self,
      LintCommand.self, LspCommand.self, PlanCommand.self, EvalCommand.self, InitCommand.self,
      NewCommand.self, TypesCommand.self, RunsCommand.self, TraceCommand.self, ReplayCommand.self,
      RetryCommand.self, CancelCommand.self,
      ApprovalsCommand.self, ApproveCommand.self, RejectCommand.self, DeadLettersCommand.self,
      SchedulesCommand.self, KeysCommand.self, TokenCommand.self, AuditCommand.self,
      FeedbackCommand.self,
      UsersCommand.self, VersionsCommand.self,
      DiffCommand.self, BisectCommand.self,
      ActivateCommand.self,
      BackupCommand.self, RestoreCommand.self, DoctorCommand.self,
    ])

  /// Runs the command and turns its error into the exit codes of the contract: 1, 2, 70.
  static func main() async {
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      Console.exit(for: error)
    }
  }
}
