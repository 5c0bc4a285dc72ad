// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Evals
import JSONCodec
import Settings

/// `perigee doctor`.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Tells what is configured, reachable and wrong.",
    discussion: """
      Prints each key that is in force and where it came from (secrets only as set or not set), then how each part \
      is that a server needs. Changes nothing, and may run beside a server. Ends with 1 when a part does not work.

      Examples:
        perigee doctor
        perigee doctor --online
        perigee doctor --workspace my-agents --json
      """)

  @Flag(help: "Asks providers whether they are there and take the key, which costs nothing.")
  var online = false

  @Flag(help: "Prints JSON.")
  var json = false

  @OptionGroup var listening: ListeningOptions

  @OptionGroup var options: WorkspaceOptions

  func run() async throws {
    let configuration = try options.configuration(flags: listening.flags)
    let settings = configuration.describe(environment: options.environment)
    let findings = try await Examination(
      configuration: configuration, environment: options.environment, workspace: options.workspace,
      dataDirectory: options.dataDirectory(configuration), isOnline: online
    ).findings()
    if json {
      Console.print(document(findings, settings).text)
    } else {
      show(settings)
      Console.print("")
      show(findings)
    }
    if findings.contains(where: { $0.state == .error }) { throw ExitCode(ExitStatus.bad.rawValue) }
  }

  private func show(_ settings: [Configuration.Setting]) {
    let width = settings.map(\.path.count).max() ?? 0
    for setting in settings {
      let padding = String(repeating: " ", count: width - setting.path.count)
      Console.print("\(setting.path)\(padding)  \(setting.value)  (\(setting.source))")
    }
  }

  private func show(_ findings: [Finding]) {
    for finding in findings {
      Console.print([
        Span(finding.state.rawValue, finding.state.tone), Span("  \(finding.part): \(finding.message)"),
      ])
      if let hint = finding.hint { Console.print([Span("    hint: \(hint)", .aside)]) }
    }
  }

  private func document(_ findings: [Finding], _ settings: [Configuration.Setting]) -> RawJSON {
    var writer = JSONWriter()
    writer.object {
      $0.key("settings")
      $0.array { writer in
        for setting in settings {
          writer.object {
            $0.member("path", setting.path)
            $0.member("value", setting.value)
            $0.member("source", "\(setting.source)")
          }
        }
      }
      $0.key("parts")
      $0.array { writer in for finding in findings { finding.write(to: &writer) } }
    }
    return writer.raw
  }
}
