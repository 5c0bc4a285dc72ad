// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Evals
import FoundationEssentials
import JSONCodec
import Models
import Synchronization
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
    let bench = try EvalBench(options, mode: record ? .record : live ? .live : .offline)
    let isWell: Bool
    do {
      isWell = try await run(on: bench)
    } catch {
      await bench.close()
      throw error
    }
    await bench.close()
    if !isWell { throw ExitCode(ExitStatus.bad.rawValue) }
  }

  /// - Returns: Whether all is as expected.
  private func run(on bench: EvalBench) async throws -> Bool {
    let bundle = try await bench.bundle(version)
    let other = if let against { try await bench.bundle(against) } else { ScriptBundle?.none }
    let (suite, cases) = try await bench.cases(paths, filter: filter, on: bundle)
    let isWell = Mutex(true)
    try await Interruption.cancelling {
      let well = try await report(
        cases, by: bench.runner(of: bundle, suite, "cases"),
        against: other.map { bench.runner(of: $0, suite, "against") })
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
