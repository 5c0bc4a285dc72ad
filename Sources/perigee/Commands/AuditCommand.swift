// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import JSONCodec
import Server
import Storage

/// `perigee audit`.
struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Shows who did what, and that nobody has changed the record of it.",
    discussion: """
      Examples:
        perigee audit
        perigee audit list --user ann
        perigee audit verify
      """,
    subcommands: [List.self, Verify.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "Lists what was done, the latest first.",
      discussion: """
        Examples:
          perigee audit list --user ann --action tool.called
          perigee audit list --run 0192f0c1-7a52-7000-8d0a-6f1c2b3a4d5e --json
        """)

    @Option(help: ArgumentHelp("Only what was done on this user's behalf.", valueName: "user"))
    var user: String?

    @Option(
      name: .customLong("action"),
      help: ArgumentHelp("Only this; may be given more than once.", valueName: "action"))
    var actions: [String] = []

    @Option(help: ArgumentHelp("Only what this run did.", valueName: "run"))
    var run: String?

    @Flag(help: "Prints JSON, as GET /v1/audit does.")
    var json = false

    @Option(help: ArgumentHelp("How many, the latest first; 1 to 200.", valueName: "count"))
    var limit = 50

    @OptionGroup var options: WorkspaceOptions

    func validate() throws {
      if !(1...200).contains(limit) { throw ValidationError("--limit must be 1 to 200") }
      let known = AuditEntry.Action.all.map(\.rawValue)
      if let unknown = actions.first(where: { !known.contains($0) }) {
        throw ValidationError("there is no action '\(unknown)'; there are \(known.joined(separator: ", "))")
      }
    }

    func run() async throws {
      let filter = AuditFilter(
        userID: user, actions: Set(actions.map(AuditEntry.Action.init(rawValue:))), runID: run)
      try await options.withStore { store, _ in
        var page = Page<KeptAuditEntry>(items: [], next: nil)
        var after: String?
        // Few may fit among many: a page that is short is not the last.
        repeat {
          let next = try await store.auditTrail(
            filter, page: PageRequest(limit: limit - page.items.count, after: after))
          page = Page(items: page.items + next.items, next: next.next)
          after = next.next
        } while after != nil && page.items.count < limit
        guard !json else { return Console.print(page.json.text) }
        guard !page.items.isEmpty else { return Console.note("Nothing was done yet.") }
        let head = ["NUMBER", "AT", "ACTION", "USER", "FROM", "AGENT", "TARGET", "RUN"]
        for line in Table.lines([head] + page.items.map(\.cells), left: 8) { Console.print(line) }
      }
    }
  }

  struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "verify", abstract: "Tells whether anything in the audit trail was changed or taken away.",
      discussion: """
        Each entry holds a hash of itself and of the one before. What it cannot see is that the latest entries
        were taken away: note the hash that it prints elsewhere, and give it the next time.

        Exits with 1 where something is wrong.

        Examples:
          perigee audit verify
          perigee audit verify --hash 5c1a… --json
        """)

    @Option(help: ArgumentHelp("Of an entry, as noted before: it must still be there.", valueName: "hash"))
    var hash: String?

    @Flag(help: "Prints JSON, as GET /v1/audit/verification does.")
    var json = false

    @OptionGroup var options: WorkspaceOptions

    func run() async throws {
      try await options.withStore { store, _ in
        var verdict = try await store.verifyAudit()
        if let hash, try await !store.hasAuditEntry(hash: hash) {
          verdict.faults.append(
            .init(number: verdict.last, message: "no entry has the hash that was noted: some were taken away")
          )
        }
        if json {
          Console.print(verdict.json.text)
        } else {
          for fault in verdict.faults { Console.print("entry \(fault.number): \(fault.message)") }
          Console.print(
            "\(verdict.count) entries, \(verdict.first) to \(verdict.last): \(verdict.faults.isEmpty ? "intact" : "not intact")"
          )
          Console.print("hash \(verdict.hash)")
        }
        if !verdict.faults.isEmpty { throw ExitCode(1) }
      }
    }
  }
}

extension KeptAuditEntry {
  fileprivate var cells: [String] {
    [
      "\(number)", entry.at.description, entry.action.rawValue,
      isErased ? "(erased)" : entry.actor?.userID ?? "-", entry.actor?.address ?? "-", entry.agent ?? "-",
      entry.target ?? "-", entry.runID ?? "-",
    ]
  }
}
