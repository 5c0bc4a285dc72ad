// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import JSONCodec
import Server
import Settings
import Storage

/// `perigee versions`.
struct VersionsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "versions", abstract: "Lists the versions of the scripts, and what came of their runs.",
    discussion: """
      A version is kept with its sources when it is loaded for the first time. * is in force; % is the candidate,
      which a share of the sessions runs. Changed are the files that are not as in the version before.

      Examples:
        perigee versions
        perigee versions --limit 5 --json
      """)

  @Flag(help: "Prints JSON, as GET /v1/versions does.")
  var json = false

  @Option(help: ArgumentHelp("How many, the latest first; 1 to 200.", valueName: "count"))
  var limit = 20

  @OptionGroup var options: WorkspaceOptions

  func validate() throws {
    if !(1...200).contains(limit) { throw ValidationError("--limit must be 1 to 200") }
  }

  func run() async throws {
    try await options.withStore { store, _ in
      let page = try await store.versions(page: PageRequest(limit: limit))
      let deployment = try await store.deployment()
      guard !json else { return Console.print(page.json(deployment).text) }
      guard !page.items.isEmpty else {
        return Console.note("No version was loaded yet with this data folder; start: perigee serve")
      }
      let head = ["", "VERSION", "LOADED", "FILES", "CHANGED", "RUNS", "FAILED", "TOKENS", "COST", "P50"]
      let rows = page.items.map { $0.cells(deployment) }
      for line in Table.lines([head] + rows, left: 3) { Console.print(line) }
    }
  }
}

extension VersionRecord {
  fileprivate func cells(_ deployment: DeploymentRecord?) -> [String] {
    var mark = id == deployment?.version ? "*" : ""
    if let candidate = deployment?.candidate, candidate.version == id { mark = "\(candidate.percent)%" }
    let rate = (runs.errorRate * 1000).rounded() / 10
    let cost = runs.usage.costUSD.map { "$\(($0 * 10_000).rounded() / 10_000)" } ?? "?"
    return [
      mark, id.shortVersion, loadedAt.description, "\(fileCount)", "\(changedCount)", "\(runs.count)",
      runs.failed == 0 ? "0" : "\(runs.failed) (\(rate) %)", "\(runs.usage.tokens)", cost,
      runs.medianMilliseconds.map { "\($0) ms" } ?? "-",
    ]
  }
}

/// Text in columns.
enum Table {
  /// - Parameter left: Columns that begin at the left; the others end at the right.
  static func lines(_ rows: [[String]], left: Int) -> [String] {
    let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = zip(row, widths).enumerated().map { column, cell in
        let space = String(repeating: " ", count: cell.1 - cell.0.count)
        return column < left ? cell.0 + space : space + cell.0
      }
      return cells.joined(separator: "  ")
    }
  }
}

extension WorkspaceOptions {
  /// Opens the host's database for a command that needs nothing else.
  func withStore<Value>(
    _ body: (SQLiteStore, _ directory: String) async throws -> Value
  ) async throws -> Value {
    let configuration = try configuration()
    let directory = dataDirectory(configuration)
    try DataLease.prepare(directory)
    // Nobody puts another folder in its place meanwhile.
    let lease = try DataLease.join(directory, file: DataLease.commands)
    defer { lease.giveBack() }
    let store = try await openStore(configuration)
    let value: Value
    do {
      value = try await body(store, directory)
    } catch {
      try await store.close()
      throw error
    }
    try await store.close()
    return value
  }

  /// - Throws: ``CommandError`` when the data folder cannot be used.
  func openStore(_ configuration: Configuration) async throws -> SQLiteStore {
    do {
      return try await SQLiteStore.open(
        directory: dataDirectory(configuration),
        synchronous: configuration.data.synchronous == .full ? .full : .normal)
    } catch {
      throw CommandError(
        message: Failure(error).message, hint: "choose a folder that is yours with --data (data.directory)")
    }
  }
}
