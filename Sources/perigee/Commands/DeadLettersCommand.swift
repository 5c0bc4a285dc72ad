// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import JSONCodec
import Server
import Storage

/// `perigee dead-letters`.
struct DeadLettersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dead-letters", abstract: "Lists the jobs that failed for good, and takes them up again.",
    discussion: """
      A job is here when its attempts are used up, or when another could not end otherwise. What is
      retried, a server or a worker on the same data folder does within a second.

      Examples:
        perigee dead-letters
        perigee dead-letters --limit 200 --json
        perigee dead-letters retry 0198c5d2-7e1f-8a42-9b6d-3f1e5c7a9d20
        perigee dead-letters retry --all
        perigee dead-letters discard --all
      """,
    subcommands: [List.self, Retry.self, Discard.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "Lists them, those that died last first.",
      discussion: """
        Examples:
          perigee dead-letters list
          perigee dead-letters list --json
        """)

    @Flag(help: "Prints JSON, as GET /v1/dead-letters does.")
    var json = false

    @Option(help: ArgumentHelp("How many; 1 to 200.", valueName: "count"))
    var limit = 50

    @OptionGroup var options: WorkspaceOptions

    func validate() throws {
      if !(1...200).contains(limit) { throw ValidationError("--limit must be 1 to 200") }
    }

    func run() async throws {
      try await options.withStore { store, _ in
        let page = try await store.deadLetters(visibleTo: .everyone, page: PageRequest(limit: limit))
        guard !json else { return Console.print(page.json.text) }
        guard !page.items.isEmpty else { return Console.note("There are no dead letters.") }
        let head = ["ID", "ACTION", "USER", "DIED", "ATTEMPTS", "ERROR"]
        let rows = page.items.map { letter in
          [
            letter.job.id, letter.job.action, letter.job.user.id, letter.diedAt.description,
            "\(letter.attempts)", letter.failure.description.shortLine,
          ]
        }
        for line in Table.lines([head] + rows, left: 6) { Console.print(line) }
        if page.next != nil { Console.note("There are more: --limit 200, or GET /v1/dead-letters?after=") }
      }
    }
  }

  struct Retry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "retry", abstract: "Queues dead letters again; their attempts count anew.",
      discussion: """
        Examples:
          perigee dead-letters retry 0198c5d2-7e1f-8a42-9b6d-3f1e5c7a9d20
          perigee dead-letters retry --all
        """)

    @OptionGroup var chosen: ChosenLetters

    @OptionGroup var options: WorkspaceOptions

    func run() async throws {
      let count = try await chosen.each(options) { store, id in
        try await store.retryDeadLetter(id: id, by: Principal.local.actor, at: SystemTime().now)
      }
      Console.note("\(count) \(count == 1 ? "job is" : "jobs are") queued again.")
    }
  }

  struct Discard: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "discard", abstract: "Throws dead letters away.",
      discussion: """
        Examples:
          perigee dead-letters discard 0198c5d2-7e1f-8a42-9b6d-3f1e5c7a9d20
          perigee dead-letters discard --all
        """)

    @OptionGroup var chosen: ChosenLetters

    @OptionGroup var options: WorkspaceOptions

    func run() async throws {
      let count = try await chosen.each(options) { store, id in
        try await store.discardDeadLetter(id: id, by: Principal.local.actor, at: SystemTime().now)
      }
      Console.note("\(count) \(count == 1 ? "job is" : "jobs are") gone.")
    }
  }
}

/// One dead letter, or those that there are now.
struct ChosenLetters: ParsableArguments {
  @Argument(help: ArgumentHelp("The job's id.", valueName: "id"))
  var id: String?

  @Flag(help: "All that there are now.")
  var all = false

  func validate() throws {
    if (id == nil) != all { throw ValidationError("name one job by its id, or all of them with --all") }
  }

  /// Does something with each; how many there were.
  func each(
    _ options: WorkspaceOptions, _ body: (SQLiteStore, String) async throws -> Void
  ) async throws -> Int {
    try await options.withStore { store, _ in
      if let id {
        do {
          try await body(store, id)
        } catch let failure as Failure where failure.code == .notFound {
          throw CommandError(message: failure.message, hint: "list them: perigee dead-letters", status: .bad)
        }
        return 1
      }
      // All names first: what is retried may be dead again before the last one is.
      var ids: [String] = []
      var page = PageRequest(limit: 200)
      repeat {
        let letters = try await store.deadLetters(visibleTo: .everyone, page: page)
        ids += letters.items.map(\.job.id)
        page.after = letters.next
      } while page.after != nil
      var count = 0
      for id in ids {
        do {
          try await body(store, id)
          count += 1
        } catch let failure as Failure where failure.code == .notFound {
          // Somebody else was quicker.
        }
      }
      return count
    }
  }
}

extension String {
  /// As much of it as a row of a table has room for.
  fileprivate var shortLine: String {
    let line = split(whereSeparator: \.isNewline).joined(separator: " ")
    return line.count > 80 ? line.prefix(79) + "…" : line
  }
}
