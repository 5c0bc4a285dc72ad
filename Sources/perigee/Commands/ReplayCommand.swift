// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import JSONCodec
import Logging
import Storage
import Workspace

/// `perigee replay RUN [--with PATH]`.
struct ReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Does a run again from its journal: nothing is asked, done or paid.",
    discussion: """
      The scripts run again, and every call gets what it got then. With --with it is other scripts that run, as those
      that you are changing; the first call that the run did not make, or made otherwise, is shown. The exit status is
      1 when there is one, or when the answer is another.

      Examples:
        perigee replay 0192f0c1-7a52-7000-8d0a-6f1c2b3a4d5e
        perigee replay 0192f0c1-7a52-7000-8d0a-6f1c2b3a4d5e --with . --json
      """)

  @Argument(help: ArgumentHelp("The run's identifier, as 'perigee runs' shows it.", valueName: "run"))
  var id: String

  @Option(
    name: .customLong("with"),
    help: ArgumentHelp("Workspace whose scripts run; the run's own version unless given.", valueName: "path"))
  var other: String?

  @Flag(help: "Prints JSON.")
  var json = false

  @OptionGroup var options: WorkspaceOptions

  func run() async throws {
    var options = options
    if let other {
      // The run is in this workspace's data, whosever scripts run.
      options.data = options.dataDirectory(try options.configuration())
      options.givenWorkspace = other
    }
    let host = try await Host.open(
      options, try options.configuration(), cassette: try CassetteOptions.parse([]),
      logger: .command(.warning))
    do {
      try await replay(host)
    } catch {
      try await host.close()
      throw error
    }
    try await host.close()
  }

  private func replay(_ host: Host) async throws {
    let version = try await host.store.run(id: id, visibleTo: .everyone).version
    let scripts =
      other == nil ? try await host.workspace.host(ofVersion: version) : host.workspace.deployment.active
    let replayed = try await host.runner.replay(run: id, on: scripts)
    Console.print(json ? replayed.json(version: scripts.version).text : replayed.text)
    if !replayed.isSame { throw ExitCode(1) }
  }
}

extension ReplayedRun {
  fileprivate var text: String {
    if let divergence {
      return "differs: \(divergence.message)\n  \(divergence.diagnostic ?? "")"
    }
    if let first = missing.first {
      return "differs: \(first.name) is not called any more, at \(first.key)"
        + (missing.count > 1 ? ", and \(missing.count - 1) more" : "")
    }
    switch answer {
    case .success(let text) where isSame: return "the same: \(text)"
    case .success(let text): return "another answer: \(text)\nbefore: \(earlierAnswer ?? "none")"
    case .failure(let failure): return isSame ? "the same: \(failure)" : "another end: \(failure)"
    }
  }

  fileprivate func json(version: String) -> RawJSON {
    var writer = JSONWriter()
    writer.object {
      $0.member("version", version)
      $0.member("same", isSame)
      $0.member("divergence", divergence.flatMap(\.detail) ?? .null)
      $0.key("missing")
      $0.array { list in
        for call in missing {
          list.object {
            $0.member("key", call.key)
            $0.member("name", call.name)
          }
        }
      }
      if case .success(let text) = answer { $0.member("answer", text) }
      if case .failure(let failure) = answer { $0.member("error", failure.message) }
      $0.member("earlier_answer", earlierAnswer.map(JSON.string) ?? .null)
    }
    return writer.raw
  }
}
