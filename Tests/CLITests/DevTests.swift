// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import Synchronization
import TestSupport
import Testing

@Suite("Edits under a running server", .timeLimit(.minutes(3)))
struct DevTests {
  private static func saying(_ text: String) -> String { "return { run = function() return '\(text)' end }" }

  private func with(
    _ command: String, _ files: [String: String], arguments: [String] = [],
    _ body: (RunningServer, Folder, _ data: String) async throws -> Void
  ) async throws -> String {
    let folder = try Folder(files)
    let data = try Folder()
    let server = try await RunningServer(
      workspace: folder.path, data: data.path, command: command, arguments: arguments)
    do {
      try await body(server, folder, data.path)
    } catch {
      await server.stop()
      throw error
    }
    return await server.stop().log
  }

  /// Asks until the answer is the one that is waited for.
  private func answer(_ server: RunningServer, _ agent: String, is text: String) async throws {
    try await waitWhile { try await server.chat(agent, "x").json["response"]?.string != text }
  }

  private func version(_ server: RunningServer) async throws -> String {
    try await server.get("/v1/versions/current").json["version"]?.string ?? ""
  }

  @Test("what is saved is in force, what is wrong is shown in the terminal and over HTTP, and nothing stops")
  func edits() async throws {
    let log = try await with("dev", ["agents/a.lua": Self.saying("one"), "perigee.yaml": ""]) {
      server, folder, _ in
      try await answer(server, "a", is: "one")
      try folder.write("agents/a.lua", Self.saying("two"))
      try await answer(server, "a", is: "two")
      try folder.write("agents/new/b.lua", Self.saying("new"))
      try await waitWhile { try await server.get("/v1/agents/new.b").status != 200 }
      try folder.write("agents/a.lua", "return {\n  run = function(ctx, input)\n    retrun 1\n  end,\n}")
      try await waitWhile { try await server.get("/health/ready").json["status"] != "degraded" }
      #expect(try await server.get("/health/ready").status == 200)
      let problems = try await server.get("/v1/agents/a").json["problems"]?.array
      #expect(problems?.first?["file"] == "agents/a.lua" && problems?.first?["line"] == 3)
      #expect(try await server.get("/v1/agents/new.b").json["problems"] == [])
      #expect(try await server.get("/metrics").text.contains(#"perigee_reloads_total{outcome="refused"} 1"#))
      #expect(try await server.chat("a", "x").json["response"] == "two")
      try folder.write("perigee.yaml", "log: { level: debug }\n")
      try FileManager.default.removeItem(atPath: folder.path + "/agents/new")
      try folder.write("agents/a.lua", Self.saying("three"))
      try await answer(server, "a", is: "three")
      #expect(try await server.get("/v1/agents/new.b").status == 404)
      #expect(try await server.get("/health/ready").json["status"] == "ready")
    }
    #expect(log.contains("agents/a.lua:3:"), "\(log)")
    #expect(log.contains("\n        retrun 1\n"), "\(log)")
    #expect(log.contains("^"))
    #expect(log.contains("perigee.yaml has changed: restart to apply it"))
    #expect(log.contains("the version before stays in force"))
  }

