// SPDX-License-Identifier: Apache-2.0
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
    #expect(try !isHeld(folder.path))
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
    #expect(try isHeld(folder.path) && !isHeld(old))
    lease.giveBack()
  }
}
