// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Testing

@testable import perigee

@Suite("Shares of a data folder", .timeLimit(.minutes(2)))
struct DataLeaseTests {
  private let folder: Folder

  init() throws { folder = try Folder() }

  /// Somebody who is alone in it, as a server that begins or a restore is.
  private func holder() throws -> Int32 {
    let descriptor = open(folder.path + "/lock", O_CREAT | O_RDWR, 0o600)
    try #require(descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    return descriptor
  }

  private func isHeld(_ directory: String) throws -> Bool {
    let descriptor = open(directory + "/lock", O_RDWR)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    return flock(descriptor, LOCK_EX | LOCK_NB) != 0
  }

  /// Returns when nobody holds it any more: a process that another test starts has every file until it is its own.
  private func isLetGo(_ directory: String) async throws {
    while try isHeld(directory) {
      try Task.checkCancellation()
      await Task.yield()
    }
  }

  /// Returns when somebody waits for the file. Source: proc(5), /proc/locks.
  private func isWaited(for descriptor: Int32) async throws {
    var file = stat()
    try #require(fstat(descriptor, &file) == 0)
    while true {
      try Task.checkCancellation()
      await Task.yield()
      let locks = try String(contentsOfFile: "/proc/locks", encoding: .utf8)
      if locks.split(separator: "\n").contains(where: { $0.contains("->") && $0.contains(":\(file.st_ino) ") }
      ) {
        return
      }
    }
  }

  /// On a thread of its own, for it blocks.
  private func taking() -> AsyncThrowingStream<DataLease, any Error> {
    let (stream, taken) = AsyncThrowingStream<DataLease, any Error>.makeStream()
    Thread.detachNewThread { [path = folder.path] in
      do {
        taken.yield(try DataLease.take(path))
        taken.finish()
      } catch {
        taken.finish(throwing: error)
      }
    }
    return stream
  }

  @Test("whoever comes while another is alone waits, and then has a share")
  func waits() async throws {
    let other = try holder()
    let taken = taking()
    try await isWaited(for: other)
    close(other)
    let lease = try #require(try await taken.first { _ in true })
    #expect(!lease.isFirst)
    #expect(try isHeld(folder.path))
    lease.giveBack()
    try await isLetGo(folder.path)
  }

  @Test("a command that opens the store has a share as long as it runs, and no restore comes between")
  func commands() async throws {
    let workspace = try Folder(["agents/a.lua": "return { prompt = 'p' }"])
    let data = folder.path + "/data"
    let words = ["--workspace", workspace.path, "--data", data]
    let archive = folder.path + "/backup.tar"
    #expect(try await perigee(["runs"] + words).status == 0)
    #expect(try await perigee(["backup", archive] + words).status == 0)
    try await WorkspaceOptions.parse(words).withStore { _, directory in
      #expect(directory == data)
      #expect(try await DataLease.ifAlone(directory) {} == nil)
      // A server that begins is still the first: no run is this command's.
      let server = try DataLease.take(directory)
      #expect(server.isFirst)
      server.giveBack()
      let restore = try await perigee(["restore", archive, "--force"] + words)
      #expect(restore.status == 2 && restore.errors.contains("a command is at work"), "\(restore.errors)")
      let doctor = try await perigee(["doctor"] + words)
      #expect((doctor.output + doctor.errors).contains("a command (process"), "\(doctor.output)")
    }
    #expect(try await DataLease.ifAlone(data) {} != nil)
    let restore = try await perigee(["restore", archive, "--force"] + words)
    #expect(restore.status == 0, "\(restore.errors)")
  }

  @Test("a folder that was replaced meanwhile is taken as it is now")
  func replaced() async throws {
    let other = try holder()
    let taken = taking()
    try await isWaited(for: other)
    let old = folder.path + ".old"
    defer { try? FileManager.default.removeItem(atPath: old) }
    try FileManager.default.moveItem(atPath: folder.path, toPath: old)
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: false)
    close(other)
    let lease = try #require(try await taken.first { _ in true })
    #expect(lease.isFirst)
    #expect(try isHeld(folder.path))
    try await isLetGo(old)
    lease.giveBack()
  }
}
