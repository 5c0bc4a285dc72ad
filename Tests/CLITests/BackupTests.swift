// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import JSONCodec
import TestSupport
import Testing

/// `perigee backup` beside a server that works, and `perigee restore` elsewhere.
@Suite("Backup and restore", .timeLimit(.minutes(5)))
struct BackupTests {
  private static let files = [
    "perigee.yaml": "limits: { requests_per_minute: 0, requests_per_hour: 0 }\n",
    "tools/ledger.lua": """
    return {
      schema = "create table entries (id integer primary key, key text not null unique)",
      book = {
        description = "Books.", parameters = {}, access = { db = "write" },
        run = function(ctx)
          db.exec("insert into entries (key) values (?)", ctx.call.key)
          return "booked"
        end,
        unknown = function(ctx)
          if db.query("select 1 from entries where key = ?", ctx.call.key)[1] then return "done", "booked" end
          return "retry"
        end,
      },
      booked = {
        description = "Counts.", access = { db = "read" }, effect = "read",
        run = function() return { count = db.query("select count(*) as n from entries")[1].n } end,
      },
    }
    """,
    "agents/clerk.lua": """
    return { tools = { "book", "booked" }, run = function(ctx, input)
      if input.message == "count" then return tostring(tools.call("booked").count) end
      return tools.call("book") .. " " .. input.message
    end }
    """,
  ]

  /// A folder for archives and for what is restored of them.
  private let place: Folder
  private let workspace: Folder
  private var archive: String { place.path + "/backup.tar" }

  init() throws {
    place = try Folder()
    workspace = try Folder(Self.files)
  }

  private func backup(_ data: String, _ more: String...) async throws -> Outcome {
    try await perigee(["backup", archive, "--workspace", workspace.path, "--data", data] + more)
  }

  private func restore(_ name: String, _ more: String...) async throws -> Outcome {
    try await perigee(
      ["restore", archive, "--workspace", workspace.path, "--data", "\(place.path)/\(name)"] + more)
  }

  private func start(_ data: String) async throws -> RunningServer {
    try await RunningServer(workspace: workspace.path, data: data)
  }

  private func page(_ server: RunningServer, _ path: String) async throws -> [JSON] {
    var (items, after): ([JSON], String) = ([], "")
    while true {
      let page = try await server.get("\(path)?limit=200\(after)").json
      items += page["data"]?.array ?? []
      guard let next = page["next"]?.string else { return items }
      after = "&after=\(next)"
    }
  }

  /// Data of some turns, with the server stopped.
  private func written(_ turns: Int = 3) async throws -> Folder {
    let data = try Folder()
    let server = try await start(data.path)
    for turn in 0..<turns { _ = try await server.chat("clerk", "\(turn)", session: "s") }
    await server.stop()
    return data
  }

  // MARK: Whole

  @Test("what was answered before a backup is in it, and neither database is ahead of the other")
  func underLoad() async throws {
    let data = try Folder()
    let server = try await start(data.path)
    let done = Tally()
    let load = (0..<6).map { user in
      Task { () throws -> Void in
        while !Task.isCancelled {
          let answer = try await server.chat("clerk", "\(done.increment())", session: "s\(user)")
          #expect(answer.status == 200)
        }
      }
    }
    for round in 1...4 {
      while done.value < round * 20 { await Task.yield() }
      let answered = try await page(server, "/v1/runs").filter { $0["status"] == "completed" }
      let outcome = try await backup(data.path, "--force")
      #expect(outcome.status == 0, "\(outcome.errors)")
      let restored = try await restore("r\(round)")
      #expect(restored.status == 0, "\(restored.errors)")
      try await checkRestored("\(place.path)/r\(round)", has: answered)
    }
    for user in load {
      user.cancel()
      _ = await user.result
    }
    await server.stop()
  }

  private func checkRestored(_ data: String, has answered: [JSON]) async throws {
    let copy = try await start(data)
    var runs: [JSON] = []
    repeat {
      runs = try await page(copy, "/v1/runs")
    } while runs.contains { $0["status"] == "running" }
    let ids = Set(runs.compactMap { $0["id"]?.string })
    #expect(!answered.isEmpty && answered.allSatisfy { ids.contains($0["id"]?.string ?? "") })
    #expect(runs.allSatisfy { $0["status"] == "completed" })
    #expect(try await copy.chat("clerk", "count").json["response"]?.string == "\(runs.count)")
    await copy.stop()
    let audit = try await perigee("audit", "verify", "--workspace", workspace.path, "--data", data)
    #expect(audit.status == 0, "\(audit.output)")
  }

