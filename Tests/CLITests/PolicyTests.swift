// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// The sections of `guardrails`: what each key does, through the real binary.
@Suite("Policies of a server", .timeLimit(.minutes(5)))
struct PolicyTests {
  private static func start(
    _ policies: String, _ agent: String, tools: String = "return {}", more: String = ""
  ) async throws -> (
    server: RunningServer, keep: [Folder]
  ) {
    let (workspace, data) = (
      try Folder([
        "perigee.yaml": "guardrails:\n  \(policies)\n\(more)\n", "agents/a.lua": agent, "tools/t.lua": tools,
      ]),
      try Folder()
    )
    return (try await RunningServer(workspace: workspace.path, data: data.path), [workspace, data])
  }

  private static let echo = "return { run = function(ctx, input) return 'you said ' .. input.message end }"

  /// How it ends when it does not start.
  private static func refusal(_ yaml: String) async throws -> Outcome {
    let workspace = try Folder(["perigee.yaml": yaml, "agents/a.lua": echo])
    return try await perigee("serve", "--workspace", workspace.path, "--port", "0")
  }

  @Test("messages are refused for their size, for the types of their files and for what filters find")
  func input() async throws {
    let (server, _) = try await Self.start(
      """
      input_validation:
          max_input_size: 0.2KB
          allowed_file_types: [.txt, .CSV]
          content_filters: [profanity, pii, malicious_code]
      """, Self.echo)
    func rules(_ message: String, _ input: JSON? = nil) async throws -> JSON? {
      let answer = try await server.chat("a", message, input: input)
      if answer.status == 200 { return nil }
      #expect(answer.status == 422 && answer.json["code"] == "rejected", "\(answer.text)")
      return answer.json["detail"]
    }
    #expect(try await rules("hello") == nil)
    let long = String(repeating: "la ", count: 80)
    #expect(try await rules(long) == "the message is not taken: it has more than 204 bytes")
    #expect(try await rules("hello", ["notes": .string(long)]) != nil)
    for files: JSON in [
      ["files": [["name": "a.txt"], ["name": "B.csv"]]], ["attachments": ["x.TXT"]],
      ["file": ["filename": "a.b.csv"]], ["files": []],
    ] {
      #expect(try await rules("hello", files) == nil, "\(files)")
    }
    for files: JSON in [
      ["files": [["name": "a.txt"], ["name": "b.exe"]]], ["attachments": ["x"]], ["file": "a.txt/b"],
      ["files": [["content": "x"]]], ["files": [["name": "a.txt", "filename": "evil.exe"]]],
    ] {
      #expect(try await rules("hello", files) != nil, "\(files)")
    }
    #expect(try await rules("mail jane@example.com") != nil)
    #expect(try await rules("mail her", ["to": ["who": "jane@example.com"]]) != nil)
    #expect(try await rules("<script>alert(1)</script>") != nil)
    let trail = try await server.get("/v1/audit?actions=guardrail.refused").text
    for rule in ["max_input_size", "allowed_file_types", "email", "malicious_code"] {
      #expect(trail.contains(rule), "\(rule)")
    }
    await server.stop()
  }

