// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Evals
import FoundationEssentials
import JSONCodec
import Storage
import Synchronization
import Workspace

/// `perigee bisect EVAL --good V --bad V`.
struct BisectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bisect", abstract: "Finds the first version of the scripts on which eval cases fail.",
    discussion: """
      Tries versions between one on which all cases are well and one on which some fail, in the order in which they \
      were loaded, halving what is left each time. Models answer as in 'perigee eval': from recordings, or by stubs. \
      A version that does not load, or has not the agents, is passed over.

      Exit code: 0 it was found, 1 the good version is not good or the bad one not bad, 2 a wrong option.

      Examples:
        perigee bisect evals/todo.lua --good 1f2a --bad 9c3b
        perigee bisect evals --filter 'lists' --good 1f2a
        perigee bisect evals/todo.lua --good 1f2a --json
      """)

  @Argument(help: ArgumentHelp("Eval file, or a folder of them.", valueName: "eval"))
  var path: String

  @Option(help: ArgumentHelp("A version on which all is as expected.", valueName: "v"))
  var good: String

  @Option(
    help: ArgumentHelp("A later one on which something is not, or 'workspace', the folder.", valueName: "v"))
  var bad = "workspace"

  @Option(help: ArgumentHelp("Only the cases whose name has this in it.", valueName: "text"))
  var filter: String?

  @Flag(help: "Prints the result as JSON.")
  var json = false

  @OptionGroup var options: WorkspaceOptions

  func run() async throws {
    let bench = try EvalBench(options, mode: .offline)
    do {
      try await Interruption.cancelling { try await bisect(bench) }
    } catch {
      await bench.close()
      throw error
    }
    await bench.close()
  }

  private func bisect(_ bench: EvalBench) async throws {
    var search = Bisection(try await versions())
    defer { Console.progress(nil) }
    while let index = search.next {
      let version = search.versions[index]
      Console.progress("\(version.shortVersion): \(search.left) versions left …")
      let verdict = try await judge(version, bench)
      try Task.checkCancellation()
      Console.progress(nil)
      if !json { Console.print("\(version.shortVersion)  \(verdict.rawValue)") }
      try search.note(verdict, of: index)
    }
    json ? Console.print(search.json.text) : report(search)
  }

  private func report(_ search: Bisection) {
    let (good, bad) = (search.versions[search.lastGood], search.versions[search.firstBad])
    if search.isExact {
      Console.print("\nThe first on which a case fails is \(bad).")
    } else {
      Console.print(
        "\nIt is one of \(search.firstBad - search.lastGood), up to \(bad): the others do not load.")
    }
    Console.note("What changed: perigee diff \(good.shortVersion) \(bad.shortVersion)")
  }

  private func judge(_ version: String, _ bench: EvalBench) async throws -> Bisection.Verdict {
    let (bundle, suite, cases): (ScriptBundle, EvalSuite, [EvalCase])
    do {
      bundle = try await bench.bundle(version)
      (suite, cases) = try await bench.cases([path], filter: filter, on: bundle)
    } catch is WorkspaceError {
      return .skipped
    }
    let report = try await bench.runner(of: bundle, suite, version.shortVersion).run(
      cases, jobs: ProcessInfo.processInfo.activeProcessorCount
    ) { _ in }
    return report.count(.failed) == 0 ? .good : .bad
  }

  /// From the good one to the bad one, in the order in which they were loaded.
  private func versions() async throws -> [String] {
    try await options.withStore { store, _ in
      let first = try await store.version(named: good).id
      let last = bad == "workspace" ? bad : try await store.version(named: bad).id
      var versions = bad == "workspace" ? [last] : []
      var page = PageRequest(limit: 200)
      repeat {
        let found = try await store.versions(page: page)
        for version in found.items.map(\.id) {
          // Those after the bad one are no matter.
          if versions.isEmpty, version != last, version != first { continue }
          versions.append(version)
          if version == first {
            guard versions.count > 1 else {
              throw CommandError(
                message: "the bad version is not later than the good one",
                hint: "perigee versions lists them, the latest first")
            }
            return versions.reversed()
          }
        }
        page.after = found.next
      } while page.after != nil
      throw CommandError(message: "the good version is not among those that are kept")
    }
  }
}

/// A search for the first bad of versions of which the first is good and the last is bad.
struct Bisection {
  enum Verdict: String {
    case good, bad
    case skipped = "does not load"
  }

  let versions: [String]
  private(set) var lastGood = 0
  private(set) var firstBad: Int
  private var verdicts: [Int: Verdict] = [:]

  init(_ versions: [String]) {
    self.versions = versions
    firstBad = versions.count - 1
  }

  /// Versions of which one is the first bad one.
  var left: Int { firstBad - lastGood }

  /// Whether nothing lies between the last good and the first bad one.
  var isExact: Bool { left == 1 }

  /// The one to try next: first the ends, then that nearest to the middle; `nil` = all were.
  var next: Int? {
    for end in [0, versions.count - 1] where verdicts[end] == nil { return end }
    let middle = (lastGood + firstBad) / 2
    return (lastGood + 1..<max(firstBad, lastGood + 1)).filter { verdicts[$0] == nil }.min {
      abs($0 - middle) < abs($1 - middle)
    }
  }

  /// - Throws: ``CommandError`` when an end is not what it was said to be.
  mutating func note(_ verdict: Verdict, of index: Int) throws {
    verdicts[index] = verdict
    if index == 0, verdict != .good {
      throw CommandError(
        message:
          "the good version, \(versions[0].shortVersion), is not: it \(verdict == .bad ? "fails" : verdict.rawValue)",
        hint: "name one on which the cases are well: perigee eval --version V", status: .bad)
    }
    if index == versions.count - 1, verdict != .bad {
      throw CommandError(
        message:
          "the bad version, \(versions[index].shortVersion), is not: \(verdict == .good ? "all is well there" : "it " + verdict.rawValue)",
        hint: "name one on which a case fails", status: .bad)
    }
    switch verdict {
    case .good: lastGood = max(lastGood, index)
    case .bad: firstBad = min(firstBad, index)
    case .skipped: break
    }
  }

  var json: RawJSON {
    var writer = JSONWriter()
    writer.object {
      $0.member("first_bad", isExact ? .string(versions[firstBad]) : JSON.null)
      $0.member("last_good", versions[lastGood])
      $0.member("candidates", JSON.array(versions[(lastGood + 1)...firstBad].map { .string($0) }))
      $0.key("tried")
      $0.array { list in
        for (index, verdict) in verdicts.sorted(by: { $0.key < $1.key }) {
          list.object {
            $0.member("version", versions[index])
            $0.member("result", verdict == .skipped ? "skipped" : verdict.rawValue)
          }
        }
      }
    }
    return writer.raw
  }
}
