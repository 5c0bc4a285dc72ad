// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// Secrets, and runs that go wrong in every way: nothing that the server says or keeps may show one.
@Suite("Secrets in what the server tells", .timeLimit(.minutes(5)))
struct SecretTests {
  private static let providerKey = "sk-providercanary-7d1f0b"
  private static let scriptSecret = "scriptcanary-42c9e1"
  private static let hookSecret = "hookcanary-0a77aa"

  private static func scripts(_ port: Int) -> [String: String] {
    [
      "tools/t.lua": """
      local function ask(path)
        return http.get("http://127.0.0.1:\(port)/" .. path, {
          headers = { Authorization = "Bearer " .. secrets.get("pay"), ["X-Key"] = secrets.get("pay") }, timeout = 1 })
      end
      local access = { http = { "127.0.0.1:\(port)", "127.0.0.1:1" } }
      return {
        echo = { description = "d", access = access, run = function()
          local answer = ask("echo")
          log.error("echoed", { body = answer.body, headers = answer.headers })
          error({ code = "denied", message = "echo: " .. answer.body })
        end },
        broken = { description = "d", access = access, run = function() return ask("close") end },
        silent = { description = "d", access = access, timeout = 2, run = function() return ask("silence") end },
        elsewhere = { description = "d", access = access, run = function()
          return http.get("http://127.0.0.1:1/", { headers = { Authorization = secrets.get("pay") } })
        end },
        shown = { description = "d", run = function()
          local handle = secrets.get("pay")
          log.info(handle)
          error("handle: " .. tostring(handle))
        end },
        stolen = { description = "d", access = access, run = function()
          return http.get("http://127.0.0.1:\(port)/echo?" .. secrets.get("pay")).body
        end },
      }
      """,
      "agents/model.lua": "return { prompt = 'p' }",
      "agents/code.lua": """
      return { tools = { "echo", "broken", "silent", "elsewhere", "shown", "stolen" }, run = function(ctx, input)
        event.emit("told", { handle = tostring(secrets.get("pay")) })
        if input.caught then
          local ok, failure = pcall(tools.call, input.message)
          return { text = tostring(failure), data = { failure = tostring(failure) } }
        end
        return json.encode(tools.call(input.message))
      end }
      """,
      "agents/crash.lua": "return { run = function(ctx) return nil .. tostring(secrets.get('pay')) end }",
      "agents/env.lua": "return { run = function(ctx) return json.encode(ctx) end }",
    ]
  }

  /// Says back all that it was told, in every way to fail.
  private static func provider() throws -> ScriptedProvider {
    let turn = Tally()
    return try ScriptedProvider { request in
      let all = request.headers.map { "\($0.name): \($0.value)" }.joined(separator: " ") + " \(request.path)"
      if request.path.hasPrefix("/echo") { return .status(500, headers: [("X-Echo", all)], body: all) }
      if request.path == "/close" { return .close }
      if request.path == "/silence" { return .silence }
      let error: JSON = ["error": ["message": .string("wrong key: " + all), "type": .string(all)]]
      switch turn.increment() % 6 {
      case 0: return .json(error, status: 401)
      case 1: return .json(error, status: 400)
      case 2: return .json(error, status: 500)
      case 3: return .status(200, body: "no JSON: " + all)
      case 4: return .json(error, status: 429)
      default: return .status(502, headers: [("X-Echo", all)], body: all)
      }
    }
  }

