// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Synchronization
import TestSupport
import Testing
import Transport

/// Several providers in one configuration, and one of them down.
@Suite("Providers", .timeLimit(.minutes(5)))
struct ProviderTests {
  @Test("each provider is spoken to in its own way, with its own key and headers")
  func dialects() async throws {
    let claude = try ScriptedProvider(
      .json(["content": [["type": "text", "text": "from claude"]], "stop_reason": "end_turn"]))
    let corp = try ScriptedProvider(.completion("from corp"))
    let new = try ScriptedProvider(
      .json([
        "status": "completed",
        "output": [["type": "message", "content": [["type": "output_text", "text": "from new"]]]],
      ]))
    let keys = try Folder(["corp": "corp-key\n"])
    let folder = try Folder([
      "agents/a.lua": #"return { model = "claude/haiku", prompt = "Be kind." }"#,
      "agents/b.lua": #"return { model = "corp/gpt", prompt = "Be kind." }"#,
      "agents/c.lua": #"return { model = "new/gpt", prompt = "Be kind." }"#,
      "perigee.yaml": """
      providers:
        claude: { dialect: anthropic, base_url: "\(claude.baseURL)", api_key_env: CLAUDE_KEY }
        corp: { dialect: azure, base_url: "\(corp.origin)/openai", api_key_file: "\(keys.path)/corp", api_version: "2024-10-21" }
        new: { dialect: responses, base_url: "\(new.baseURL)", headers: { X-Org: blue }, headers_env: { X-Team: TEAM } }
      """,
    ])
    let environment = ["CLAUDE_KEY": "claude-key", "TEAM": "red"]
    for (agent, answer) in [("a", "from claude"), ("b", "from corp"), ("c", "from new")] {
      let outcome = try await perigee(
        ["run", agent, "--workspace", folder.path, "--input", "hello"], environment: environment)
      #expect(outcome.output.contains(answer), "\(outcome.errors)")
    }
    #expect(claude.requests.first?.header("x-api-key") == "claude-key")
    #expect(claude.requests.first?.json["system"] == "Be kind.")
    #expect(corp.requests.first?.header("api-key") == "corp-key")
    #expect(corp.requests.first?.path.hasPrefix("/openai/deployments/gpt/") == true)
    #expect(new.requests.first?.header("x-org") == "blue")
    #expect(new.requests.first?.header("x-team") == "red")
  }

  @Test(
    "a provider that is down is left alone: callers are told when to come back, and operators what is wrong")
  func breaker() async throws {
    let provider = try ScriptedProvider(.failure(500))
    let folder = try Folder([
      "agents/a.lua": #"return { prompt = "Be kind." }"#,
      "perigee.yaml": """
      providers: { openai: { base_url: "\(provider.baseURL)", retries: 0 } }
      """,
    ])
    try await RunningServer.with(workspace: folder.path) { server in
      for _ in 0..<5 { #expect(try await server.chat("a", "hi").status == 502) }
      // Its time is short at first, and this machine may be slow: each probe that fails makes it longer.
      var refused = try await server.chat("a", "hi")
      while refused.status == 502 { refused = try await server.chat("a", "hi") }
      #expect(refused.status == 503)
      #expect(refused.json["code"] == "upstream")
      #expect(refused.headers["retry-after"].flatMap { Int($0) } ?? 0 >= 1)
      let ready = try await server.get("/health/ready")
      #expect(ready.status == 200)
      #expect(ready.json["parts"]?["models"]?.array?.map { $0["name"] } == ["openai/gpt-4o-mini"])
      #expect(ready.json["parts"]?["models"]?.array?.first?["status"] == "open")
      let metrics = try await server.get("/metrics").text
      #expect(
        metrics.contains(#"perigee_model_breaker_state{provider="openai",model="gpt-4o-mini"} 2"#))
    }
  }

  @Test("a provider that is slow is asked a second time when it is told to be, and the metrics say so")
  func hedges() async throws {
    let first = Mutex(true)
    let provider = try ScriptedProvider { _ in
      first.withLock { isFirst in
        defer { isFirst = false }
        return isFirst ? .silence : .completion("quick")
      }
    }
    let folder = try Folder([
      "agents/a.lua": #"return { prompt = "Be kind." }"#,
      "perigee.yaml": """
      providers: { openai: { base_url: "\(provider.baseURL)", retries: 0, hedge_seconds: 1 } }
      """,
    ])
    try await RunningServer.with(workspace: folder.path) { server in
      let reply = try await server.chat("a", "hi")
      #expect(reply.status == 200 && reply.json["response"]?.string == "quick", "\(reply.text)")
      #expect(provider.requests.count == 2)
      // Told twice, counted once.
      for _ in 0..<2 {
        let metrics = try await server.get("/metrics").text
        let series = #"perigee_model_hedges_total{provider="openai",model="gpt-4o-mini",outcome="#
        #expect(metrics.contains(series + #""won"} 1"#) && metrics.contains(series + #""lost"} 0"#))
      }
    }
    let doctor = try await perigee(["doctor", "--workspace", folder.path])
    #expect(doctor.output.contains("providers.openai.hedge_seconds"), "\(doctor.output)")
  }
}
