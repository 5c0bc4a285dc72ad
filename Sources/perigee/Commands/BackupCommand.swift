// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import JSONCodec
import Settings
import Storage

/// `perigee backup FILE`.
struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Copies all that the data folder holds into one file, while a server runs.",
    discussion: """
      Both databases are of one moment, and nobody waits for the copy. The file is a tar archive; manifest.json in \
      it names the files and their checksums. It holds what users wrote: keep it as you keep the data. Scripts, \
      perigee.yaml and the secrets of the environment are not in it.

      Examples:
        perigee backup monday.tar
        perigee backup latest.tar --force --data /var/lib/perigee/data
        perigee backup monday.tar --json
      """)

  @Argument(help: "The file to write; readable by its owner alone.")
  var file: String

  @Flag(help: "Replaces a file that is there.")
  var force = false

  @Flag(help: "Prints what was written as JSON.")
  var json = false

  @OptionGroup var options: WorkspaceOptions

  func run() async throws {
    let directory = options.dataDirectory(try options.configuration())
    try await Interruption.cancelling {
      try await Progress.showing {
        let backup = try await Backup.make(
          of: directory, to: file, replacing: force, version: Perigee.version, at: SystemTime().now,
          progress: $0)
        Progress.clear()
        tell(backup)
      }
    }
  }

  private func tell(_ backup: Backup) {
    guard !json else {
      var writer = JSONWriter()
      writer.object {
        $0.member("file", file)
        $0.member("bytes", backup.bytes)
        $0.member("manifest", backup.manifest.json)
        $0.key("left_out")
        $0.array { for path in backup.leftOut { $0.write(path) } }
      }
      return Console.print(writer.raw.text)
    }
    for entry in backup.manifest.files { Console.print("\(entry.path)  \(ByteCount(entry.bytes))") }
    Console.note("wrote \(file), \(ByteCount(backup.bytes)), as of \(backup.manifest.createdAt)")
    if !backup.leftOut.isEmpty {
      Console.note("left out, for it is none of Perigee's files: \(backup.leftOut.joined(separator: ", "))")
    }
  }
}

/// `perigee restore FILE`.
struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Puts a backup in the place of the data folder.",
    discussion: """
      No server may be at work in the folder. The archive is unpacked beside it and looked through first; only when \
      all of it is whole it takes the folder's place, in one step. With --force a folder that holds something is \
      moved aside, and its new name is told. The server that starts then goes on as after a crash at the moment of \
      the backup.

      Exits with 1 where the archive is damaged.

      Examples:
        perigee restore monday.tar
        perigee restore monday.tar --check
        perigee restore monday.tar --force --data /var/lib/perigee/data
      """)

  @Argument(help: "The archive that 'perigee backup' wrote.")
  var file: String

  @Flag(help: "Only unpacks and looks through it, and changes nothing; beside a server as well.")
  var check = false

  @Flag(help: "Moves a data folder aside that holds something.")
  var force = false

  @Flag(help: "Prints what was put back as JSON.")
  var json = false

  @OptionGroup var options: WorkspaceOptions

  func validate() throws {
    if check, force { throw ValidationError("--check changes nothing: there is nothing to --force") }
  }

  func run() async throws {
    let directory = options.dataDirectory(try options.configuration())
    try await Interruption.cancelling {
      try await Progress.showing { progress in
        if !check { try await refuse(directory) }
        let restoration = try await Restoration.unpack(file, beside: directory, progress: progress)
        guard !check else {
          await restoration.discard()
          return tell(restoration, aside: nil)
        }
        tell(restoration, aside: try await place(restoration, in: directory))
      }
    }
  }

  private func place(_ restoration: Restoration, in directory: String) async throws -> String? {
    do {
      // From here on it takes a moment, and goes on whatever happens.
      try Task.checkCancellation()
      try await refuse(directory)
      try DataLease.prepare(directory)
    } catch {
      await restoration.discard()
      throw error
    }
    let aside = try await DataLease.ifAlone(directory) {
      // Somebody may have begun to work in it since.
      if !force, try await !Restoration.isEmpty(directory) {
        await restoration.discard()
        throw Self.notEmpty(directory)
      }
      return try await restoration.putInPlace(at: SystemTime().now)
    }
    if let aside { return aside }
    await restoration.discard()
    throw Self.used(directory)
  }

  private static func used(_ directory: String) -> CommandError {
    CommandError(message: "a server, a worker or a command is at work in \(directory)", hint: "stop it first")
  }

  private static func notEmpty(_ directory: String) -> CommandError {
    CommandError(
      message: "\(directory) is not empty",
      hint: "choose another folder with --data, or have it moved aside with --force")
  }

  /// Refuses a folder in which somebody is at work, or that holds what nobody said may go.
  private func refuse(_ directory: String) async throws {
    guard try await !Restoration.isEmpty(directory) else { return }
    guard try await DataLease.ifAlone(directory, {}) != nil else { throw Self.used(directory) }
    if !force { throw Self.notEmpty(directory) }
  }

  private func tell(_ restoration: Restoration, aside: String?) {
    Progress.clear()
    let manifest = restoration.manifest
    guard !json else {
      var writer = JSONWriter()
      writer.object {
        if !check { $0.member("directory", restoration.directory) }
        $0.member("manifest", manifest.json)
        if !check { $0.member("moved_aside", aside.map { .string($0) } ?? JSON.null) }
      }
      return Console.print(writer.raw.text)
    }
    for entry in manifest.files { Console.print("\(entry.path)  \(ByteCount(entry.bytes))") }
    if let aside { Console.note("what was there is now \(aside)") }
    Console.note(
      check
        ? "\(file) is whole, as of \(manifest.createdAt), by Perigee \(manifest.perigee)"
        : "\(restoration.directory) is as of \(manifest.createdAt)")
  }
}

/// How far a long command is, on a terminal.
private enum Progress {
  /// Runs `body`, and says its errors as the command line does.
  static func showing(
    _ body: (@escaping @Sendable (BackupProgress) -> Void) async throws -> Void
  ) async throws {
    defer { clear() }
    do {
      try await body { progress in
        let share = progress.share.map { " \(Int($0 * 100)) %" } ?? ""
        Console.progress(progress.step + share)
      }
    } catch let error as BackupError {
      throw CommandError(
        message: error.message, hint: error.hint, status: error.code == .damaged ? .bad : .usage)
    }
  }

  static func clear() { Console.progress(nil) }
}

/// A size as people read it.
struct ByteCount: CustomStringConvertible {
  let description: String

  init(_ bytes: Int64) {
    let units = ["bytes", "kB", "MB", "GB", "TB"]
    var (value, unit) = (Double(bytes), 0)
    while value >= 1000, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
    description =
      unit == 0 ? "\(bytes) bytes" : "\((value * 10).rounded() / 10) \(units[unit])"
  }
}
