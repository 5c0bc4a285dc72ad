// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import JSONCodec
import TestSupport
import Testing
import Transport

@Suite("Commands")
struct CommandTests {
  @Test("help and version end well and name every command")
  func help() async throws {
    let help = try await perigee("--help")
    #expect(help.status == 0)
    for command in [
      "serve", "dev", "chat", "run", "lint", "eval", "init", "new", "types", "versions", "diff", "activate",
      "doctor",
    ] {
      #expect(help.output.contains("  \(command) "))
      let own = try await perigee(command, "--help")
      #expect(own.status == 0)
      #expect(own.output.contains("Examples:"), "\(command)")
    }
    #expect(try await perigee("--version").output.hasPrefix("0."))
  }

  @Test(
    "wrong usage ends with 2 and says so on standard error",
    arguments: [
      ["frob"], ["run"], ["run", "todo", "--nope"], ["new", "agent", "Bad-Name"], ["serve", "--port", "x"],
      ["serve", "--port", "70000"], ["run", "nope", "--input", "x"], ["run", "todo", "--input", "{"],
      ["run", "todo", "--workspace", "/nowhere"], ["serve", "--host", "0.0.0.0"],
    ])
  func wrongUsage(arguments: [String]) async throws {
    let data = try Folder()
    let takesData = arguments[0] != "new" && arguments[0] != "frob"
    let workspace =
      arguments.contains("--workspace") || !takesData ? [] : ["--workspace", PerigeeBinary.repository]
    let outcome = try await perigee(arguments + workspace + (takesData ? ["--data", data.path] : []))
    let text = outcome.errors
    #expect(outcome.status == 2, "\(text)")
    #expect(text.hasPrefix("error: ") || text.hasPrefix("Error: "), "\(text)")
    #expect(outcome.output == "")
  }

