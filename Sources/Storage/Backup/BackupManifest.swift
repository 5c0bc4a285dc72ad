// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// What a backup holds: the first file of the archive, `manifest.json`.
public struct BackupManifest: Sendable, Hashable {
  /// One file of the data directory.
  public struct File: Sendable, Hashable {
    /// Below the data directory, with `/`.
    public var path: String
    public var bytes: Int64
    /// Of its content, in hexadecimal.
    public var sha256: String
    /// Of a database, the step that its tables are at.
    public var schema: Int64?
  }

  static let fileName = "manifest.json"
  /// Of the archive; another one is refused.
  static let format: Int64 = 1
  static let bytesMax: Int64 = 16 << 20
  private static let filesMax = 100_000

  /// Version of the Perigee that wrote it.
  public var perigee: String
  /// The one moment that all of it is of.
  public var createdAt: String
  public var files: [File]

  public var bytes: Int64 {
    files.reduce(0) {
      let (sum, isBeyond) = $0.addingReportingOverflow($1.bytes)
      return isBeyond ? .max : sum
    }
  }

  public var json: RawJSON {
    var writer = JSONWriter()
    writer.object {
      $0.member("format", Self.format)
      $0.member("perigee", perigee)
      $0.member("created_at", createdAt)
      $0.key("files")
      $0.array { writer in
        for file in files {
          writer.object {
            $0.member("path", file.path)
            $0.member("bytes", file.bytes)
            $0.member("sha256", file.sha256)
            if let schema = file.schema { $0.member("schema", schema) }
          }
        }
      }
    }
    return writer.raw
  }

  init(perigee: String, createdAt: String, files: [File]) {
    self.perigee = perigee
    self.createdAt = createdAt
    self.files = files
  }

  /// Reads a manifest that somebody may have written who means harm.
  ///
  /// - Throws: ``BackupError`` for what is no manifest, one of another format or of a newer Perigee's tables, and a
  ///   path that a backup never has.
  init(parsing bytes: [UInt8]) throws {
    guard let json = try? JSON(parsing: bytes), let format = json["format"]?.integer else {
      throw BackupError(.damaged, "the archive's manifest.json cannot be read")
    }
    guard format == Self.format else {
      throw BackupError(
        .damaged, "the archive has format \(format), and this Perigee reads \(Self.format)",
        hint: "restore it with the Perigee that wrote it: \(json["perigee"]?.string ?? "unknown")")
    }
    guard let perigee = json["perigee"]?.string, let createdAt = json["created_at"]?.string,
      let list = json["files"]?.array, list.count <= Self.filesMax
    else { throw BackupError(.damaged, "the archive's manifest.json is not whole") }
    self.init(perigee: perigee, createdAt: createdAt, files: try list.map(File.init(parsing:)))
    guard Set(files.map(\.path)).count == files.count else {
      throw BackupError(.damaged, "the archive's manifest.json names a file more than once")
    }
    guard files.contains(where: { $0.path == SQLiteStore.fileName }) else {
      throw BackupError(.damaged, "the archive has no \(SQLiteStore.fileName)")
    }
    try refuseNewer()
  }

  private func refuseNewer() throws {
    for file in files {
      guard let known = Self.schema(of: file.path), let schema = file.schema, schema > known else { continue }
      throw BackupError(
        .damaged,
        "\(file.path) is at schema \(schema), and this Perigee knows up to \(known)",
        hint: "restore it with Perigee \(perigee) or a later one")
    }
  }

  /// The last step of a database's tables that this Perigee knows.
  static func schema(of path: String) -> Int64? {
    switch path {
    case SQLiteStore.fileName: Migrations.last
    case SQLiteScriptDatabase.fileName: ScriptConnection.version
    default: nil
    }
  }
}

extension BackupManifest.File {
  fileprivate init(parsing json: JSON) throws {
    guard let path = json["path"]?.string, let bytes = json["bytes"]?.integer,
      (0...TarHeader.sizeMax).contains(bytes), let sha256 = json["sha256"]?.string, sha256.utf8.count == 64
    else { throw BackupError(.damaged, "the archive's manifest.json is not whole") }
    guard Self.isOurs(path) else {
      throw BackupError(.damaged, "the archive names '\(path)', which no backup holds")
    }
    self.init(path: path, bytes: bytes, sha256: sha256, schema: json["schema"]?.integer)
  }

  /// Whether a backup has such a file: the databases, and what lies below `cassettes/`.
  static func isOurs(_ path: String) -> Bool {
    if [SQLiteStore.fileName, SQLiteScriptDatabase.fileName].contains(path) { return true }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count > 1 && parts[0] == "cassettes" && !path.utf8.contains(0)
      && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
  }
}
