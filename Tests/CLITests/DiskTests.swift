// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import JSONCodec
import TestSupport
import Testing

/// Disks that are full, cannot be written, or have lost a page.
@Suite("Disks that fail", .timeLimit(.minutes(5)))
struct DiskTests {
  private static let files = [
    "agents/a.lua": """
    return { tools = { "add", "count" }, run = function(ctx, input)
      if input.message == "count" then return tostring(tools.call("count")) end
      return "row " .. tools.call("add", { text = ("x"):rep(20000) })
    end }
    """,
    "tools/t.lua": """
    return {
      schema = "create table t (id integer primary key, text text)",
      add = { description = "d", parameters = { text = "string" }, access = { db = "write" },
        run = function(ctx, args) return db.exec("insert into t (text) values (?)", args.text).last_insert_id end },
      count = { description = "d", effect = "read", access = { db = "read" },
        run = function() return db.query("select count(*) as n from t")[1].n end },
    }
    """,
  ]

  /// A disk of a few megabytes, which only the server sees; it needs a kernel that lets us make one.
  private struct SmallDisk {
    let folder: Folder
    let ballast: Int

    static let isAvailable: Bool = {
      guard
        let probe = try? ChildProcess(
          "/usr/bin/unshare", ["-rm", "/bin/mount", "-t", "tmpfs", "none", "/mnt"], environment: [:])
      else { return false }
      var status: Int32 = 0
      return waitpid(probe.identifier, &status, 0) == probe.identifier && status == 0
    }()

    init(ballast: Int) throws {
      folder = try Folder()
      self.ballast = ballast
    }

    /// Mounts it and starts what follows on it, in the same process.
    var wrapper: [String] {
      [
        "/usr/bin/unshare", "-rm", "/bin/sh", "-c",
        "mount -t tmpfs -o size=4m none \(folder.path) && head -c \(ballast) /dev/zero > \(folder.path)/ballast && exec \"$0\" \"$@\"",
      ]
    }

    func free(_ server: RunningServer) async throws {
      let process = try ChildProcess(
        "/usr/bin/nsenter",
        ["-t", "\(server.identifier)", "-U", "-m", "--preserve-credentials", "rm", "\(folder.path)/ballast"],
        environment: [:])
      #expect(await process.end() == 0)
    }
  }

  private static func answers(_ server: RunningServer) async throws -> [String] {
    var (answers, after): ([String], String) = ([], "")
    while true {
      let page = try await server.get("/v1/sessions/s/messages?limit=200\(after)").json
      answers += (page["data"]?.array ?? []).filter { $0["role"] == "assistant" && $0["error"] == .null }
        .compactMap { $0["content"]?.string }
      guard let next = page["next"]?.string else { return answers }
      after = "&after=\(next)"
    }
  }

  @Test(
    "on a full disk what cannot be kept is not answered, and it goes on when there is room",
    .enabled(if: SmallDisk.isAvailable))
  func full() async throws {
    let workspace = try Folder(Self.files)
    let disk = try SmallDisk(ballast: 1_500_000)
    let server = try await RunningServer(
      workspace: workspace.path, data: disk.folder.path, wrapper: disk.wrapper)
    var kept: [String] = []
    while true {
      let answer = try await server.chat("a", "add", session: "s")
      guard answer.status == 200 else {
        #expect(answer.status == 500 && answer.json["code"] == "internal", "\(answer.text)")
        break
      }
      kept.append(answer.json["response"]?.string ?? "")
    }
    try #require(kept.count > 2)
    #expect(try await Self.answers(server) == kept)
    try await disk.free(server)
    // A turn that could not be closed is closed by the next one.
    let next = try await server.chat("a", "add", session: "s")
    #expect(next.status == 200, "\(next.text)")
    kept.append(next.json["response"]?.string ?? "")
    #expect(try await Self.answers(server) == kept)
    #expect(Set(kept).count == kept.count)
    let stopped = await server.stop()
    #expect(stopped.status == 0 && stopped.log.contains("the database is full"))
  }

