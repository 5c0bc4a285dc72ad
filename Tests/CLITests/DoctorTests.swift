// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import JSONCodec
import TestSupport
import Testing

/// `perigee doctor`.
@Suite("Doctor", .timeLimit(.minutes(3)))
struct DoctorTests {
  private let data: Folder
  private let workspace: Folder

  init() throws {
    data = try Folder()
    workspace = try Folder(["agents/a.lua": "return { run = function() return 'hi' end }"])
  }

  private struct Report {
    let status: Int32
    let text: String
    let json: JSON

    /// The state, message and hint of the first part of that name, in one text.
    func part(_ name: String) -> String {
      let part = json["parts"]?.array?.first { $0["part"]?.string == name }
      return ["state", "message", "hint"].compactMap { part?[$0]?.string }.joined(separator: " ")
    }
  }

  private func examine(
    _ more: [String] = [], environment: [String: String] = [:], data: String? = nil
  ) async throws -> Report {
    let outcome = try await perigee(
      ["doctor", "--json", "--workspace", workspace.path, "--data", data ?? self.data.path] + more,
      environment: environment)
    return Report(
      status: outcome.status, text: outcome.output + outcome.errors,
      json: (try? JSON(parsing: outcome.output)) ?? .null)
  }

  @Test("what is in force is told with its place, and never a key; nothing is asked or made unless said")
  func settings() async throws {
    let provider = try ScriptedProvider(.json(["data": []]))
    try workspace.write("perigee.yaml", "limits:\n  runs_total: 7\n")
    let environment = [
      "OPENAI_API_KEY": "sk-very-secret", "OPENAI_BASE_URL": provider.baseURL, "PERIGEE_LOG_LEVEL": "debug",
    ]
    let outcome = try await perigee(
      "doctor", "--workspace", workspace.path, "--data", data.path, "--port", "0", environment: environment)
    #expect(outcome.status == 0, "\(outcome.output)")
    let lines = outcome.output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    for line in [
      "limits.runs_total 7 (perigee.yaml:2)", "log.level debug (environment PERIGEE_LOG_LEVEL)",
      "server.port 0 (flag)", "server.host 127.0.0.1 (default)",
      "providers.openai.api_key_env set (from OPENAI_API_KEY) (default)",
      "ok scripts: 1 agents (a), 0 tools,",
      "ok perigee.sqlite: is not there yet; the first start makes it",
      "ok processes: none is at work in the data folder",
      "ok authentication: none, and only this machine is served",
    ] { #expect(lines.contains { $0.hasPrefix(line) }, "\(line) in \(outcome.output)") }
    for library in ["Perigee ", "SQLite 3.", "Lua 5.4.", "libcurl/"] {
      #expect(outcome.output.contains(library))
    }
    #expect(provider.requests.isEmpty)
    #expect(try FileManager.default.contentsOfDirectory(atPath: data.path) == [])
    let json = try await examine(["--port", "0"], environment: environment)
    #expect(json.status == 0 && json.json["settings"]?.array?.count ?? 0 > 50)
    #expect(!(outcome.output + outcome.errors + json.text).contains("very-secret"))
  }

  @Test("with --online a provider says whether it takes the key, and a clock that differs is told")
  func online() async throws {
    func look(_ reply: ScriptedProvider.Reply) async throws -> Report {
      let provider = try ScriptedProvider(reply)
      return try await examine(
        ["--online", "--port", "0"],
        environment: ["OPENAI_API_KEY": "sk-very-secret", "OPENAI_BASE_URL": provider.baseURL])
    }
    let good = try await look(.json(["data": []]))
    #expect(good.status == 0 && good.part("provider openai") == "ok reachable", "\(good.text)")
    let refused = try await look(.failure(401))
    #expect(refused.status == 1 && refused.part("provider openai").contains("error the key is refused (401)"))
    let odd = try await look(.failure(500))
    #expect(odd.status == 0 && odd.part("provider openai").hasPrefix("warning"))
    let gone = try await examine(
      ["--online", "--port", "0"],
      environment: ["OPENAI_API_KEY": "sk-very-secret", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"])
    #expect(gone.status == 1 && gone.part("provider openai").contains("not reachable"))
    #expect(!(good.text + refused.text + odd.text + gone.text).contains("very-secret"))
  }

  @Test("beside a server it says so, and takes nothing from it")
  func besideServer() async throws {
    let server = try await RunningServer(workspace: workspace.path, data: data.path)
    _ = try await server.chat("a", "x", session: "s")
    let report = try await examine(["--port", "\(server.port)"])
    #expect(report.status == 0, "\(report.text)")
    #expect(report.part("processes").contains("a server (process \(server.identifier))"), "\(report.text)")
    #expect(report.part("port").contains("is taken, and a server is at work here"))
    #expect(report.part("perigee.sqlite").hasPrefix("ok whole, "))
    #expect(report.part("workspace.sqlite").hasPrefix("ok whole, "))
    #expect(try await server.chat("a", "x", session: "s").status == 200)
    let other = try Folder()
    let taken = try await examine(["--port", "\(server.port)"], data: other.path)
    #expect(taken.status == 1 && taken.part("port").contains("is taken choose another"), "\(taken.text)")
    await server.stop()
  }

  @Test("what is wrong with the data folder is told, each with what to do")
  func dataFolder() async throws {
    let nowhere = try await examine(["--port", "0"], data: workspace.path + "/agents/a.lua/data")
    #expect(nowhere.status == 1 && nowhere.part("data folder").contains("cannot be written"))
    let later = try await examine(["--port", "0"], data: data.path + "/a/b")
    #expect(later.status == 0 && later.part("data folder").contains("is not there yet"))
    #expect(!FileManager.default.fileExists(atPath: data.path + "/a"))

    try data.write("perigee.sqlite", String(repeating: "no database ", count: 1000))
    let damaged = try await examine(["--port", "0"])
    #expect(damaged.status == 1, "\(damaged.text)")
    #expect(damaged.part("perigee.sqlite").hasPrefix("error it is damaged: file is not a database"))
    #expect(damaged.part("perigee.sqlite").contains("perigee restore"))
    try data.write("perigee.sqlite", "")
    #expect(try await examine(["--port", "0"]).status == 0)
  }

  @Test("scripts and settings that serve would refuse are errors, each on its own")
  func refusals() async throws {
    try workspace.write(
      "perigee.yaml",
      """
      routes: [{ path: /a//b, agent: a, shape: todo }]
      guardrails: { input: [nonsense] }
      events: { webhooks: { hook: { url: "http://127.0.0.1:1/", secret_env: HOOK_SECRET } } }
      scripts: { secrets: { shop: { env: SHOP_KEY, hosts: [shop.example.com] } } }
      """)
    try workspace.write("agents/b.lua", "return { promt = 1 }")
    let report = try await examine(["--port", "0"])
    #expect(report.status == 1)
    for text in [
      "perigee.yaml:1:", "has no rule 'nonsense'", "HOOK_SECRET", "agents/b.lua:1:10: error",
      "SHOP_KEY is not set",
    ] { #expect(report.text.contains(text), "\(text) in \(report.text)") }
    #expect(report.part("secret shop").hasPrefix("warning"))
  }

  @Test("tokens that could not be checked are an error, and an open address without TLS a warning")
  func access() async throws {
    let open = ["PERIGEE_AUTH_MODE": "any", "PERIGEE_SERVER_HOST": "0.0.0.0"]
    let unset = try await examine(["--port", "0"], environment: open)
    #expect(unset.status == 1 && unset.part("authentication").contains("PERIGEE_JWT_SECRET"), "\(unset.text)")
    let secret = ["PERIGEE_JWT_SECRET": "k1-Jf82hsXq0Lw7ZtPc5vRy3NbUe9MdAo4GiTkBxYlS"]
    let bare = try await examine(["--port", "0"], environment: open.merging(secret) { $1 })
    #expect(
      bare.status == 0 && bare.part("authentication").hasPrefix("warning any, but 0.0.0.0"), "\(bare.text)")
    let proxied = try await examine(
      ["--port", "0"],
      environment: open.merging(secret) { $1 }.merging(["PERIGEE_SERVER_TRUSTED_PROXIES": "10.0.0.1"]) { $1 })
    #expect(proxied.part("authentication") == "ok any")
    #expect(!bare.text.contains("k1-Jf82"))
    let unsafe = try await examine(["--host", "0.0.0.0"])
    #expect(unsafe.status == 2 && unsafe.text.contains("auth.mode none serves only this machine"))
  }
}