  @Test("rate limits of the guardrails are those of the server")
  func rates() async throws {
    // This machine's own requests are not counted: these come from elsewhere.
    let (workspace, data) = (
      try Folder([
        "agents/a.lua": Self.echo,
        "perigee.yaml": """
        auth: { mode: jwt }
        server: { trusted_proxies: [127.0.0.1] }
        guardrails: { input_validation: { rate_limits: { requests_per_minute: 2, requests_per_hour: 1000 } } }
        """,
      ]), try Folder()
    )
    let server = try await RunningServer(
      workspace: workspace.path, data: data.path,
      environment: ["PERIGEE_JWT_SECRET": "a-secret-of-32-bytes-for-the-test"])
    var statuses: [Int] = []
    for _ in 1...3 {
      let answer = try await server.send(
        "GET", "/v1/agents", body: nil, headers: [("X-Forwarded-For", "203.0.113.7")])
      statuses.append(answer.status)
    }
    #expect(statuses == [401, 401, 429])
    await server.stop()
    let both = try await Self.refusal(
      "limits: { requests_per_minute: 5 }\nguardrails:\n  input_validation: { rate_limits: "
        + "{ requests_per_minute: 7 } }")
    #expect(
      both.status == 2 && both.errors.contains("perigee.yaml:3:")
        && both.errors.contains("says otherwise than limits.requests_per_minute (perigee.yaml:1:"),
      "\(both.errors)")
  }

  @Test("runs end after the longest time there is, whatever an agent says, and use no more of a processor")
  func time() async throws {
    let (slow, _) = try await Self.start(
      "execution_limits: { max_execution_time: 300ms }",
      "return { limits = { seconds = 60 }, run = function() time.sleep(20) return 'late' end }")
    let late = try await slow.chat("a", "hi")
    #expect(late.status == 504 && late.text.contains("longer than 0.3 s"), "\(late.text)")
    await slow.stop()
    let (job, _) = try await Self.start(
      "execution_limits: { max_execution_time: 300ms }",
      "return { access = { queue = true }, run = function() queue.publish('wait', {}) return 'ok' end }",
      tools: """
        return { wait = { description = "d", action = true, timeout = 60, retry = 0,
          run = function() time.sleep(20) end } }
        """)
    #expect(try await job.chat("a", "hi").status == 200)
    var letters: [JSON] = []
    while letters.isEmpty { letters = try await job.get("/v1/dead-letters").json["data"]?.array ?? [] }
    #expect(letters[0]["error"]?["message"] == "wait took longer than 0.3 s", "\(letters)")
    await job.stop()
    let (busy, _) = try await Self.start(
      "execution_limits: { max_execution_time: 20s, max_cpu_usage: \"1%\" }",
      """
      return { run = function(ctx, input)
        local start = os.clock()
        while os.clock() - start < 2 do end
        return 'done'
      end }
      """)
    #expect(try await busy.chat("a", "hi").json["code"] == "limit")
    await busy.stop()
  }

  @Test("scripts get no more memory than the guardrails leave them")
  func memory() async throws {
    let script = "return { run = function() return tostring(#string.rep('x', 12 * 1024 * 1024)) end }"
    let (large, _) = try await Self.start("execution_limits: { max_memory_usage: 1GB }", script)
    #expect(try await large.chat("a", "hi").json["response"] == "12582912")
    await large.stop()
    let (small, _) = try await Self.start("execution_limits: { max_memory_usage: 8MB }", script)
    let answer = try await small.chat("a", "hi")
    #expect(answer.status != 200, "\(answer.text)")
    await small.stop()
  }

  @Test("requests go only to domains that are allowed, and to no port that is blocked")
  func network() async throws {
    let service = try ScriptedProvider(.json(["ok": true]))
    let script = """
      return { access = { http = { "127.0.0.1:*", "127.0.0.1:\(service.port)" } }, run = function()
        local ok, e = pcall(http.get, "http://127.0.0.1:\(service.port)/x")
        return ok and "reached" or e.code
      end }
      """.replacingOccurrences(of: #""127.0.0.1:*", "#, with: "")
    for (rules, answer) in [
      ("blocked_ports: [22, 23, 3389]", "reached"), ("blocked_ports: [22, \(service.port)]", "denied"),
      ("allowed_domains: [api.openai.com, \"*.trusted-domain.com\"]", "denied"),
      ("allowed_domains: [\"127.0.0.1:\(service.port)\"]", "reached"),
    ] {
      let (server, _) = try await Self.start(
        "execution_limits: { network_restrictions: { \(rules) } }", script,
        more: "http: { private_addresses: true }")
      let reply = try await server.chat("a", "hi")
      #expect(reply.json["response"] == .string(answer), "\(rules): \(reply.text)")
      await server.stop()
    }
    #expect(service.requests.count == 2)
  }

  @Test("personal data is removed from answers, secrets are masked, and what is too long is not given")
  func output() async throws {
    let (server, _) = try await Self.start(
      "output_filtering: { pii_removal: true, sensitive_data_masking: true, format_validation: true, "
        + "size_limits: 1KB }",
      """
      return { run = function(ctx, input)
        if input.message == "long" then return string.rep("x", 1025) end
        return "mail jane@" .. "example.com, key sk-" .. "proj-" .. string.rep("a1B2", 12)
      end }
      """)
    #expect(
      try await server.chat("a", "hi").json["response"] == "mail [removed: email], key [removed: api_key]")
    let long = try await server.chat("a", "long")
    #expect(long.json["code"] == "limit" && !long.text.contains("xxx"), "\(long.text)")
    let run = try #require(
      try await server.get("/v1/runs").json["data"]?.array?.first { $0["status"] == "failed" }?["id"]?.string)
    let spans = try await server.get("/v1/runs/\(run)/trace").json["spans"]?.array
    #expect(
      spans?.last?["result"] == ["stage": "output", "action": "refused", "rules": ["size_limits"]])
    await server.stop()
  }

  @Test("what the law wants is in force, or the server does not start")
  func compliance() async throws {
    let open = "auth: { mode: api_key }\nserver: { host: 0.0.0.0 }\nguardrails:\n"
    let transit = try await Self.refusal(open + "  compliance: { encryption_in_transit: true }")
    #expect(
      transit.status == 2 && transit.errors.contains("perigee.yaml:4:")
        && transit.errors.contains("0.0.0.0 is served without TLS"), "\(transit.errors)")
    let plain = try await Self.refusal(
      "server: { public_url: \"http://a.example.com\" }\n"
        + "guardrails: { compliance: { encryption_in_transit: true } }")
    #expect(plain.status == 2 && plain.errors.contains("public_url is http://"), "\(plain.errors)")
    let rest = try await Self.refusal("guardrails: { compliance: { encryption_at_rest: true } }")
    #expect(rest.status == 2 && rest.errors.contains("encrypted disk"), "\(rest.errors)")
    let workspace = try Folder([
      "agents/a.lua": Self.echo,
      "perigee.yaml": """
      guardrails:
        compliance: { data_retention_days: 30, audit_log_level: INFO, encryption_at_rest: disk,
                      encryption_in_transit: true }
        execution_limits: { max_memory_usage: 16MB, max_execution_time: 2s, max_cpu_usage: "50%" }
      """,
    ])
    let doctor = try await perigee("doctor", "--workspace", workspace.path)
    let days = doctor.output.split(separator: "\n").first { $0.contains("retention.days") }
    let lines = doctor.output.split(separator: "\n")
    for (key, value) in [("memory_max", "16MB"), ("run_seconds", "2"), ("cpu_ms", "1000")] {
      let line = lines.first { $0.hasPrefix("scripts.\(key) ") }
      #expect(line?.contains(" \(value)  (perigee.yaml:4") == true, "\(doctor.output)")
    }
    #expect(days?.contains("30") == true && days?.contains("perigee.yaml:2") == true, "\(doctor.output)")
  }

  @Test(
    "a wrong value is refused with its place",
    arguments: [
      ("input_validation: { max_input_size: lots }", "max_input_size must be"),
      (
        "input_validation: { max_input_sise: 1MB }",
        "did you mean 'guardrails.input_validation.max_input_size'?"
      ),
      ("input_validation: { allowed_file_types: [txt] }", "allowed_file_types must hold only"),
      ("input_validation: { content_filters: [profanty] }", "did you mean 'profanity'?"),
      ("execution_limits: { max_cpu_usage: 80 }", "max_cpu_usage must be a share"),
      ("execution_limits: { max_cpu_usage: \"180%\" }", "max_cpu_usage must be a share"),
      (
        "execution_limits: { network_restrictions: { blocked_ports: [70000] } }",
        "blocked_ports must hold only"
      ),
      (
        "execution_limits: { network_restrictions: { allowed_domains: [] } }",
        "leave it out to allow the hosts of each tool's own list"
      ),
      ("output_filtering: { format_validation: false }", "format_validation must be true"),
      ("compliance: { audit_log_level: ERROR }", "audit_log_level must be INFO or DEBUG"),
      ("tools: { hide: [pii] }", "unknown key 'guardrails.tools.hide'"),
    ])
  func wrong(_ policy: String, _ message: String) async throws {
    let refused = try await Self.refusal("guardrails:\n  \(policy)\n")
    #expect(
      refused.status == 2 && refused.errors.contains("perigee.yaml:2:") && refused.errors.contains(message),
      "\(refused.errors)")
  }
}