  @Test(
    "on a disk that cannot be written the server says so and does not start",
    .enabled(if: SmallDisk.isAvailable))
  func readOnly() async throws {
    let workspace = try Folder(Self.files)
    let data = try Folder()
    let server = try await RunningServer(workspace: workspace.path, data: data.path)
    _ = try await server.chat("a", "add", session: "s")
    await server.stop()
    let process = try ChildProcess(
      "/usr/bin/unshare",
      [
        "-rm", "/bin/sh", "-c",
        "mount --bind \(data.path) \(data.path) && mount -o remount,bind,ro \(data.path) && exec \"$0\" \"$@\"",
        PerigeeBinary.url.path, "serve", "--workspace", workspace.path, "--data", data.path, "--port", "0",
      ], environment: PerigeeBinary.environment([:]))
    process.send(input: "")
    let errors = await process.errors.text()
    #expect(await process.end() != 0)
    #expect(
      errors.hasPrefix("error: \(data.path)/lock cannot be opened for writing: Read-only file system"),
      "\(errors)")
  }

  /// Data of some turns, with the server stopped.
  private static func written(_ workspace: Folder) async throws -> (data: Folder, answers: [String]) {
    let data = try Folder()
    let server = try await RunningServer(workspace: workspace.path, data: data.path)
    for _ in 0..<40 { _ = try await server.chat("a", "add", session: "s") }
    let answers = try await answers(server)
    await server.stop()
    return (data, answers)
  }

  private static func ruin(_ file: String, in folder: Folder) throws {
    let handle = try FileHandle(forUpdating: URL(filePath: "\(folder.path)/\(file)"))
    let size = try handle.seekToEnd()
    try handle.seek(toOffset: size - 4096)
    try handle.write(contentsOf: Data((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ 13) }))
    try handle.close()
  }

  @Test("a lost page is found and told, and nothing is written over what is left")
  func lostPage() async throws {
    let workspace = try Folder(Self.files)
    for file in ["perigee.sqlite", "workspace.sqlite"] {
      let (data, _) = try await Self.written(workspace)
      try Self.ruin(file, in: data)
      let before = try Data(contentsOf: URL(filePath: "\(data.path)/\(file)"))
      let server = try await RunningServer(workspace: workspace.path, data: data.path)
      while try await server.chat("a", "add", session: "t").status == 200 {}
      if file == "perigee.sqlite" {
        let ready = try await server.get("/health/ready")
        #expect(ready.status == 503 && ready.json["parts"]?["store"]?["status"] != "ok", "\(ready.text)")
      }
      let stopped = await server.stop()
      #expect(
        stopped.log.contains("\(file): the database is damaged, so nothing is written"), "\(stopped.log)")
      if file == "workspace.sqlite" {
        #expect(try Data(contentsOf: URL(filePath: "\(data.path)/\(file)")).count == before.count)
      }
    }
  }

  @Test("the file alone is all there is once the server has stopped")
  func fileAlone() async throws {
    let workspace = try Folder(Self.files)
    let (data, answers) = try await Self.written(workspace)
    let copy = try Folder()
    for file in ["perigee.sqlite", "workspace.sqlite"] {
      try FileManager.default.copyItem(atPath: "\(data.path)/\(file)", toPath: "\(copy.path)/\(file)")
    }
    let server = try await RunningServer(workspace: workspace.path, data: copy.path)
    #expect(try await Self.answers(server) == answers && answers.count == 40)
    #expect(try await server.chat("a", "count", session: "t").json["response"] == "40")
    await server.stop()
  }

  @Test("a torn end of the log costs its last writes at most")
  func tornLog() async throws {
    let workspace = try Folder(Self.files)
    let data = try Folder()
    let first = try await RunningServer(workspace: workspace.path, data: data.path)
    for _ in 0..<20 { _ = try await first.chat("a", "add", session: "s") }
    let answers = try await Self.answers(first)
    await first.stop(signal: SIGKILL)
    try Self.ruin("perigee.sqlite-wal", in: data)
    let second = try await RunningServer(workspace: workspace.path, data: data.path)
    let left = try await Self.answers(second)
    #expect(left.count >= answers.count - 1 && left == Array(answers.prefix(left.count)))
    #expect(try await second.chat("a", "add", session: "t").status == 200)
    #expect(try await second.get("/health/ready").status == 200)
    await second.stop()
  }
}
