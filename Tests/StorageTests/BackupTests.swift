// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Testing

@testable import Storage

@Suite("Headers of a tar archive") struct TarHeaderTests {
  @Test("what is written is read again, for long names and for any size")
  func roundTrip() throws {
    let long = String(repeating: "folder/", count: 20) + String(repeating: "n", count: 100)
    for name in ["a", String(repeating: "n", count: 100), long, "cassettes/ü.jsonl"] {
      for size in [0, 1, 511, 512, 1 << 33 - 1, 1 << 33, TarHeader.sizeMax] as [Int64] {
        let header = TarHeader(name: name, size: size, modifiedAt: 1_700_000_000)
        let block = try #require(header.block)
        #expect(block.count == 512 && TarHeader(block: block) == header)
      }
    }
    for name in [
      "", String(repeating: "n", count: 101), long + "n", String(repeating: "d", count: 156) + "/n",
    ] {
      #expect(TarHeader(name: name, size: 0).block == nil)
    }
  }

  @Test("a block with any byte changed is refused")
  func checksum() throws {
    let block = try #require(TarHeader(name: "perigee.sqlite", size: 4096).block)
    for index in block.indices {
      var changed = block
      changed[index] ^= 0x11
      let header = TarHeader(block: changed)
      #expect(header == nil || header == TarHeader(block: block), "byte \(index)")
    }
  }

  @Test("sizes that are negative or beyond all bounds are refused")
  func sizes() throws {
    let block = try #require(TarHeader(name: "x", size: 1 << 40).block)
    for first: [UInt8] in [[0xFF, 0xFF], [0x80, 1], [0x81, 0]] {
      var changed = block
      changed.replaceSubrange(124..<126, with: first)
      let sum = changed.enumerated().reduce(0) {
        $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element))
      }
      let digits = String(sum, radix: 8)
      changed.replaceSubrange(
        148..<154, with: Array((String(repeating: "0", count: 6 - digits.count) + digits).utf8))
      #expect(TarHeader(block: changed) == nil)
    }
  }

  @Test("after a file stands what fills its last block")
  func padding() {
    #expect([0, 1, 511, 512, 513].map { TarHeader.padding(after: $0) } == [0, 511, 1, 0, 511])
  }
}

@Suite("Paths of a backup") struct BackupManifestTests {
  @Test("only the databases and what lies below cassettes/ can be in it")
  func paths() {
    for path in ["perigee.sqlite", "workspace.sqlite", "cassettes/a", "cassettes/a/b.jsonl", "cassettes/..a"]
    {
      #expect(BackupManifest.File.isOurs(path))
    }
    for path in [
      "", "/", "lock", "perigee.sqlite/", "/perigee.sqlite", "./perigee.sqlite", "cassettes", "cassettes/",
      "cassettes//a", "cassettes/../a", "cassettes/a/..", "../cassettes/a", "cassettes/./a", "cassettes/a\0b",
    ] {
      #expect(!BackupManifest.File.isOurs(path), "\(path)")
    }
  }
}

@Suite("A backup of databases") struct BackupTests {
  private func make(_ directory: String, _ file: String) async throws -> Backup {
    try await Backup.make(
      of: directory, to: file, replacing: false, version: "1", at: Timestamp(milliseconds: 0),
      progress: { _ in })
  }

  @Test("one that a newer Perigee has worked on is refused, whatever the manifest says")
  func newer() async throws {
    for (name, change) in [
      (SQLiteStore.fileName, "INSERT INTO grdb_migrations VALUES ('9999 later')"),
      (SQLiteScriptDatabase.fileName, "PRAGMA user_version = 9999"),
    ] {
      let folder = try TemporaryFolder(in: FileManager.default.temporaryDirectory.path, name: "backup")
      defer { folder.remove() }
      let directory = folder.path + "/data"
      try await SQLiteStore.open(directory: directory).close()
      await (try SQLiteScriptDatabase.open(directory: directory)).close()
      let database = try SQLiteFile("\(directory)/\(name)", .shared)
      #expect(try database.schema(of: name) == BackupManifest.schema(of: name))
      try database.run(change)
      let backup = try await make(directory, folder.path + "/b.tar")
      #expect(backup.manifest.files.first { $0.path == name }?.schema == 9999)
      let error = await #expect(throws: BackupError.self) {
        try await Restoration.unpack(folder.path + "/b.tar", beside: folder.path + "/new", progress: { _ in })
      }
      #expect(error?.message.contains("is at schema 9999") == true)
    }
  }

  @Test("a copy is of the moment at which it began, whatever is written meanwhile")
  func snapshot() throws {
    let folder = try TemporaryFolder(in: FileManager.default.temporaryDirectory.path, name: "backup")
    defer { folder.remove() }
    let path = folder.path + "/a.sqlite"
    let writer = try SQLiteFile(path, .new)
    try writer.run("PRAGMA journal_mode = WAL; CREATE TABLE t (n); INSERT INTO t VALUES (1)")
    let reader = try SQLiteFile(path, .shared)
    try reader.begin()
    try writer.run("INSERT INTO t VALUES (2); PRAGMA wal_checkpoint")
    try reader.copy(to: folder.path + "/b.sqlite", unless: CancellationFlag()) { _ in }
    let copy = try SQLiteFile(folder.path + "/b.sqlite", .frozen)
    #expect(try copy.rows("SELECT n FROM t") { $0.integer(0) } == [1])
    #expect(try copy.complaints(isQuick: false, unless: CancellationFlag()) == [])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).contains("b.sqlite-wal") == false)
  }

  @Test("what is cancelled leaves nothing")
  func cancelled() async throws {
    let folder = try TemporaryFolder(in: FileManager.default.temporaryDirectory.path, name: "backup")
    defer { folder.remove() }
    let directory = folder.path + "/data"
    try await SQLiteStore.open(directory: directory).close()
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      _ = try await make(directory, folder.path + "/b.tar")
    }
    let result = await task.result
    #expect(throws: CancellationError.self) { try result.get() }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["data"])
  }
}