  @Test("run answers once, remembers, and keeps users apart")
  func run() async throws {
    let data = try Folder()
    func ask(_ input: String, _ user: String, _ more: String...) async throws -> Outcome {
      let all =
        [
          "run", "todo", "--workspace", PerigeeBinary.repository, "--data", data.path, "--input", input,
          "--as", user,
        ]
        + more
      return try await perigee(all)
    }
    #expect(try await ask("add buy milk", "ada").output == "Added: [ ] 1. buy milk\n")
    #expect(try await ask("show my to-dos", "bob").output == "Your list is empty.\n")
    let json = try JSON(
      parsing: try await ask(#"{"message": "show my to-dos"}"#, "ada", "--json", "--trace").output)
    #expect(json["using_stub"] == true)
    #expect(json["tool_calls"]?.array?.first?["result"]?["pagination"]?["total"] == 1)
    #expect(try await ask("delete 1", "bob").output == "There is no to-do 1 on your list.\n")
  }

  @Test("run reads standard input")
  func runReadsInput() async throws {
    let data = try Folder()
    let outcome = try await perigee(
      "run", "todo", "--workspace", PerigeeBinary.repository, "--data", data.path, "--input", "-",
      input: "show my to-dos\n")
    #expect(outcome.output == "Your list is empty.\n")
    #expect(outcome.status == 0)
  }

  @Test("chat holds a conversation in one session")
  func chat() async throws {
    let data = try Folder()
    let outcome = try await perigee(
      "chat", "todo", "--workspace", PerigeeBinary.repository, "--data", data.path, "--session", "s",
      input: "add buy milk\n\nshow my to-dos\n/quit\nadd never\n")
    #expect(outcome.status == 0)
    #expect(outcome.output == "Added: [ ] 1. buy milk\nYou have 1 to-do:\n[ ] 1. buy milk\n")
    #expect(outcome.errors.contains("add_todo"))
  }

  @Test("init writes a workspace that runs, and keeps what is there")
  func initialise() async throws {
    let folder = try Folder(["w/perigee.yaml": "log:\n  level: error\n"])
    let path = folder.path + "/w"
    let first = try await perigee("init", path)
    #expect(first.status == 0)
    #expect(first.errors.contains("kept perigee.yaml"))
    for file in [
      "agents/notes.lua", "tools/notes.lua", "evals/notes.lua", "types/db.lua", ".luarc.json", ".luacheckrc",
    ] {
      #expect(try !folder.read("w/" + file).isEmpty)
    }
    _ = try JSON(parsing: try folder.read("w/.luarc.json"))
    #expect(
      try await perigee("run", "notes", "--workspace", path, "--input", "note buy milk").output == "Noted.\n")
    #expect(
      try await perigee("run", "notes", "--workspace", path, "--input", "?").output
        == "Your notes:\n- buy milk\n")
    for (kind, name) in [("agent", "market.title"), ("tool", "send_letter")] {
      #expect(try await perigee("new", kind, name, "--workspace", path).status == 0)
      #expect(try await perigee("new", kind, name, "--workspace", path).status == 1)
    }
    #expect(
      try await perigee("run", "market.title", "--workspace", path, "--input", "hi").output
        == "You said: hi\n")
  }

  @Test("a workspace with problems is refused with all of them, and nothing runs")
  func problems() async throws {
    let folder = try Folder([
      "agents/a.lua": "return { promt = function() end }",
      "agents/b.lua": "return {\n  prompt = 'x'\n  tools = {} }",
      "perigee.yaml": "",
    ])
    for command in [["serve", "--port", "0"], ["run", "a", "--input", "x"]] {
      let outcome = try await perigee(command + ["--workspace", folder.path])
      #expect(outcome.status == 2)
      #expect(outcome.errors.contains("agents/a.lua:1:10: error: an agent has no field 'promt' [W201]"))
      #expect(outcome.errors.contains("hint: did you mean 'prompt'?"))
      #expect(outcome.errors.contains("agents/b.lua:3:3: error: "))
      #expect(outcome.output == "")
    }
  }

  @Test("a configuration with problems is refused with all of them")
  func configuration() async throws {
    let folder = try Folder([
      "agents/a.lua": "return { prompt = '' }",
      "perigee.yaml": "server:\n  prot: 1\nlimits:\n  runs_total: many\n",
    ])
    let outcome = try await perigee("serve", "--workspace", folder.path)
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains("perigee.yaml:2:3"))
    #expect(outcome.errors.contains("port"))
    #expect(outcome.errors.contains("perigee.yaml:4"))
    try folder.write("perigee.yaml", "data: { cache: 'redis://localhost' }\n")
    let missing = try await perigee("serve", "--workspace", folder.path)
    #expect(missing.status == 2)
    #expect(missing.errors.contains("data.cache is not available yet"))
  }

  @Test("a fault in a tool names the tool's own file and line, and a refused message no place at all")
  func toolFaults() async throws {
    let folder = try Folder([
      "agents/a.lua": """
      return { tools = { "boom" }, run = function(ctx, input)
        if input.message == "no" then reject("not that") end
        return { data = tools.call("boom") }
      end }
      """,
      "tools/t.lua":
        "return {\n  boom = { description = 'd', run = function()\n    error('kaboom')\n  end },\n}",
    ])
    let fault = try await perigee("run", "a", "--workspace", folder.path, "--input", "x")
    #expect(fault.status == 1)
    #expect(fault.errors.contains("tools/t.lua:3: kaboom"), "\(fault.errors)")
    let refused = try await perigee("run", "a", "--workspace", folder.path, "--input", "no")
    #expect(refused.errors == "error: not that [rejected]\n")
  }

  @Test("Ctrl-C ends a run with 130, and its record says that it was cancelled")
  func interrupted() async throws {
    let provider = try ScriptedProvider(.silence)
    let folder = try Folder(["agents/a.lua": "return { prompt = 'p' }"])
    let process = try PerigeeBinary.start(
      ["run", "a", "--workspace", folder.path, "--input", "x"],
      environment: ["OPENAI_BASE_URL": provider.baseURL])
    await provider.requests(atLeast: 1)
    process.send(signal: SIGINT)
    #expect(await process.end() == 130)
    let server = try await RunningServer(workspace: folder.path, data: folder.path + "/.perigee")
    let status = try await server.get("/v1/runs").json["data"]?.array?.first?["status"]
    #expect(status == "cancelled")
    await server.stop()
  }

  @Test("everything that is not available yet is refused at once, each with its line, and by every command")
  func unavailable() async throws {
    let folder = try Folder([
      "agents/a.lua": "return { run = function() return 'x' end }",
      "perigee.yaml":
        "data:\n  store: 'postgres://localhost/p'\n  cache: 'redis://localhost'\n",
    ])
    for command in [["serve"], ["run", "a", "--input", "x"]] {
      let outcome = try await perigee(command + ["--workspace", folder.path])
      #expect(outcome.status == 2)
      for line in ["perigee.yaml:2", "perigee.yaml:3"] {
        #expect(outcome.errors.contains(line))
      }
    }
    #expect(try await perigee("doctor", "--workspace", folder.path).status == 1)
  }

  @Test("a secret of perigee.yaml reaches the host that it is bound to, and nothing that anybody reads")
  func secrets() async throws {
    let service = try ScriptedProvider { request in
      .json(["seen": .string(request.header("authorization") ?? "")])
    }
    let agent = """
      return { access = { http = { "127.0.0.1:\(service.port)" } }, run = function()
        local headers = { Authorization = "Bearer " .. secrets.get("shop") }
        local answer = http.get("\(service.origin)/", { headers = headers })
        log.info(answer.body)
        return answer.json.seen
      end }
      """
    func configuration(_ more: String) -> String {
      """
      scripts: { \(more)secrets: { shop: { env: SHOP_KEY, hosts: ["127.0.0.1:\(service.port)"] } } }
      http: { private_addresses: true }
      """
    }
    let folder = try Folder(["agents/buyer.lua": agent, "perigee.yaml": configuration("")])
    let data = try Folder()
    func run(_ command: [String], _ environment: [String: String]) async throws -> Outcome {
      try await perigee(
        command + ["--workspace", folder.path, "--data", data.path], environment: environment)
    }
    let key = ["SHOP_KEY": "sk-shop-0815"]
    let bought = try await run(["run", "buyer", "--input", "x"], key)
    #expect(bought.output == "Bearer [redacted]\n", "\(bought.errors)")
    #expect(service.requests.map { $0.header("authorization") } == ["Bearer sk-shop-0815"])
    let doctor = try await run(["doctor"], key)
    let unset = try await run(["doctor"], [:])
    #expect(doctor.output.contains("secret shop") && unset.output.contains("SHOP_KEY is not set"))
    for text in [bought.output, bought.errors, doctor.output, doctor.errors] {
      #expect(!text.contains("sk-shop-0815"))
    }
    try folder.write("perigee.yaml", configuration("env: [SHOP_KEY], "))
    let shown = try await run(["run", "buyer", "--input", "x"], key)
    #expect(shown.status == 2)
    #expect(shown.errors.contains("scripts.env shows SHOP_KEY"), "\(shown.errors)")
  }
}
