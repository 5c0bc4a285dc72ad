// SPDX-License-Identifier: Apache-2.0
import Core
import HostModules
import Lint
import Settings
import Threads
import Transport
import Workspace

/// Looks at all that a server needs, and changes nothing.
struct Examination: Sendable {
  let configuration: Configuration
  let environment: [String: String]
  let workspace: String
  let dataDirectory: String
  /// Providers and public keys are asked for.
  let isOnline: Bool

  func findings() async throws -> [Finding] {
    var findings = versions()
    findings += checkConfiguration()
    findings += await authentication()
    findings += await scripts()
    findings += checkSecrets()
    findings += checkChannels()
    let (data, lastWrittenAt) = try await data()
    findings += data
    findings.append(await port())
    findings += await providers()
    findings.append(clock(lastWrittenAt))
    findings.append(openFiles())
    return findings
  }

  /// What `serve` refuses at its start.
  private func checkConfiguration() -> [Finding] {
    let checks: [() throws -> Void] = [
      { try configuration.refuseUnavailable() },
      { _ = try configuration.aliases() },
      { _ = try configuration.guardRules() },
      { _ = try HTTPPolicy(configuration) },
      { _ = try ScriptSecrets(configuration.scripts, environment: environment) },
    ]
    var findings = checks.flatMap { check -> [Finding] in
      do {
        try check()
        return []
      } catch { return Finding.refusals("configuration", error) }
    }
    for (name, webhook) in configuration.events.webhooks.sorted(by: { $0.key < $1.key }) {
      do {
        _ = try EventWebhook(name, webhook, environment: environment)
      } catch { findings += Finding.refusals("webhook \(name)", error) }
    }
    if findings.isEmpty {
      let count = configuration.sources.count { $0.value != .default }
      findings.append(.ok("configuration", "\(count) keys are set, all are understood"))
    }
    return findings
  }

  private func scripts() async -> [Finding] {
    do {
      let bundle = try await ScriptBundle.load(directory: workspace, lint: LintSettings(configuration))
      let agents = bundle.agents.keys.sorted().joined(separator: ", ")
      guard !bundle.agents.isEmpty else {
        return [.warning("scripts", "there are no agents in \(workspace)", hint: "perigee new agent hello")]
      }
      let loaded = Finding.ok(
        "scripts",
        "\(bundle.agents.count) agents (\(agents)), \(bundle.tools.count) tools, version \(bundle.version)")
      do {
        try configuration.checkRoutes(to: Set(bundle.agents.keys))
        return [loaded]
      } catch { return [loaded] + Finding.refusals("configuration", error) }
    } catch {
      return [.error("scripts", "\n\(error)", hint: "mend them; perigee lint --explain CODE tells more")]
    }
  }

  private func checkChannels() -> [Finding] {
    do {
      return try configuration.channels(environment: environment).compactMap { channel in
        let part = "channel \(channel.name)"
        guard channel.channel != nil else {
          guard configuration.asks(for: channel.name) else { return nil }
          return .warning(part, "off: \(channel.reason)", hint: "see docs/channels.md")
        }
        // Telegram's requests show a secret, whatever their address.
        guard channel.name == "whatsapp", configuration.server.publicURL == nil else {
          return .ok(part, "on")
        }
        return .warning(
          part, "on, but only where Twilio knows the server by the same address as the server itself",
          hint: "set server.public_url to the address that Twilio sends to")
      }
    } catch { return Finding.refusals("channels", error) }
  }

  private func checkSecrets() -> [Finding] {
    configuration.scripts.secrets.sorted { $0.key < $1.key }.map { name, binding in
      (environment[binding.env] ?? "").isEmpty
        ? .warning("secret \(name)", "\(binding.env) is not set", hint: "export \(binding.env)=…")
        : .ok("secret \(name)", "for \(binding.hosts.joined(separator: ", "))")
    }
  }
}

extension SerialThread {
  /// Runs what blocks on a thread of its own.
  static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    let thread = SerialThread(name: "perigee-doctor")
    return await withCheckedContinuation { continuation in
      thread.async { continuation.resume(returning: body()) }
    }
  }
}
