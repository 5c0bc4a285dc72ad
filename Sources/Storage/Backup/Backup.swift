// SPDX-License-Identifier: Apache-2.0
public import Core
import Crypto
import JSONCodec

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A data directory in one file, as it was at one moment.
///
/// Both databases are of the same moment: the state that a crash at that moment would have left. So a backup is gone
/// on from as a crash is, and neither has rows of calls that nobody knows of nor calls whose rows are missing.
public struct Backup: Sendable {
  public let manifest: BackupManifest
  /// Of the archive.
  public let bytes: Int64
  /// What lies in the directory and is no part of a backup; lock files and the databases' logs are not told.
  public let leftOut: [String]

  /// Writes the archive under another name, and gives it its own when all of it is on the disk.
  ///
  /// - Parameters:
  ///   - directory: The data directory, whether a server works on it or not.
  ///   - path: The archive (0600).
  ///   - isReplacing: One that is there is replaced.
  ///   - version: Of this Perigee.
  /// - Throws: ``BackupError``; `CancellationError` when the task was cancelled. Then nothing is left behind.
  public static func make(
    of directory: String, to path: String, replacing isReplacing: Bool, version: String, at time: Timestamp,
    progress: @escaping @Sendable (BackupProgress) -> Void
  ) async throws -> Backup {
    try await BackupWork.perform(progress: progress) { work in
      try work.checkTarget(path, replacing: isReplacing)
      let (folder, name) = split(path)
      let stage = try TemporaryFolder(in: folder, name: name)
      defer { stage.remove() }
      let (files, leftOut) = try work.stage(directory, in: stage)
      let manifest = BackupManifest(perigee: version, createdAt: time.description, files: files)
      let archive = "\(stage.path)/archive"
      let bytes = try work.write(manifest, from: stage, to: archive, at: time)
      try work.checkTarget(path, replacing: isReplacing)
      guard rename(archive, path) == 0 else { throw BackupError.system("\(path) cannot be written") }
      try OpenFile.syncFolder(folder)
      return Backup(manifest: manifest, bytes: bytes, leftOut: leftOut)
    }
  }

  /// A path's folder and the last part of it.
  static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let folder = path[..<slash]
    return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
  }

  /// Files of a data directory that stand for processes which are there now, or are in the copies of the databases.
  static let passing: Set<String> = [
    "lock", "guests", "workers", "commands", "signals", "perigee.sqlite-wal", "perigee.sqlite-shm",
    "workspace.sqlite-wal", "workspace.sqlite-shm",
  ]
}

