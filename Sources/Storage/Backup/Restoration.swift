// SPDX-License-Identifier: Apache-2.0
public import Core

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

/// A backup that was unpacked beside a data directory and looked through, to be put in its place or not.
public struct Restoration: Sendable {
  public let manifest: BackupManifest
  /// The data directory, without links.
  public let directory: String
  private let stagePath: String

  /// Unpacks an archive, and looks through its databases.
  ///
  /// - Throws: ``BackupError``; `CancellationError` when the task was cancelled. Then nothing is left behind.
  public static func unpack(
    _ archive: String, beside directory: String,
    progress: @escaping @Sendable (BackupProgress) -> Void
  ) async throws -> Restoration {
    try await BackupWork.perform(progress: progress) { work in
      let directory = resolved(directory)
      let (parent, name) = Backup.split(directory)
      let reader = try BackupArchive(archive, work)
      let manifest = try reader.manifest()
      try checkRoom(for: manifest, in: parent)
      let stage = try TemporaryFolder(in: parent, name: name)
      do {
        try reader.unpack(manifest, into: stage)
        for file in manifest.files where BackupManifest.schema(of: file.path) != nil {
          try work.check("\(stage.path)/\(file.path)", named: file.path, isQuick: false)
          try checkSchema(of: file.path, in: stage)
        }
        try giveToOwner(of: directory, or: parent, stage.path)
        try syncFolders(stage.path)
      } catch {
        stage.remove()
        throw error
      }
      return Restoration(manifest: manifest, directory: directory, stagePath: stage.path)
    }
  }

  /// Forgets what was unpacked.
  public func discard() async {
    let path = stagePath
    try? await BackupWork.perform { _ in try FileManager.default.removeItem(atPath: path) }
  }

  /// Gives the unpacked directory the data directory's name. Whatever happens, that name stands for all of the old
  /// directory or all of the new one; where it is the old one, what was unpacked is gone.
  ///
  /// - Parameter time: Becomes part of the name that a directory gets which was there.
  /// - Returns: That name; `nil` where there was none, or nothing in it but lock files.
  public func putInPlace(at time: Timestamp) async throws -> String? {
    let restoration = self
    return try await BackupWork.perform { _ in try restoration.swap(at: time) }
  }

  /// Whether a data directory holds anything but lock files.
  public static func isEmpty(_ directory: String) async throws -> Bool {
    try await BackupWork.perform { _ in try names(in: resolved(directory)).isEmpty }
  }

  /// Files that tell who is at work, and hold nothing.
  private static let marks = ["lock", "guests", "workers", "commands", "signals"]

  /// - Returns: Whether there was nothing in it but marks.
  private static func removeEmpty(_ directory: String) -> Bool {
    guard (try? names(in: directory))?.isEmpty == true else { return false }
    for mark in marks { try? FileManager.default.removeItem(atPath: "\(directory)/\(mark)") }
    return rmdir(directory) == 0
  }

