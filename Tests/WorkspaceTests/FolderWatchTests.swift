// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Workspace

@Suite("FolderWatch", .timeLimit(.minutes(5)))
struct FolderWatchTests {
  private let folder = TestFolder(["agents/a.lua": "a", "perigee.yaml": ""])

  /// Reads a watch.
  private struct Reader {
    private var batches: FolderWatch.Iterator

    init(_ path: String) async throws {
      batches = FolderWatch(path, scope: .workspace).makeAsyncIterator()
      let first = try await batches.next()
      #expect(first == FolderWatch.Batch(paths: [], isWhole: true))
    }

    /// The paths of the next batches, until all of these were told; `*` stands for everything.
    mutating func told(_ expected: String...) async throws -> Set<String> {
      var told: Set<String> = []
      while !told.isSuperset(of: expected), let batch = try await batches.next() {
        told.formUnion(batch.paths)
        if batch.isWhole { told.insert("*") }
      }
      return told
    }
  }

  @Test("a file that is written, replaced, renamed, linked or removed is told, and nothing else")
  func files() async throws {
    var watch = try await Reader(folder.path)
    folder.write("agents/a.lua", "b")
    #expect(try await watch.told("agents/a.lua") == ["agents/a.lua"])
    folder.write("agents/.a.lua.tmp", "c")
    folder.move("agents/.a.lua.tmp", "agents/a.lua")
    #expect(try await watch.told("agents/a.lua").isSubset(of: ["agents/a.lua", "agents/.a.lua.tmp"]))
    folder.move("agents/a.lua", "agents/b.lua")
    #expect(try await watch.told("agents/a.lua", "agents/b.lua").count == 2)
    folder.remove("agents/b.lua")
    #expect(try await watch.told("agents/b.lua") == ["agents/b.lua"])
    folder.write("other/x.lua", "not of the workspace")
    folder.write("perigee.yaml", "log: {}")
    #expect(try await watch.told("perigee.yaml") == ["perigee.yaml"])
  }

  @Test("folders that come later are watched, with all that is in them")
  func folders() async throws {
    var watch = try await Reader(folder.path)
    folder.write("tools/deep/er/t.lua", "1")
    #expect(try await watch.told("tools").contains("tools"))
    folder.write("tools/deep/er/t.lua", "2")
    #expect(try await watch.told("tools/deep/er/t.lua").contains("tools/deep/er/t.lua"))
    folder.move("tools/deep", "lib")
    #expect(try await watch.told("tools/deep", "lib").count >= 2)
    folder.write("lib/er/t.lua", "3")
    #expect(try await watch.told("lib/er/t.lua") == ["lib/er/t.lua"])
  }

  @Test("a link to a file of the workspace changes with what it leads to")
  func links() async throws {
    folder.write("shared/s.lua", "1")
    folder.link("agents/s.lua", to: "../shared/s.lua")
    var watch = try await Reader(folder.path)
    folder.write("shared/s.lua", "2")
    #expect(try await watch.told("shared/s.lua") == ["shared/s.lua"])
  }

  @Test("many changes at once are few batches")
  func burst() async throws {
    var batches = FolderWatch(folder.path, scope: .workspace).makeAsyncIterator()
    _ = try await batches.next()
    for number in 0..<500 { folder.write("agents/f\(number).lua", "x") }
    var told: Set<String> = []
    var count = 0
    while told.count < 500, let batch = try await batches.next() {
      told.formUnion(batch.paths.filter { $0.hasPrefix("agents/f") })
      count += 1
    }
    #expect(count < 50)
  }

  @Test("a folder that is made anew, or a link to it that leads elsewhere, is looked at whole")
  func replaced() async throws {
    let other = TestFolder(["agents/a.lua": "other"])
    let link = folder.path + "-link"
    defer { try? FileManager.default.removeItem(atPath: link) }
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path)
    var watch = try await Reader(link)
    try FileManager.default.createSymbolicLink(atPath: link + ".new", withDestinationPath: other.path)
    #expect(rename(link + ".new", link) == 0)
    #expect(try await watch.told("*").contains("*"))
    other.write("agents/a.lua", "changed")
    #expect(try await watch.told("agents/a.lua") == ["agents/a.lua"])
  }

  @Test("when the system has forgotten what happened, everything has to be looked at")
  func overflow() async throws {
    let limit = try String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8)
    let events = (Int(limit.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 16_384) + 1_000
    let notifier = try FolderNotifier(folder.path, .workspace)
    let (batches, told) = AsyncStream<FolderWatch.Batch>.makeStream()
    let flooded = DispatchSemaphore(value: 0)
    let isFirst = Atomic(true)
    Thread.detachNewThread {
      try? notifier.run { batch in
        told.yield(batch)
        // The thread of the watch is held, and the queue fills.
        if isFirst.exchange(false, ordering: .relaxed) { flooded.wait() }
      }
      told.finish()
    }
    var iterator = batches.makeAsyncIterator()
    #expect(await iterator.next()?.isWhole == true)
    for number in 0..<events {
      // Two names in turn: events that are the same as the one before are not kept twice.
      folder.touch("agents/\(number % 2 == 0 ? "x" : "y").lua")
    }
    flooded.signal()
    #expect(await iterator.next()?.isWhole == true)
    notifier.stop()
    #expect(await iterator.next() == nil)
  }

  @Test("a watch that nobody reads any more ends, and its thread with it")
  func ends() async throws {
    let folder = folder
    let task = Task {
      for try await _ in FolderWatch(folder.path, scope: .workspace) {}
      return true
    }
    task.cancel()
    #expect(try await task.value)
  }
}

/// A folder of a test, gone after it.
final class TestFolder: Sendable {
  let path = FileManager.default.temporaryDirectory.path + "/perigee-" + UUID().uuidString

  init(_ files: [String: String]) {
    for (name, text) in files { write(name, text) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes in place.
  func write(_ name: String, _ text: String) {
    let url = URL(filePath: "\(path)/\(name)")
    try? FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    #expect(throws: Never.self) { try Data(text.utf8).write(to: url) }
  }

  func move(_ name: String, _ other: String) { #expect(rename("\(path)/\(name)", "\(path)/\(other)") == 0) }
  func remove(_ name: String) { #expect(unlink("\(path)/\(name)") == 0) }
  func touch(_ name: String) { close(open("\(path)/\(name)", O_CREAT | O_WRONLY, 0o600)) }

  func link(_ name: String, to target: String) {
    #expect(symlink(target, "\(path)/\(name)") == 0)
  }
}