  @Test("a text under files/ is in force when it is saved, and a run that waits reads the one it began with")
  func texts() async throws {
    let agent = """
      return { access = { files = "read" }, run = function(ctx, input)
        if input.message == "list" then return table.concat(files.list("letters"), " ") end
        local before = files.read("letters/hello.txt")
        if input.message == "ask" then approval.request{ title = before } end
        return before .. " " .. files.read("letters/hello.txt")
      end }
      """
    _ = try await with("dev", ["agents/a.lua": agent, "files/letters/hello.txt": "one", "files/x.txt": "x"]) {
      server, folder, _ in
      try await answer(server, "a", is: "one one")
      #expect(try await server.chat("a", "list").json["response"] == "letters/hello.txt")
      let asked = try await server.chat("a", "ask", session: "w")
      #expect(asked.status == 202)
      try folder.write("files/letters/hello.txt", "two")
      try await answer(server, "a", is: "two two")
      let question = try #require(asked.json["approval"]?["id"]?.string)
      _ = try await server.post("/v1/approvals/\(question)", ["decision": "approve"])
      try await waitWhile { try await server.get("/v1/sessions/w/messages").json["data"]?.array?.count != 2 }
      #expect(
        try await server.get("/v1/sessions/w/messages").json["data"]?.array?.last?["content"] == "one one")
      let diff = try await server.get("/v1/versions").json["data"]?.array?.first
      #expect(diff?["changed_count"] == 1, "\(diff ?? .null)")
    }
  }

  @Test("a server that was not asked to watches nothing; SIGHUP loads")
  func unwatched() async throws {
    _ = try await with("serve", ["agents/a.lua": Self.saying("one")]) { server, folder, _ in
      try folder.write("agents/a.lua", Self.saying("two"))
      // As long as a watch would take, and longer: twenty turns.
      for _ in 0..<20 { #expect(try await server.chat("a", "x").json["response"] == "one") }
      server.send(SIGHUP)
      try await answer(server, "a", is: "two")
    }
  }

  @Test("reload.watch and --watch are perigee dev without its terminal", arguments: [true, false])
  func watches(byFlag: Bool) async throws {
    let files = [
      "agents/a.lua": Self.saying("one"), "perigee.yaml": byFlag ? "" : "reload: { watch: true }\n",
    ]
    _ = try await with("serve", files, arguments: byFlag ? ["--watch"] : []) { server, folder, _ in
      try folder.write("agents/a.lua", Self.saying("two"))
      try await answer(server, "a", is: "two")
    }
  }

  @Test("two hundred edits under load, good and bad, in place and by renaming: not one request fails")
  func load() async throws {
    _ = try await with("dev", ["agents/a.lua": Self.saying("0"), "lib/n.lua": "return 0"]) {
      server, folder, _ in
      let load = Load(server)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in 0..<4 { group.addTask { try await load.run("s\(worker)") } }
        for number in 1...200 {
          if number % 5 == 0 { try folder.write("agents/a.lua", "return { run = ") }
          let text = "local n = require 'lib.n' return { run = function() return '\(number)' end }"
          if number % 2 == 0 {
            try folder.write("agents/a.lua", text)
          } else {
            try folder.write("agents/.a.tmp", text)
            #expect(rename(folder.path + "/agents/.a.tmp", folder.path + "/agents/a.lua") == 0)
          }
          // Some edits come in bursts, others after they were seen.
          if number % 4 == 0 { try await self.answer(server, "a", is: "\(number)") }
        }
        load.end()
        try await group.waitForAll()
      }
      #expect(load.failures == [])
      #expect(load.answers > 200)
      try await answer(server, "a", is: "200")
      // The versions that were in between are gone from memory: one has cells.
      let metrics = try await server.get("/metrics").text
      #expect(metrics.contains("perigee_lua_runs 0\n"))
    }
  }

  @Test("an older version is activated from the command line, reaches the server, and holds over its restart")
  func activates() async throws {
    let folder = try Folder(["agents/a.lua": Self.saying("one")])
    let data = try Folder()
    func command(_ arguments: String...) async throws -> Outcome {
      try await perigee(arguments + ["--workspace", folder.path, "--data", data.path])
    }
    func start() async throws -> RunningServer {
      try await RunningServer(workspace: folder.path, data: data.path, arguments: ["--watch"])
    }
    var server = try await start()
    let one = try await version(server)
    try folder.write("agents/a.lua", Self.saying("two"))
    try await answer(server, "a", is: "two")
    let two = try await version(server)

    let list = try JSON(parsing: try await command("versions", "--json").output)
    #expect(list["data"]?.array?.map { $0["version"]?.string } == [two, one])
    #expect(list["data"]?.array?.map { $0["state"] } == ["active", .null])
    #expect(try await server.get("/v1/versions").json["data"]?.array?.count == 2)
    let table = try await command("versions").output.split(separator: "\n").map {
      $0.split(separator: " ").map(String.init)
    }
    #expect(table[0] == ["VERSION", "LOADED", "FILES", "CHANGED", "RUNS", "FAILED", "TOKENS", "COST", "P50"])
    #expect(table[1].prefix(2) == ["*", String(two.dropFirst(7).prefix(12))])

    let short = String(one.dropFirst(7).prefix(10))
    let diff = """
      --- a/agents/a.lua
      +++ b/agents/a.lua
      @@ -1 +1 @@
      -\(Self.saying("one"))
      \\ No newline at end of file
      +\(Self.saying("two"))
      \\ No newline at end of file

      """
    #expect(try await command("diff", short, "workspace").output == diff)
    #expect(try await command("diff", short, two).output == diff)
    let path = "/v1/versions/\(short)/diff/\(two)"
    #expect(try await server.get(path).json["files"]?.array?.first?["diff"]?.string == diff)
    #expect(
      try await server.get("/v1/versions/\(short)").json["files"]
        == [["path": "agents/a.lua", "source": .string(Self.saying("one"))]])

    #expect(try await command("activate", short).status == 0)
    try await answer(server, "a", is: "one")
    await server.stop()
    server = try await start()
    #expect(try await server.chat("a", "x").json["response"] == "one")
    #expect(try await server.chat("a", "x").json["version"]?.string == one)
    // The next edit takes over.
    try folder.write("agents/a.lua", Self.saying("three"))
    try await answer(server, "a", is: "three")

    let posted = try await server.post("/v1/versions/\(short)/activate", ["canary_percent": 50])
    #expect(posted.status == 200 && posted.json["state"] == "candidate")
    var answers: Set<String?> = []
    for number in 0..<40 {
      answers.insert(try await server.chat("a", "x", session: "c\(number)").json["response"]?.string)
    }
    #expect(answers == ["one", "three"])
    let metrics = try await server.get("/metrics").text
    #expect(metrics.contains(#"perigee_canary_turns_total{track="candidate",outcome="completed"}"#))
    #expect(metrics.contains("perigee_canary_percent 50\n"))
    let tried = try await server.get("/v1/versions/\(short)").json
    #expect(tried["canary_percent"] == 50 && (tried["runs"]?["count"]?.integer ?? 0) > 0)
    #expect(try await command("versions").output.contains("50%  " + one.dropFirst(7).prefix(12)))
    #expect(try await server.post("/v1/versions/\(two)/activate", [:]).json["state"] == "active")
    #expect(try await server.chat("a", "x").json["response"] == "two")
    await server.stop()
  }

  @Test("wrong versions and shares are refused by the commands, and change nothing")
  func refusals() async throws {
    let folder = try Folder(["agents/a.lua": Self.saying("one")])
    func command(_ arguments: String...) async throws -> Outcome {
      try await perigee(arguments + ["--workspace", folder.path, "--data", folder.path + "/data"])
    }
    #expect(try await command("versions").errors.hasPrefix("No version was loaded yet"))
    #expect(try await command("run", "a", "--input", "x").output == "one\n")
    let list = try JSON(parsing: try await command("versions", "--json").output)
    let version = list["data"]?.array?.first?["version"]?.string ?? ""
    for arguments in [
      ["activate", "ffff"], ["diff", "ffff", "workspace"], ["activate", version, "--canary", "0"],
      ["activate", version, "--canary", "x"], ["versions", "--limit", "0"],
    ] {
      let outcome = try await perigee(
        arguments + ["--workspace", folder.path, "--data", folder.path + "/data"])
      #expect(outcome.status == 2 && outcome.errors.lowercased().hasPrefix("error: "), "\(arguments)")
    }
    #expect(try await command("activate", version).status == 0)
    #expect(try await command("activate", version, "--canary", "5").status == 1)
  }
}

/// Users who ask one question after the other, and expect a number each time.
private final class Load: Sendable {
  private struct State {
    var isOver = false
    var answers = 0
    var failures: [String] = []
  }

  private let server: RunningServer
  private let state = Mutex(State())

  init(_ server: RunningServer) { self.server = server }

  var answers: Int { state.withLock { $0.answers } }
  var failures: [String] { state.withLock { $0.failures } }

  func end() { state.withLock { $0.isOver = true } }

  func run(_ session: String) async throws {
    while !state.withLock({ $0.isOver }) {
      let reply = try await server.chat("a", "x", session: session)
      state.withLock { state in
        state.answers += 1
        if reply.status != 200 || Int(reply.json["response"]?.string ?? "") == nil {
          state.failures.append("\(reply.status) \(reply.text)")
        }
      }
    }
  }
}