  @Test("a run that was under way goes on where the backup was put back, and does nothing twice")
  func goesOn() async throws {
    let asked = Tally()
    let provider = try ScriptedProvider { _ in asked.increment() == 0 ? .silence : .completion("Yes.") }
    try workspace.write(
      "agents/slow.lua",
      """
      return { tools = { "book", "booked" }, run = function()
        tools.call("book")
        local said = llm.chat{ messages = { { role = "user", content = "?" } } }.text
        return said .. " " .. tools.call("booked").count
      end }
      """)
    let environment = ["OPENAI_BASE_URL": provider.baseURL, "OPENAI_API_KEY": "sk-secret"]
    let data = try Folder()
    let server = try await RunningServer(
      workspace: workspace.path, data: data.path, environment: environment)
    let lost = Task { try await server.chat("slow", "go", session: "s") }
    await provider.requests(atLeast: 1)
    // What was written before is on the disk when this is.
    _ = try await server.post("/v1/sessions", [:])
    #expect(try await backup(data.path).status == 0)
    await server.stop(signal: SIGKILL)
    _ = await lost.result

    #expect(try await restore("new").status == 0)
    let copy = try await RunningServer(
      workspace: workspace.path, data: place.path + "/new", environment: environment)
    try await waitWhile { try await copy.get("/v1/runs").json["data"]?.array?.first?["status"] == "running" }
    let messages = try await page(copy, "/v1/sessions/s/messages")
    #expect(messages.compactMap { $0["content"]?.string } == ["go", "Yes. 1"])
    await copy.stop()
  }

