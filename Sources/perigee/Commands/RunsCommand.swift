// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import JSONCodec
import Server
import Storage

/// `perigee runs`.
struct RunsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs", abstract: "Lists runs, the latest first.",
    discussion: """
      Examples:
        perigee runs
        perigee runs --limit 5 --as ada --json
      """)

  @Flag(help: "Prints JSON, as GET /v1/runs does.")
  var json = false

  @Option(help: ArgumentHelp("How many; 1 to 200.", valueName: "count"))
  var limit = 20

  @Option(
    name: .customLong("as"),
    help: ArgumentHelp("Only this user's; everybody's unless given.", valueName: "user"))
  var user: String?

  @OptionGroup var options: WorkspaceOptions

  func validate() throws {
    if !(1...200).contains(limit) { throw ValidationError("--limit must be 1 to 200") }
  }

  func run() async throws {
    try await options.withStore { store, _ in
      let page = try await store.runs(
        visibleTo: user.map(Visibility.user) ?? .everyone, page: PageRequest(limit: limit))
      guard !json else { return Console.print(page.json.text) }
      guard !page.items.isEmpty else { return Console.note("There are no runs in this data folder.") }
      let head = ["RUN", "AGENT", "USER", "STATUS", "STARTED", "TOOK", "TOKENS", "COST"]
      for line in Table.lines([head] + page.items.map(\.cells), left: 5) { Console.print(line) }
    }
  }
}

extension RunRecord {
  fileprivate var cells: [String] {
    let took = finishedAt.map { Milliseconds.text(Double($0.milliseconds - startedAt.milliseconds)) } ?? "-"
    let status = failure.map { "\(self.status.rawValue): \($0)" } ?? self.status.rawValue
    return [id, agent, userID, status, startedAt.description, took, "\(usage.tokens)", usage.costText]
  }
}

extension Usage {
  /// `$0.0012`; `?` where no price is known.
  var costText: String { costUSD.map { "$\(($0 * 10_000).rounded() / 10_000)" } ?? "?" }
}

/// Times for people: `12.3 ms`, `4.2 s`, `3.1 h`.
enum Milliseconds {
  static func text(_ milliseconds: Double) -> String {
    func tenths(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
    switch milliseconds {
    case ..<1000: return "\(tenths(milliseconds)) ms"
    case ..<120_000: return "\(tenths(milliseconds / 1000)) s"
    case ..<7_200_000: return "\(tenths(milliseconds / 60_000)) min"
    case ..<172_800_000: return "\(tenths(milliseconds / 3_600_000)) h"
    default: return "\(tenths(milliseconds / 86_400_000)) d"
    }
  }
}