  private static func names(in directory: String) throws -> [String] {
    guard FileManager.default.fileExists(atPath: directory) else { return [] }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: directory).filter {
        !marks.contains($0)
      }
    } catch {
      throw BackupError(.usage, "\(directory) cannot be read", hint: "check that the folder is yours")
    }
  }

  /// A link to a directory stays: what it leads to is replaced.
  private static func resolved(_ directory: String) -> String {
    var path = directory
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  private static func checkRoom(for manifest: BackupManifest, in parent: String) throws {
    if !FileManager.default.fileExists(atPath: parent) {
      do {
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
      } catch {
        throw BackupError(.usage, "\(parent) cannot be made", hint: "choose another folder with --data")
      }
    }
    guard let free = DiskSpace.free(at: parent), free < manifest.bytes else { return }
    throw BackupError(
      .usage, "\(parent) has room for \(free) bytes, and the backup has \(manifest.bytes)",
      hint: "make room, or choose another folder with --data")
  }

  /// The manifest may say what it likes: the database itself counts.
  private static func checkSchema(of name: String, in stage: TemporaryFolder) throws {
    let schema = try SQLiteFile("\(stage.path)/\(name)", .frozen).schema(of: name)
    guard let known = BackupManifest.schema(of: name), schema > known else { return }
    throw BackupError(
      .damaged, "\(name) is at schema \(schema), and this Perigee knows up to \(known)",
      hint: "restore it with the Perigee that wrote it, or a later one")
  }

  /// What root puts back belongs to whom the old folder belonged, or the one above it: it is not root that serves.
  private static func giveToOwner(of directory: String, or parent: String, _ root: String) throws {
    var owner = stat()
    guard geteuid() == 0, stat(directory, &owner) == 0 || stat(parent, &owner) == 0 else { return }
    for path in try [root] + FileManager.default.subpathsOfDirectory(atPath: root).map({ "\(root)/\($0)" })
    where lchown(path, owner.st_uid, owner.st_gid) != 0 {
      throw BackupError.system("\(path) cannot be given to user \(owner.st_uid)")
    }
  }

  private static func syncFolders(_ root: String) throws {
    for path in try FileManager.default.subpathsOfDirectory(atPath: root) {
      var isFolder = false
      let whole = "\(root)/\(path)"
      if FileManager.default.fileExists(atPath: whole, isDirectory: &isFolder), isFolder {
        try OpenFile.syncFolder(whole)
      }
    }
    try OpenFile.syncFolder(root)
  }

  private func swap(at time: Timestamp) throws -> String? {
    let (parent, _) = Backup.split(directory)
    let isThere = FileManager.default.fileExists(atPath: directory)
    do {
      if isThere {
        try Self.exchange(stagePath, directory)
      } else if rename(stagePath, directory) != 0 {
        throw BackupError.system("\(directory) cannot be made")
      }
    } catch {
      try? FileManager.default.removeItem(atPath: stagePath)
      throw error
    }
    // From here on the backup is in its place, and what was there is under the other name; until now somebody may have
    // begun to work in it.
    var aside: String?
    if isThere, !Self.removeEmpty(stagePath) {
      aside = Self.unused("\(directory).before-restore-\(time.compact)")
      if let aside, rename(stagePath, aside) != 0 {
        throw BackupError.system("the backup is in its place, but the old folder is still at \(stagePath)")
      }
    }
    try OpenFile.syncFolder(parent)
    return aside
  }

  private static func unused(_ path: String) -> String {
    var (candidate, number) = (path, 1)
    while FileManager.default.fileExists(atPath: candidate) {
      number += 1
      candidate = "\(path)-\(number)"
    }
    return candidate
  }

  /// Gives each of two directories the other's name, in one step where the file system can.
  ///
  /// Source: rename(2). What the Linux headers keep for GNU programs is not seen from Swift.
  private static func exchange(_ new: String, _ old: String) throws {
    let hint = "the data folder may not be a mount point: make it a folder of what is mounted"
    // SAFETY: the type is that of rename(2), for `renameat2`.
    typealias Rename =
      @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32
    if let symbol = dlsym(nil, "renameat2") {
      let rename = unsafeBitCast(symbol, to: Rename.self)
      let exchange: UInt32 = 2
      if rename(AT_FDCWD, new, AT_FDCWD, old, exchange) == 0 { return }
      guard [ENOSYS, EINVAL].contains(errno) else {
        throw BackupError.system("\(old) cannot be replaced", hint: hint)
      }
    }
    let between = unused(new + ".old")
    guard rename(old, between) == 0 else { throw BackupError.system("\(old) cannot be replaced", hint: hint) }
    guard rename(new, old) == 0 else {
      let error = BackupError.system("\(old) cannot be replaced", hint: hint)
      _ = rename(between, old)
      throw error
    }
    guard rename(between, new) == 0 else {
      throw BackupError.system("the backup is in its place, but the old folder is still at \(between)")
    }
  }
}

extension Timestamp {
  /// As a part of a file's name: `20261121T093000Z`.
  fileprivate var compact: String {
    description.prefix { $0 != "." }.filter { $0 != "-" && $0 != ":" } + "Z"
  }
}
