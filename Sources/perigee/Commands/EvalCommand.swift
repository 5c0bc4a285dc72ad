// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Evals
import FoundationEssentials
import JSONCodec
import Logging
import Models
import Settings
import Storage
import Synchronization
import Transport
import Workspace

/// `perigee eval`.
struct EvalCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval",
    abstract: "Runs the cases in evals/ and says where an agent does not do what they expect.",
    discussion: """
      Models answer from what is recorded in evals/cassettes/, and where nothing is, the agents' stubs do: no key is \
      needed, and the same scripts give the same result. Each case has databases of its own, which are gone \
      afterwards.

      Exit code: 0 all is as expected, 1 something is not, 2 a wrong eval file, option or configuration.

      Examples:
        perigee eval
        perigee eval evals/todo.lua --filter 'lists'
        perigee eval --record --filter 'lists what was added'
        perigee eval --live
        perigee eval --version 1f2a
        perigee eval --against 1f2a
        perigee eval --junit report.xml
        perigee eval --json | jq '.cases[] | select(.result == "failed") | .name'
      """)

  @Argument(
    help: ArgumentHelp("Eval files, or folders of them; all of evals/ unless named.", valueName: "path"))
  var paths: [String] = []

  @Option(help: ArgumentHelp("Only the cases whose name has this in it.", valueName: "text"))
  var filter: String?

  @Option(help: ArgumentHelp("Cases at a time. (default: one for each processor)", valueName: "n"))
  var jobs: Int?

  @Flag(help: "Asks the models, and keeps nothing.")
  var live = false

  @Flag(help: "Asks the models, and records what they answer in evals/cassettes/.")
  var record = false

  @Flag(help: "Prints the report as JSON.")
  var json = false

  @Option(help: ArgumentHelp("Also writes the report as JUnit XML.", valueName: "file"))
  var junit: String?

  @Option(help: ArgumentHelp("Runs a kept version of the scripts in place of the folder.", valueName: "v"))
  var version: String?

  @Option(
    help: ArgumentHelp("Runs this version, too, and tells which cases came out otherwise.", valueName: "v"))
  var against: String?

  @OptionGroup var options: WorkspaceOptions

  func validate() throws {
    if against != nil, record {
      throw ValidationError("--against and --record exclude each other: a case has one recording")
    }
    if live, record {
      throw ValidationError("--live and --record exclude each other: --record asks the models, too")
    }
    if let jobs, jobs < 1 { throw ValidationError("--jobs is at least 1") }
    if filter?.isEmpty ?? false { throw ValidationError("--filter is empty: name a part of a case's name") }
    if junit?.isEmpty ?? false { throw ValidationError("--junit is empty: name a file") }
  }

  func run() async throws {
    let configuration = try options.configuration()
    try configuration.refuseUnavailable()
    let bundle = try await bundle(version, configuration)
    let other = if let against { try await self.bundle(against, configuration) } else { ScriptBundle?.none }
    let selection = EvalSelection(paths: paths, workspace: options.workspace)
    let suite = try await EvalSuite.load(
      directory: options.workspace, bundle: bundle, where: selection.contains)
    let cases = try selection.cases(of: suite, filter: filter)
    let client = try HTTPClient()
    let isWell: Bool
    do {
      isWell = try await run(cases, of: suite, on: bundle, against: other, configuration, client)
    } catch {
      await client.shutdown()
      throw error
    }
    await client.shutdown()
    if !isWell { throw ExitCode(ExitStatus.bad.rawValue) }
  }

  /// - Parameter name: Of a version that is kept, or the beginning of it; `nil` or `workspace` = the folder.
  private func bundle(_ name: String?, _ configuration: Configuration) async throws -> ScriptBundle {
    let defaults = RunLimits(seconds: configuration.scripts.runTime / .seconds(1))
    guard let name, name != "workspace" else {
      return try await ScriptBundle.load(directory: options.workspace, defaults: defaults)
    }
    let sources = try await options.withStore { store, _ in
      try await store.sources(ofVersion: try await store.version(named: name).id)
    }
    return try await ScriptBundle.load(sources: sources, defaults: defaults)
  }

  /// - Returns: Whether all is as expected.
  private func run(
    _ cases: [EvalCase], of suite: EvalSuite, on bundle: ScriptBundle, against other: ScriptBundle?,
    _ configuration: Configuration, _ client: HTTPClient
  ) async throws -> Bool {
    let logger = Logger.command(.error)
    let models = try ModelClient.Configuration(configuration, environment: options.environment)
    let answers = EvalAnswers(
      mode: record ? .record : live ? .live : .offline,
      client: ModelClient(configuration: models, client: client, time: SystemTime(), logger: logger),
      normalization: RequestNormalization(configuration, models, environment: options.environment),
      workspace: options.workspace)
    if live || record, !answers.client.isConfigured(for: []) {
      throw CommandError(
        message: "no model is configured to be asked",
        hint: "set OPENAI_API_KEY, or leave out \(live ? "--live" : "--record")")
    }
    let directory = FileManager.default.temporaryDirectory.path + "/perigee-eval-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let runner = { @Sendable (bundle: ScriptBundle, name: String) in
      EvalRunner(
        bundle: bundle, suite: suite, answers: answers, configuration: configuration,
        environment: options.environment, client: client, logger: logger, directory: "\(directory)/\(name)")
    }
    let isWell = Mutex(true)
    try await Interruption.cancelling {
      let well = try await report(
        cases, by: runner(bundle, "cases"), against: other.map { runner($0, "against") })
      isWell.withLock { $0 = well }
    }
    return isWell.withLock { $0 }
  }

  private func report(
    _ cases: [EvalCase], by runner: EvalRunner, against other: EvalRunner?
  ) async throws -> Bool {
    let view = EvalView(cases, isQuiet: json)
    defer { Console.progress(nil) }
    let jobs = jobs ?? ProcessInfo.processInfo.activeProcessorCount
    let report: EvalReport
    var comparison: EvalComparison?
    do {
      report = try await runner.run(cases, jobs: jobs, onResult: view.show)
      if let other {
        let baseline = try await other.run(cases, jobs: jobs) { _ in }
        comparison = EvalComparison(of: report, against: baseline)
      }
    } catch let error as CassetteError {
      throw CommandError(message: error.message, hint: error.hint)
    }
    if json { Console.print(report.json(comparison).text) } else { view.end(report, comparison) }
    if let junit {
      do {
        try Data(report.junit.utf8).write(to: URL(filePath: junit), options: .atomic)
      } catch {
        throw CommandError(
          message: "\(junit) cannot be written", hint: "name a file in a folder that is yours")
      }
    }
    return report.count(.failed) == 0
  }
}

/// The report as it grows.
private final class EvalView {
  private let table: EvalTable
  private let isQuiet: Bool
  private let count: Int
  private var results: [CaseResult] = []

  init(_ cases: [EvalCase], isQuiet: Bool) {
    table = EvalTable(cases)
    count = cases.count
    self.isQuiet = isQuiet
    if !isQuiet { Console.print(table.header) }
    Console.progress("0 of \(count) cases …")
  }

  func show(_ result: CaseResult) {
    Console.progress(nil)
    let file = result.evalCase.place.file
    if !isQuiet {
      if results.last?.evalCase.place.file != file { Console.print(table.heading(file)) }
      Console.print(table.row(result))
    }
    results.append(result)
    if results.count < count { Console.progress("\(results.count) of \(count) cases …") }
  }

  func end(_ report: EvalReport, _ comparison: EvalComparison?) {
    for result in results where !result.details.isEmpty {
      Console.print("")
      for line in result.details { Console.print(line) }
    }
    Console.print("")
    Console.print(report.summary)
    for line in comparison?.lines ?? [] { Console.print(line) }
  }
}
