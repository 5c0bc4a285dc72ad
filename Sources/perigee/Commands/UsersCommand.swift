// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Glibc
import JSONCodec
import Server
import Storage

/// `perigee users`.
struct UsersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "users", abstract: "Hands out, or erases, all that is kept of a user.",
    discussion: """
      For who asks what is kept of them, or that it goes. Both work while a server runs.

      Examples:
        perigee users export ann --output ann.json
        perigee users erase ann --yes
      """,
    subcommands: [Export.self, Erase.self])

  struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "export", abstract: "Writes all that is kept of a user as one JSON document.",
      discussion: """
        Conversations, runs, approvals, jobs, small values, API keys without their hashes, and what the audit trail
        says of them. Tables that scripts made are theirs to hand out.

        Examples:
          perigee users export ann --output ann.json
          perigee users export ann
        """)

    @Argument(help: "The user's identifier.")
    var user: String

    @Option(
      help: ArgumentHelp(
        "The file to write, readable by its owner alone; it may not be there yet. (default: standard output)",
        valueName: "file"))
    var output: String?

    @OptionGroup var options: WorkspaceOptions

    func run() async throws {
      try await options.withStore { store, _ in
        let file = try output.map { try PrivateFile(making: $0) }
        do {
          try await store.beginExport(of: user, by: Principal.local.actor, at: SystemTime().now)
          var place: ExportPlace? = ExportPlace()
          while let from = place {
            let piece = try await store.exportPiece(of: user, from: from)
            if let file {
              try file.write(piece.bytes)
            } else {
              Console.print(String(decoding: piece.bytes, as: UTF8.self), terminator: "")
            }
            place = piece.next
          }
          try file?.close()
        } catch {
          file?.discard()
          throw error
        }
        if let output { Console.note("wrote \(output)") }
      }
    }
  }

  struct Erase: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "erase", abstract: "Erases all that is kept of a user, for good.",
      discussion: """
        Conversations, runs, approvals, jobs, small values, events and API keys go; the audit trail stays whole, and no
        longer says who it was. Tables that scripts made, backups and logs are not touched. Refused while runs of
        theirs are under way; asked again it goes on. It takes two seconds more where they have API keys, which
        servers believe for as long.

        Examples:
          perigee users erase ann --yes
          perigee users erase ann --yes --json
        """)

    @Argument(help: "The user's identifier.")
    var user: String

    @Flag(help: "Does it without asking.")
    var yes = false

    @Flag(help: "Prints what went as JSON.")
    var json = false

    @OptionGroup var options: WorkspaceOptions

    func run() async throws {
      if !yes { try confirm() }
      try await options.withStore { store, _ in
        let erased: ErasedUser
        do {
          erased = try await store.eraseUser(user, by: Principal.local.actor, time: SystemTime())
        } catch let failure as Failure where failure.code == .conflict {
          throw CommandError(message: failure.message, hint: "perigee cancel RUN", status: .bad)
        }
        guard !json else { return Console.print(erased.json.text) }
        if erased.isResumed { Console.note("it was begun before, and is finished now") }
        Console.note(
          "erased: \(erased.sessions) conversations, \(erased.runs) runs of none; "
            + "\(erased.auditEntries) entries of the audit trail no longer say who it was")
        if !erased.isScrubbed {
          Console.note(
            "hint: it is deleted and overwritten; older copies of rows may stand in the file until it is rewritten: "
              + "stop the server, then sqlite3 \(SQLiteStore.fileName) VACUUM")
        }
      }
    }

    private func confirm() throws {
      guard Console.isInteractive else {
        throw CommandError(message: "this cannot be undone", hint: "say that you mean it: --yes")
      }
      Console.note("All that is kept of '\(user)' goes, for good. Type the user's identifier to go on:")
      guard readLine() == user else { throw CommandError(message: "nothing was erased", status: .bad) }
    }
  }
}

/// A file that is made for its owner alone, and goes where it is not finished.
private struct PrivateFile: Sendable {
  let path: String
  private let descriptor: Int32

  init(making path: String) throws {
    self.path = path
    descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw CommandError(
        message: "\(path) cannot be made: \(String(cString: strerror(errno)))", hint: "choose another name")
    }
  }

  func write(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure() }
      rest = rest.dropFirst(count)
    }
  }

  func close() throws {
    guard fsync(descriptor) == 0, Glibc.close(descriptor) == 0 else { throw failure() }
  }

  func discard() {
    _ = Glibc.close(descriptor)
    unlink(path)
  }

  private func failure() -> CommandError {
    CommandError(
      message: "\(path) cannot be written: \(String(cString: strerror(errno)))", hint: "is the disk full?",
      status: .bad)
  }
}