  @Test("cassettes are in it, what is not ours is told, and any tar program reads it")
  func contents() async throws {
    let data = try await written()
    try data.write("cassettes/demo.jsonl", "{}\n")
    try data.write("cassettes/deep/er.jsonl", "{}\n")
    try data.write("notes.txt", "mine")
    let outcome = try await backup(data.path, "--json")
    let json = try JSON(parsing: outcome.output)
    #expect(json["left_out"]?.array == ["notes.txt"])
    let names = json["manifest"]?["files"]?.array?.compactMap { $0["path"]?.string }
    #expect(
      names == ["perigee.sqlite", "workspace.sqlite", "cassettes/deep/er.jsonl", "cassettes/demo.jsonl"])
    var status = stat()
    #expect(stat(archive, &status) == 0 && status.st_mode & 0o777 == 0o600)
    #expect(status.st_size == json["bytes"]?.integer.map { Int($0) })
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.path) == ["backup.tar"])

    let tar = try ChildProcess("/usr/bin/tar", ["-tf", archive], environment: [:])
    tar.send(input: "")
    let listed = await tar.output.text().split(separator: "\n").map(String.init)
    #expect(await tar.end() == 0 && listed == ["manifest.json"] + (names ?? []))

    #expect(try await restore("deep/new").status == 0)
    let new = place.path + "/deep/new"
    #expect(try String(contentsOfFile: "\(new)/cassettes/deep/er.jsonl", encoding: .utf8) == "{}\n")
    #expect(!FileManager.default.fileExists(atPath: "\(new)/notes.txt"))
    #expect(stat("\(new)/perigee.sqlite", &status) == 0 && status.st_mode & 0o777 == 0o600)
    #expect(stat(new, &status) == 0 && status.st_mode & 0o777 == 0o700)
  }

  // MARK: In the way

  @Test("a file that is there is replaced when that is asked for, and not else")
  func occupied() async throws {
    let data = try await written()
    try place.write("backup.tar", "mine")
    let refused = try await backup(data.path)
    #expect(refused.status == 2 && refused.errors.contains("error: \(archive) is there already"))
    #expect(refused.errors.contains("hint: ") && refused.errors.contains("--force"))
    #expect(try place.read("backup.tar") == "mine")
    #expect(try await backup(data.path, "--force").status == 0)
    #expect(try await restore("new", "--check").status == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.path) == ["backup.tar"])
    let nothing = try await backup(place.path + "/none", "--force")
    #expect(nothing.status == 2 && nothing.errors.contains("nothing to back up"), "\(nothing.errors)")
  }

  @Test(
    "a folder that a server works in is left alone, and one that holds something is moved aside when asked")
  func inPlace() async throws {
    let data = try await written()
    #expect(try await backup(data.path).status == 0)
    let target = ["--workspace", workspace.path, "--data", data.path]
    let server = try await start(data.path)
    _ = try await server.chat("clerk", "later", session: "s")
    let used = try await perigee(["restore", archive, "--force"] + target)
    #expect(used.status == 2 && used.errors.contains("is at work in"), "\(used.errors)")
    #expect(try await perigee(["restore", archive, "--check"] + target).status == 0)
    await server.stop()

    let full = try await perigee(["restore", archive] + target)
    #expect(full.status == 2 && full.errors.contains("is not empty"), "\(full.errors)")
    let done = try await perigee(["restore", archive, "--force", "--json"] + target)
    #expect(done.status == 0, "\(done.errors)")
    let aside = try #require(try JSON(parsing: done.output)["moved_aside"]?.string)
    defer { try? FileManager.default.removeItem(atPath: aside) }
    for (folder, count) in [(data.path, 3), (aside, 4)] {
      let server = try await start(folder)
      #expect(try await server.chat("clerk", "count").json["response"]?.string == "\(count)", "\(folder)")
      await server.stop()
    }
  }

  @Test(
    "what root puts back belongs to whom the folder belonged",
    .enabled(if: geteuid() == 0, "only root can give files away"))
  func owner() async throws {
    let data = try await written()
    try data.write("cassettes/demo.jsonl", "{}\n")
    #expect(try await backup(data.path).status == 0)
    let old = place.path + "/old"
    try FileManager.default.createDirectory(atPath: old, withIntermediateDirectories: false)
    #expect(chown(old, 4711, 4712) == 0)
    #expect(try await restore("old").status == 0)
    for path in ["", "/perigee.sqlite", "/cassettes", "/cassettes/demo.jsonl"] {
      var status = stat()
      #expect(stat(old + path, &status) == 0 && status.st_uid == 4711 && status.st_gid == 4712, "\(path)")
    }
  }

  @Test("Ctrl-C leaves nothing behind")
  func interrupted() async throws {
    let gate = Gate()
    let slow = try ScriptedProvider(ScriptedProvider.Reply.json([:]).held(by: gate))
    try workspace.write("perigee.yaml", "http: { private_addresses: true }\n")
    try workspace.write(
      "agents/holder.lua",
      """
      return { tools = { "book" }, access = { db = "write", http = { "127.0.0.1:\(slow.port)" } },
        run = function()
          db.transaction(function()
            tools.call("book")
            http.get("\(slow.origin)/")
          end)
          return "done"
        end }
      """)
    let data = try Folder()
    let server = try await start(data.path)
    let holding = Task { try await server.chat("holder", "go") }
    await slow.requests(atLeast: 1)
    // It waits for the transaction to end.
    let process = try PerigeeBinary.start(
      ["backup", archive, "--workspace", workspace.path, "--data", data.path])
    process.send(input: "")
    while try FileManager.default.contentsOfDirectory(atPath: place.path).isEmpty {}
    process.send(signal: SIGINT)
    #expect(await process.end() == 130)
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.path) == [])
    gate.open()
    #expect(try await holding.value.json["response"] == "done")
    await server.stop()
  }

  // MARK: Not what it should be

  /// An archive's bytes, with its headers where they are.
  private struct Tar {
    var bytes: [UInt8]

    func offset(of name: String) throws -> Int {
      try #require(
        stride(from: 0, to: bytes.count, by: 512).first {
          bytes[$0...].starts(with: Array(name.utf8) + [0])
        })
    }

    /// Changes a header, and its checksum with it.
    mutating func change(_ name: String, _ body: (inout [UInt8]) -> Void) throws {
      let offset = try offset(of: name)
      var block = Array(bytes[offset..<offset + 512])
      body(&block)
      block.replaceSubrange(148..<156, with: Array("        ".utf8))
      let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
      block.replaceSubrange(
        148..<156, with: Array((String(repeating: "0", count: 6 - sum.count) + sum).utf8) + [0, 32])
      bytes.replaceSubrange(offset..<offset + 512, with: block)
    }

    mutating func rename(_ name: String, to other: String) throws {
      try change(name) {
        $0.replaceSubrange(
          0..<100, with: Array(other.utf8) + [UInt8](repeating: 0, count: 100 - other.utf8.count))
      }
    }

    /// Replaces a text of the manifest by one that is as long.
    mutating func replace(_ text: String, by other: String) throws {
      #expect(text.utf8.count == other.utf8.count)
      let end = try #require(bytes.indices.dropFirst(512).first { bytes[$0] == 0x0A })
      let manifest = String(decoding: bytes[512..<end], as: UTF8.self)
      #expect(manifest.contains(text))
      bytes.replaceSubrange(512..<end, with: Array(manifest.replacing(text, with: other).utf8))
    }
  }

  @Test(
    "an archive that is cut off, changed, or wants to write elsewhere is refused, and nothing is left of it")
  func refused() async throws {
    let data = try await written()
    try data.write("cassettes/demo.jsonl", "{\"a\":1}\n")
    #expect(try await backup(data.path).status == 0)
    let whole = Tar(bytes: Array(try Data(contentsOf: URL(filePath: archive))))
    let manifest = String(decoding: whole.bytes[512..<4096], as: UTF8.self)
    let schema = try #require(manifest.firstMatch(of: /"schema":\d\d/)).output

    func expect(
      _ complaint: String, _ body: (inout Tar) throws -> Void, location: SourceLocation = #_sourceLocation
    ) async throws {
      var tar = whole
      try body(&tar)
      try Data(tar.bytes).write(to: URL(filePath: archive))
      for more in [[], ["--check"]] {
        let outcome = try await perigee(
          ["restore", archive, "--workspace", workspace.path, "--data", "\(place.path)/deep/new"] + more)
        #expect(outcome.status == 1, "\(outcome.errors)", sourceLocation: location)
        #expect(
          outcome.errors.hasPrefix("error: \(complaint)") || outcome.errors.contains(" \(complaint)"),
          "\(outcome.errors)",
          sourceLocation: location)
      }
      let left = try FileManager.default.subpathsOfDirectory(atPath: place.path).sorted()
      #expect(left.filter { $0 != "deep" } == ["backup.tar"], "\(left)", sourceLocation: location)
    }

    let size = whole.bytes.count
    for count in [0, 100, 512, 700, 4096, size / 2, size - 1024, size - 512] {
      try await expect(count == 0 || count > 700 ? "ends in its middle" : "") {
        $0.bytes.removeLast(size - count)
      }
    }
    try await expect("perigee.sqlite is not what was backed up") {
      let start = try $0.offset(of: "perigee.sqlite")
      $0.bytes[start + 512 + 5000] ^= 1
    }
    try await expect("is damaged, or is no tar archive") {
      let start = try $0.offset(of: "workspace.sqlite")
      $0.bytes[start + 3] ^= 1
    }
    try await expect("has another size") {
      try $0.change("workspace.sqlite") { $0.replaceSubrange(124..<135, with: Array("00000001000".utf8)) }
    }
    try await expect("is damaged, or is no tar archive") { $0.bytes[0] ^= 1 }
    try await expect("does not begin with manifest.json") { try $0.rename("manifest.json", to: "other.json") }
    for name in [
      "../../outside.db", "/tmp/outside.db/", "cassettes/../../x", "cassettes//outs.e", "cassettes/x/../y",
    ] {
      // Whether the manifest names it or not.
      try await expect("the archive holds '\(name)'") { try $0.rename("workspace.sqlite", to: name) }
      guard name.utf8.count == 16 else { continue }
      try await expect("the archive names '\(name)'") {
        try $0.replace("workspace.sqlite", by: name)
        try $0.rename("workspace.sqlite", to: name)
      }
    }
    for kind in ["1", "2", "3", "5", "6", "x"] {
      try await expect("does not name as a file") {
        try $0.change("cassettes/demo.jsonl") { $0.replaceSubrange(156..<157, with: Array(kind.utf8)) }
      }
    }
    try await expect("does not name as a file") {
      try $0.rename("cassettes/demo.jsonl", to: "perigee.sqlite")
    }
    try await expect("is at schema 99, and this Perigee knows up to") {
      try $0.replace(String(schema), by: "\"schema\":99")
    }
    try await expect("has format 2") { try $0.replace("\"format\":1", by: "\"format\":2") }
    try await expect("manifest.json cannot be read") { $0.bytes[512] = 0x5B }
  }

  @Test("a database that is damaged is not backed up as if it were whole")
  func damaged() async throws {
    let data = try await written(40)
    let file = "\(data.path)/perigee.sqlite"
    let handle = try FileHandle(forUpdating: URL(filePath: file))
    try handle.seek(toOffset: try handle.seekToEnd() - 4096)
    try handle.write(contentsOf: Data((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ 13) }))
    try handle.close()
    let outcome = try await backup(data.path)
    #expect(outcome.status == 1 && outcome.errors.contains("perigee.sqlite is damaged"), "\(outcome.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.path) == [])
  }
}
