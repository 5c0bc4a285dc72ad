// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Lint
import Workspace

/// `perigee lint`.
struct LintCommand: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, json, sarif, github
  }

  static let configuration = CommandConfiguration(
    commandName: "lint", abstract: "Finds what is wrong with scripts, without running them.",
    discussion: """
      Looks at agents/, tools/, lib/, evals/ and perigee.yaml, or at the paths that are given, held against the rest of \
      their workspace. Ends with 1 when there are errors. A comment excuses a finding of its line or the next one:
        -- perigee: ignore P111 because the next release needs it

      Examples:
        perigee lint
        perigee lint agents/todo.lua tools
        perigee lint --strict --format github
        perigee lint --fix
        perigee lint --watch
        perigee lint --explain P101
      """)

  @Argument(help: ArgumentHelp("Files and folders; the whole workspace unless given.", valueName: "path"))
  var paths: [String] = []

  @Option(help: "text, json, sarif (2.1.0) or github (workflow commands).")
  var format = Format.text

  @Flag(help: "Mends what can be mended without changing what a script does.")
  var fix = false

  @Flag(help: "Warnings count as errors, too.")
  var strict = false

  @Flag(help: "Looks again whenever something is saved, until Ctrl-C.")
  var watch = false

  @Option(help: ArgumentHelp("Prints what a code means, and how to mend it.", valueName: "code"))
  var explain: String?

  @OptionGroup var options: LintWorkspaceOptions

  func validate() throws {
    if watch, fix {
      throw ValidationError("--watch and --fix exclude each other: an editor has the files open")
    }
  }

  func run() async throws {
    if watch { return try await Interruption.cancelling { try await watchFolders() } }
    if let explain {
      guard let page = Explanation.find(explain) else {
        throw CommandError(message: "there is no code '\(explain)'", hint: "docs/lint.md lists them all")
      }
      Console.print(page.page)
      return
    }
    let findings = try await lookAndReport()
    let isBad = findings.contains { $0.severity == .error || strict && $0.severity == .warning }
    if isBad { throw ExitCode(ExitStatus.bad.rawValue) }
  }

  private func lookAndReport() async throws -> [Diagnostic] {
    let runs = try await look()
    let findings = runs.flatMap(\.findings).sorted()
    report(findings, runs)
    return findings
  }

  /// Reports at once, and after every change in one of the workspaces.
  private func watchFolders() async throws {
    let roots = try LintTarget.targets(paths, workspace: options.workspace).compactMap(\.root)
    guard !roots.isEmpty else {
      throw CommandError(
        message: "the files belong to no workspace that could be watched", hint: "name one with --workspace")
    }
    let (wakes, wake) = AsyncThrowingStream<Void, any Error>.makeStream(bufferingPolicy: .bufferingNewest(1))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for root in roots {
        group.addTask {
          do {
            for try await _ in FolderWatch(root, scope: .workspace) { wake.yield() }
          } catch {
            wake.finish(throwing: error)
          }
        }
      }
      defer { group.cancelAll() }
      for try await _ in wakes { _ = try await lookAndReport() }
    }
  }

  /// How often mending is tried: one fix may make room for another.
  private static let roundsMax = 10

  private func look() async throws -> [LintRun] {
    let targets = try LintTarget.targets(paths, workspace: options.workspace)
    var runs: [LintRun] = []
    for target in targets {
      var run = try await LintRun(target, environment: options.environment)
      if fix {
        for _ in 0..<Self.roundsMax {
          let mended = try run.fix()
          if mended.isEmpty { break }
          for finding in mended {
            Console.note(
              "fixed \(finding.file):\(finding.line):\(finding.column): \(finding.fix?.summary ?? "") [\(finding.code)]"
            )
          }
          run = try await LintRun(target, environment: options.environment)
        }
      }
      runs.append(run)
    }
    return runs
  }

  private func report(_ findings: [Diagnostic], _ runs: [LintRun]) {
    let sources = runs.reduce(into: [:]) { $0.merge($1.sources) { first, _ in first } }
    switch format {
    case .json: Console.print(Diagnostic.json(findings, files: sources.count))
    case .sarif: Console.print(Diagnostic.sarif(findings, version: Perigee.version))
    case .github:
      // The service knows files by their place below the folder that the command runs in.
      let prefix = paths.isEmpty ? options.workspace.flatMap { $0 == "." ? nil : $0 } : nil
      for finding in findings {
        Console.print((prefix.map { finding.renamed("\($0)/\(finding.file)") } ?? finding).workflowCommand)
      }
    case .text:
      for finding in findings {
        let source = sources[finding.file] ?? SourceText(name: finding.file, bytes: [])
        Console.print(finding.rendered(from: source))
      }
    }
    Console.note(Self.summary(findings, files: sources.count))
  }

  private static func summary(_ findings: [Diagnostic], files: Int) -> String {
    let counts = Diagnostic.Severity.allCases.compactMap { severity -> String? in
      let count = findings.count { $0.severity == severity }
      return count == 0 ? nil : "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")"
    }
    let found = counts.isEmpty ? "no findings" : counts.joined(separator: ", ")
    return "\(found) in \(files) file\(files == 1 ? "" : "s")"
  }
}

/// Where the workspace is that `lint` looks at; nothing is opened in it.
struct LintWorkspaceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Folder with agents/, tools/ and perigee.yaml; found above a path unless given.", valueName: "dir"))
  var workspace: String?

  var environment: [String: String] { WorkspaceOptions.processEnvironment }
}
