// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import HostModules
import JSONCodec
import Lint
import Logging
import Models
import Settings
import Storage
import Transport
import Workspace

/// `perigee doctor`.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Tells what is configured, reachable and wrong.",
    discussion: """
      Ends with 1 when a part does not work.

      Examples:
        perigee doctor
        perigee doctor --workspace my-agents --json
      """)

  @Flag(help: "Prints JSON.")
  var json = false

  @OptionGroup var options: WorkspaceOptions

  /// One part of the installation, and how it is.
  struct Finding {
    enum State: String {
      case ok, warning, error
    }

    let part: String
    let state: State
    let message: String
  }

  func run() async throws {
    let configuration = try options.configuration()
    let findings = await examine(configuration)
    let settings = configuration.describe(environment: options.environment)
    if json {
      Console.print(document(findings, settings).text)
    } else {
      let width = settings.map(\.path.count).max() ?? 0
      for setting in settings {
        let padding = String(repeating: " ", count: width - setting.path.count)
        Console.print("\(setting.path)\(padding)  \(setting.value)  (\(setting.source))")
      }
      Console.print("")
      for finding in findings {
        Console.print("\(finding.state.rawValue)  \(finding.part): \(finding.message)")
      }
    }
    if findings.contains(where: { $0.state == .error }) { throw ExitCode(ExitStatus.bad.rawValue) }
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
      $0.array { writer in
        for finding in findings {
          writer.object {
            $0.member("part", finding.part)
            $0.member("state", finding.state.rawValue)
            $0.member("message", finding.message)
          }
        }
      }
    }
    return writer.raw
  }

  private func examine(_ configuration: Configuration) async -> [Finding] {
    var findings: [Finding] = []
    do {
      try configuration.refuseUnavailable()
    } catch {
      let message =
        (error as? ConfigurationError)?.problems.map(\.description).joined(separator: "; ") ?? "\(error)"
      findings.append(Finding(part: "configuration", state: .error, message: message))
    }
    findings.append(await examineStore(configuration))
    findings.append(await examineScripts(LintSettings(configuration)))
    findings += configuration.scripts.secrets.sorted { $0.key < $1.key }.map(examine)
    findings += await examineProviders(configuration)
    return findings
  }

  private func examineStore(_ configuration: Configuration) async -> Finding {
    let directory = options.dataDirectory(configuration)
    do {
      let store = try await SQLiteStore.open(directory: directory)
      let result: Result<Void, any Error>
      do {
        result = .success(try await store.check())
      } catch {
        result = .failure(error)
      }
      try await store.close()
      try result.get()
      return Finding(
        part: "store", state: .ok, message: "\(directory)/\(SQLiteStore.fileName) can be written")
    } catch {
      return Finding(part: "store", state: .error, message: "\(directory): \(Failure(error).message)")
    }
  }

  private func examineScripts(_ settings: LintSettings) async -> Finding {
    do {
      let bundle = try await ScriptBundle.load(directory: options.workspace, lint: settings)
      let agents = bundle.agents.keys.sorted().joined(separator: ", ")
      let message =
        "\(bundle.agents.count) agents (\(agents)), \(bundle.tools.count) tools, version \(bundle.version)"
      return Finding(part: "scripts", state: bundle.agents.isEmpty ? .warning : .ok, message: message)
    } catch {
      return Finding(part: "scripts", state: .error, message: "\n\(error)")
    }
  }

  private func examine(_ name: String, _ binding: Configuration.SecretBinding) -> Finding {
    let isSet = !(options.environment[binding.env] ?? "").isEmpty
    return Finding(
      part: "secret \(name)", state: isSet ? .ok : .warning,
      message: isSet ? "for \(binding.hosts.joined(separator: ", "))" : "\(binding.env) is not set")
  }

  private func examineProviders(_ configuration: Configuration) async -> [Finding] {
    let models: ModelClient.Configuration
    let client: HTTPClient
    do {
      models = try ModelClient.Configuration(configuration, environment: options.environment)
      client = try HTTPClient()
    } catch {
      return [Finding(part: "providers", state: .error, message: "\(error)")]
    }
    var findings: [Finding] = []
    for provider in models.providers { findings.append(await examine(provider, client)) }
    await client.shutdown()
    return findings
  }

  private func examine(_ provider: ProviderConfiguration, _ client: HTTPClient) async -> Finding {
    let part = "provider \(provider.name)"
    guard provider.isUsable else {
      return Finding(part: part, state: .warning, message: "no key is set: stubs answer")
    }
    var request = provider.probe
    request.timeout = .seconds(5)
    do {
      let status = try await client.send(request).status
      switch status {
      case 200..<300: return Finding(part: part, state: .ok, message: "reachable")
      case 401, 403: return Finding(part: part, state: .error, message: "the key is refused (\(status))")
      default: return Finding(part: part, state: .warning, message: "reachable, /models answers \(status)")
      }
    } catch {
      return Finding(part: part, state: .error, message: "not reachable: \(error)")
    }
  }
}