  @Test(
    "stand in no log, trace, event, entry, answer or metric, whatever fails", arguments: ["json", "text"])
  func canaries(format: String) async throws {
    let provider = try Self.provider()
    let scene = try await TokenScene(
      Self.scripts(provider.port),
      configuration: """
        log: { level: trace, format: \(format) }
        http: { private_addresses: true }
        providers: { openai: { base_url: "\(provider.baseURL)", api_key_env: OPENAI_API_KEY, retries: 0 } }
        scripts: { secrets: { pay: { env: PAY_KEY, hosts: ["127.0.0.1:\(provider.port)"] } } }
        events: { webhooks: { w: { url: "\(provider.origin)/echo", secret_env: HOOK_KEY } } }

        """,
      environment: [
        "OPENAI_API_KEY": Self.providerKey, "PAY_KEY": Self.scriptSecret, "HOOK_KEY": Self.hookSecret,
      ])
    let admin = try await scene.token("root", "admin", "user", "operator")
    let key = try await scene.run("keys", "create", "--user", "bot", "--name", "k").output
      .trimmingCharacters(in: .newlines)
    var said: [String] = []
    for turn in 0..<6 {
      said.append(try await scene.chat("model", "m", as: admin, session: "m\(turn)").text)
    }
    for tool in ["echo", "broken", "silent", "elsewhere", "shown", "stolen", "none"] {
      for isCaught in [false, true] {
        said.append(
          try await scene.send(
            "POST", "/v1/agents/code/chat", as: admin,
            ["message": .string(tool), "input": ["caught": .bool(isCaught)]]
          ).text)
      }
    }
    said.append(try await scene.chat("crash", "m", as: key).text)
    said.append(try await scene.chat("env", "m", as: key).text)
    // Credentials that are refused, in places where they are told of.
    let broken = String(key.dropLast()) + (key.hasSuffix("a") ? "b" : "a")
    for (name, value) in [
      ("Authorization", "Bearer \(broken)"), ("Authorization", "Basic \(key)"), ("X-API-Key", broken),
      ("Authorization", "Bearer \(key) \(key)"), ("Authorization", key),
    ] {
      said.append(
        try await scene.server.send("GET", "/v1/agents", body: nil, headers: [(name, value)]).text)
    }
    said.append(
      try await scene.send("GET", "/v1/agents", as: admin, headers: [("X-API-Key", key)]).text)
    said.append(try await scene.send("GET", "/v1/agents?key=\(key)", as: key).text)

    for path in [
      "/v1/runs?limit=100", "/v1/events?limit=200", "/v1/audit?limit=200", "/v1/sessions?limit=100",
      "/metrics",
      "/health/ready", "/v1/agents", "/v1/users/root/export", "/v1/users/bot/export", "/openapi.json",
    ] {
      let answer = try await scene.send("GET", path, as: admin)
      #expect(answer.status == 200, "\(path): \(answer.text)")
      said.append(answer.text)
    }
    for run in try await scene.send("GET", "/v1/runs?limit=100", as: admin).json["data"]?.array ?? [] {
      let id = run["id"]?.string ?? ""
      said.append(try await scene.send("GET", "/v1/runs/\(id)/trace", as: admin).text)
      said.append(try await scene.run("trace", id).output)
    }
    await provider.requests(atLeast: 1)
    let log = await scene.server.stop().log
    #expect(provider.requests.contains { $0.header("authorization") == "Bearer \(Self.providerKey)" })
    #expect(provider.requests.contains { $0.header("x-key") == Self.scriptSecret })
    #expect(log.contains("echoed"))
    said.append(log)
    said.append(try await scene.run("doctor").output)
    said.append(try await scene.run("keys", "list", "--json").output)

    // The part of a key that is secret, not the name that lists show.
    let secretOfKey = try #require(key.split(separator: "_").last.map(String.init))
    let jwt = try #require(admin.split(separator: ".").last.map(String.init))
    for (name, secret) in [
      ("provider key", Self.providerKey), ("script secret", Self.scriptSecret), ("hook", Self.hookSecret),
      ("JWT secret", TokenScene.secret), ("API key", secretOfKey), ("token", jwt),
    ] {
      for text in said where text.contains(secret) {
        let place = text.range(of: secret).map { text[..<$0.lowerBound].suffix(300) } ?? ""
        Issue.record("\(name) is in: \(place)")
      }
      // Nor in what the server keeps.
      for file in try FileManager.default.contentsOfDirectory(atPath: scene.data.path) {
        let bytes = (try? Data(contentsOf: URL(filePath: "\(scene.data.path)/\(file)"))) ?? Data()
        #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(name) is in \(file)")
      }
    }
  }
}
