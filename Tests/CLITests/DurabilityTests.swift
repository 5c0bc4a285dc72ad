// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// Runs of the real server that is killed in their middle.
@Suite("Durability")
struct DurabilityTests {
  /// A workspace, a provider of models and a service that counts, which outlive servers.
  private struct Scene {
    let workspace: Folder
    let data: Folder
    let provider: ScriptedProvider
    /// Answers every request with how many it has had.
    let service: ScriptedProvider

    init(_ files: [String: String], _ answer: @escaping @Sendable (Int) -> ScriptedProvider.Reply) throws {
      let (asked, served) = (Tally(), Tally())
      provider = try ScriptedProvider { _ in answer(asked.increment()) }
      service = try ScriptedProvider { _ in .json(["count": .integer(Int64(served.increment() + 1))]) }
      data = try Folder()
      let port = service.port
      workspace = try Folder(
        files.mapValues { $0.replacingOccurrences(of: "SERVICE", with: "127.0.0.1:\(port)") }.merging([
          "perigee.yaml": "http: { private_addresses: true }"
        ]) { $1 })
    }

    func start() async throws -> RunningServer {
      try await RunningServer(
        workspace: workspace.path, data: data.path,
        environment: ["OPENAI_BASE_URL": provider.baseURL, "OPENAI_API_KEY": "sk-secret"])
    }

    /// Sends a message, and kills the server when it has asked the model that often.
    func killed(_ agent: String, atRequest count: Int) async throws {
      let server = try await start()
      let lost = Task { try await server.chat(agent, "go", session: "s") }
      await provider.requests(atLeast: count)
      // What was written before is on the disk when this is.
      _ = try await server.send("POST", "/v1/sessions", body: Array("{}".utf8))
      await server.stop(signal: SIGKILL)
      _ = await lost.result
    }

    /// Text of what the session holds, once the run that went on has ended.
    func ended(_ server: RunningServer) async throws -> [String] {
      try await waitWhile {
        try await server.get("/v1/runs").json["data"]?.array?.first?["status"] == "running"
      }
      return try await server.get("/v1/sessions/s/messages").json["data"]?.array?.compactMap {
        $0["content"]?.string
      } ?? []
    }
  }

  @Test("a run goes on where it was: what it did is not done again, what it saw it sees again")
  func goesOn() async throws {
    let scene = try Scene(
      [
        "tools/ledger.lua": """
        return {
          schema = "create table entries (id integer primary key, key text)",
          book = {
            description = "Books.", parameters = {}, access = { db = "write" },
            run = function(ctx)
              db.exec("insert into entries (key) values (?)", ctx.call.key)
              return { id = db.query("select max(id) as id from entries")[1].id }
            end,
          },
          booked = {
            description = "Counts.", parameters = {}, access = { db = "read" }, effect = "read",
            run = function() return { count = db.query("select count(*) as n from entries")[1].n } end,
          },
        }
        """,
        "agents/clerk.lua": """
        return {
          tools = { "book", "booked" }, access = { http = { "SERVICE" } },
          run = function(ctx)
            local seen = { uuid(), time.now(), math.random(1 << 40), os.time(), crypto.random(8) }
            local r = parallel{
              a = function() return http.post("http://SERVICE/a", { json = { id = seen[1] } }).json.count end,
              b = function() return tools.call("book").id end,
              c = function() return math.random(1 << 40) end,
            }
            seen[6] = r.c
            local digest = crypto.sha256(json.encode(seen))
            http.post("http://SERVICE/seen", { body = digest })
            local said = llm.chat{ messages = { { role = "user", content = digest } } }.text
            http.post("http://SERVICE/after", { body = crypto.sha256(json.encode(seen)) })
            return ("%s %d %d"):format(said, r.b, tools.call("booked").count)
          end,
        }
        """,
      ]) { $0 == 0 ? .silence : .completion("Yes.") }
    try await scene.killed("clerk", atRequest: 1)
    let server = try await scene.start()
    #expect(try await scene.ended(server) == ["go", "Yes. 1 1"])
    await server.stop()
    let paths = scene.service.requests.map(\.path)
    #expect(paths.sorted() == ["/a", "/after", "/seen"])
    // What the script saw before the crash it saw after it.
    let digests = scene.service.requests.filter { $0.path != "/a" }.map {
      String(decoding: $0.body, as: UTF8.self)
    }
    #expect(Set(digests).count == 1 && digests.count == 2)
    #expect(scene.provider.requests.count == 2)
  }

  @Test("a run stays on the scripts that it began with, whatever became of them")
  func pinned() async throws {
    let scene = try Scene([
      "agents/a.lua":
        "return { prompt = 'old', after = function(ctx, reply) return reply.text .. ' old' end }"
    ]) { $0 == 0 ? .silence : .completion("Said.") }
    try await scene.killed("a", atRequest: 1)
    try scene.workspace.write("agents/a.lua", "return { run = function() return 'new' end }")
    let server = try await scene.start()
    #expect(try await scene.ended(server) == ["go", "Said. old"])
    #expect(try await server.chat("a", "x", session: "t").json["response"] == "new")
    await server.stop()
  }

  @Test("a script that does something else than the first time is stopped, and says where")
  func divergence() async throws {
    let scene = try Scene([
      "agents/a.lua": """
      return {
        access = { http = { "SERVICE" } },
        run = function()
          local ok = pcall(http.post, "http://SERVICE/" .. tostring({}):match("0x(%x+)"), { body = "" })
          llm.chat{ messages = { { role = "user", content = "hi" } } }
          return tostring(ok)
        end,
      }
      """
    ]) { _ in .silence }
    try await scene.killed("a", atRequest: 1)
    let server = try await scene.start()
    _ = try await scene.ended(server)
    let run = try #require(try await server.get("/v1/runs").json["data"]?.array?.first)
    #expect(run["status"] == "failed" && run["error"]?.string == "conflict", "\(run)")
    let id = try #require(run["id"]?.string)
    let log = await server.stop().log
    #expect(log.contains("http.post got other arguments than before"), "\(log)")
    #expect(log.contains(id))
    #expect(scene.provider.requests.count == 1)
  }
}