extension BackupWork {
  fileprivate func checkTarget(_ path: String, replacing isReplacing: Bool) throws {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw BackupError(.usage, "\(path) is there and is no file", hint: "name another one")
    }
    if !isReplacing {
      throw BackupError(
        .usage, "\(path) is there already", hint: "name another file, or replace this one with --force")
    }
  }

  /// Copies what belongs into a backup.
  fileprivate func stage(
    _ directory: String, in stage: TemporaryFolder
  ) throws -> (files: [BackupManifest.File], leftOut: [String]) {
    guard FileManager.default.fileExists(atPath: "\(directory)/\(SQLiteStore.fileName)") else {
      throw BackupError(
        .usage, "there is nothing to back up: \(directory) has no \(SQLiteStore.fileName)",
        hint: "name the data folder with --data (data.directory)")
    }
    var files = try copyDatabases(directory, to: stage)
    var leftOut: [String] = []
    for path in try names(in: directory).sorted() where !Backup.passing.contains(path) {
      if files.contains(where: { $0.path == path }) { continue }
      guard path == "cassettes" else {
        leftOut.append(path)
        continue
      }
      for path in try FileManager.default.subpathsOfDirectory(atPath: "\(directory)/cassettes").sorted() {
        let path = "cassettes/\(path)"
        var status = stat()
        guard lstat("\(directory)/\(path)", &status) == 0, status.st_mode & S_IFMT != S_IFDIR else {
          continue
        }
        guard status.st_mode & S_IFMT == S_IFREG, TarHeader(name: path, size: 0).block != nil else {
          leftOut.append(path)
          continue
        }
        files.append(try copyFile(directory, path, to: stage))
      }
    }
    return (files, leftOut)
  }

  private func names(in directory: String) throws -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: directory)
    } catch {
      throw BackupError(.usage, "\(directory) cannot be read")
    }
  }

  /// Copies both databases as they are at one moment.
  ///
  /// While the scripts' database is held for the blink in which both moments begin, no tool's row comes into it. So
  /// the host's database, whose moment lies in that blink, knows each call whose row is there, and has the result of
  /// none whose row is not.
  private func copyDatabases(
    _ directory: String, to stage: TemporaryFolder
  ) throws -> [BackupManifest.File] {
    report(BackupProgress(step: "waiting for a moment between two writes", share: nil))
    let host = try SQLiteFile("\(directory)/\(SQLiteStore.fileName)", .shared)
    let scriptsPath = "\(directory)/\(SQLiteScriptDatabase.fileName)"
    guard FileManager.default.fileExists(atPath: scriptsPath) else {
      try host.begin()
      return [try copy(host, named: SQLiteStore.fileName, to: stage)]
    }
    let (scripts, gate) = (try SQLiteFile(scriptsPath, .shared), try SQLiteFile(scriptsPath, .shared))
    try gate.hold(unless: cancellation)
    do {
      try scripts.begin()
      try host.begin()
    } catch {
      try? gate.release()
      throw error
    }
    try gate.release()
    return [
      try copy(host, named: SQLiteStore.fileName, to: stage),
      try copy(scripts, named: SQLiteScriptDatabase.fileName, to: stage),
    ]
  }

  private func copy(
    _ database: SQLiteFile, named name: String, to stage: TemporaryFolder
  ) throws -> BackupManifest.File {
    let path = try stage.place(for: name)
    try database.copy(to: path, unless: cancellation) {
      report(BackupProgress(step: "copying \(name)", share: $0))
    }
    try check(path, named: name, isQuick: true)
    let schema = try SQLiteFile(path, .frozen).schema(of: name)
    let file = try OpenFile.reading(path)
    let bytes = try file.sizeAtRest()
    var hash = SHA256()
    try read(file, bytes: bytes, step: "reading \(name)") { hash.update(data: $0) }
    return BackupManifest.File(
      path: name, bytes: bytes, sha256: hash.finalize().hexadecimal, schema: schema)
  }

  private func copyFile(
    _ directory: String, _ path: String, to stage: TemporaryFolder
  ) throws -> BackupManifest.File {
    let source = try OpenFile.reading("\(directory)/\(path)")
    let target = try OpenFile.new(try stage.place(for: path))
    // What is written behind it meanwhile belongs to a later moment.
    let bytes = try source.sizeAtRest()
    var hash = SHA256()
    try read(source, bytes: bytes, step: "copying \(path)") {
      hash.update(data: $0)
      try target.write($0)
    }
    return BackupManifest.File(path: path, bytes: bytes, sha256: hash.finalize().hexadecimal)
  }

  /// - Returns: How many bytes the archive has.
  fileprivate func write(
    _ manifest: BackupManifest, from stage: TemporaryFolder, to path: String, at time: Timestamp
  ) throws -> Int64 {
    let archive = try OpenFile.new(path)
    var total: Int64 = 0
    func put(_ bytes: [UInt8]) throws {
      try archive.write(bytes)
      total += Int64(bytes.count)
    }
    func begin(_ name: String, _ size: Int64) throws {
      let header = TarHeader(name: name, size: size, modifiedAt: time.milliseconds / 1000)
      guard let block = header.block else { throw BackupError(.usage, "the name '\(name)' is too long") }
      try put(block)
    }
    func end(_ size: Int64) throws { try put([UInt8](repeating: 0, count: TarHeader.padding(after: size))) }

    let text = manifest.json.bytes + [UInt8(ascii: "\n")]
    try begin(BackupManifest.fileName, Int64(text.count))
    try put(text)
    try end(Int64(text.count))
    for file in manifest.files {
      try begin(file.path, file.bytes)
      let source = try OpenFile.reading("\(stage.path)/\(file.path)")
      try read(source, bytes: file.bytes, step: "writing \(file.path)", put)
      try end(file.bytes)
    }
    try put([UInt8](repeating: 0, count: 2 * TarHeader.blockBytes))
    report(BackupProgress(step: "writing to the disk", share: nil))
    try archive.sync()
    return total
  }
}
