// SPDX-License-Identifier: Apache-2.0
import Crypto

/// An archive as it is read, from its manifest to its end; nothing in it is believed.
final class BackupArchive {
  private let file: OpenFile
  private let work: BackupWork

  init(_ path: String, _ work: BackupWork) throws {
    file = try OpenFile.reading(path)
    self.work = work
  }

  private static let cut = BackupError(
    .damaged, "the archive ends in its middle", hint: "copy it again from where it was made")

  /// The next header; `nil` at the archive's end, behind which only zeros may stand.
  private func next() throws -> TarHeader? {
    let block = try file.read(TarHeader.blockBytes)
    guard block.count == TarHeader.blockBytes else { throw Self.cut }
    if block.allSatisfy({ $0 == 0 }) {
      guard try file.read(TarHeader.blockBytes).count == TarHeader.blockBytes else { throw Self.cut }
      return nil
    }
    guard let header = TarHeader(block: block) else {
      throw BackupError(.damaged, "the archive is damaged, or is no tar archive")
    }
    return header
  }

  private func skipPadding(after size: Int64) throws {
    let count = TarHeader.padding(after: size)
    guard try file.read(count).count == count else { throw Self.cut }
  }

  /// Reads the manifest, which is first.
  func manifest() throws -> BackupManifest {
    guard let header = try next(), header.name == BackupManifest.fileName, header.kind == .file,
      header.size <= BackupManifest.bytesMax
    else {
      throw BackupError(
        .damaged, "the archive does not begin with manifest.json",
        hint: "is it one that 'perigee backup' wrote?")
    }
    let bytes = try file.read(Int(header.size))
    guard bytes.count == Int(header.size) else { throw Self.cut }
    try skipPadding(after: header.size)
    return try BackupManifest(parsing: bytes)
  }

  /// Writes all files of the manifest into a folder, each with the size and the checksum that stand there.
  ///
  /// - Throws: ``BackupError`` for anything that the manifest does not name, links included, for what is missing, and
  ///   for an archive that is cut off.
  func unpack(_ manifest: BackupManifest, into folder: TemporaryFolder) throws {
    var expected = Dictionary(manifest.files.map { ($0.path, $0) }) { first, _ in first }
    while let header = try next() {
      guard header.kind == .file, let entry = expected.removeValue(forKey: header.name) else {
        throw BackupError(
          .damaged, "the archive holds '\(header.name)', which its manifest does not name as a file")
      }
      guard header.size == entry.bytes else {
        throw BackupError(.damaged, "\(entry.path) has another size than the manifest says")
      }
      try unpack(entry, into: folder)
    }
    if let missing = expected.keys.min() { throw BackupError(.damaged, "the archive has no \(missing)") }
  }

  private func unpack(_ entry: BackupManifest.File, into folder: TemporaryFolder) throws {
    let target = try OpenFile.new(try folder.place(for: entry.path))
    var hash = SHA256()
    var left = entry.bytes
    while left > 0 {
      try work.checkCancellation()
      let piece = try file.read(Int(min(left, Int64(OpenFile.chunkBytes))))
      guard !piece.isEmpty else { throw Self.cut }
      hash.update(data: piece)
      try target.write(piece)
      left -= Int64(piece.count)
      work.report(
        BackupProgress(step: "unpacking \(entry.path)", share: 1 - Double(left) / Double(entry.bytes)))
    }
    guard hash.finalize().hexadecimal == entry.sha256.lowercased() else {
      throw BackupError(
        .damaged, "\(entry.path) is not what was backed up: its checksum is another",
        hint: "copy the archive again from where it was made")
    }
    try skipPadding(after: entry.bytes)
    try target.sync()
  }
}
