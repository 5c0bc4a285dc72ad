// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// The agents of the repository, in the real server and with a model.
@Suite("Shipped agents", .timeLimit(.minutes(3)))
struct ShippedAgentTests {
  private static func environment(_ provider: ScriptedProvider) -> [String: String] {
    ["OPENAI_BASE_URL": provider.baseURL, "OPENAI_API_KEY": "sk-secret"]
  }

  private static func system(_ request: ScriptedProvider.Request) -> String {
    request.json["messages"]?.array?.first?["content"]?.string ?? ""
  }

  private static func roles(_ request: ScriptedProvider.Request) -> [String?] {
    request.json["messages"]?.array?.map { $0["role"]?.string } ?? []
  }

  @Test("the to-do agent's request has its model, messages, five tools and temperature, and forces no tool")
  func todoRequest() async throws {
    let provider = try ScriptedProvider(.completion("Hello."))
    let environment = Self.environment(provider).merging(["AGENT_MODEL_NAME": "gpt-4-turbo-preview"]) { $1 }
    try await RunningServer.with(environment: environment) { server in
      let answer = try await server.chat("todo", "hi")
      #expect(answer.json["response"] == "Hello.", "\(answer.text)")
    }
    let request = try #require(provider.requests.first)
    let sent = request.json
    #expect(request.path == "/v1/chat/completions")
    #expect(sent["model"] == "gpt-4-turbo-preview" && sent["temperature"]?.double == 0.7)
    #expect(Self.roles(request) == ["system", "user"] && sent["messages"]?.array?.last?["content"] == "hi")
    let tools = try #require(sent["tools"]?.array)
    #expect(
      tools.allSatisfy { $0["type"] == "function" && $0["function"]?["parameters"]?["type"] == "object" })
    #expect(
      tools.map { $0["function"]?["name"] } == [
        "list_todos", "add_todo", "update_todo", "delete_todo", "get_user_context",
      ])
    // Left out, it is `auto`.
    #expect(sent["tool_choice"] == nil)
  }

  // MARK: Market

  @Test("a model that sees looks at the photos of a listing; where there is none, their captions are taken")
  func photos() async throws {
    let provider = try ScriptedProvider { request in
      let messages = request.json["messages"]?.array ?? []
      if messages.first?["content"]?.array != nil { return .completion("Kırmızı bir bisiklet, iyi durumda.") }
      guard messages.last?["role"] != "tool" else {
        return .completion(
          RawJSON(["draft_id": 1, "images": .null, "rejected": .null]).text)
      }
      return .toolCalls([
        ("c1", "analyze_image", #"{"url":"https://example.com/bisiklet.jpg"}"#),
        ("c2", "analyze_image", #"{"url":"http://example.com/x.exe","caption":"not"}"#),
      ])
    }
    try await RunningServer.with(environment: Self.environment(provider)) { server in
      let answer = try await server.chat("market.image", "1", input: ["draft_id": 1])
      let subjects = answer.json["tool_calls"]?.array?.map { $0["result"]?["subject"] }
      #expect(subjects == ["Kırmızı bir bisiklet, iyi durumda.", "not"], "\(answer.text)")
    }
    let looks = provider.requests.compactMap { $0.json["messages"]?.array?.first?["content"]?.array }
    #expect(looks.count == 1)
    #expect(
      looks.first?.first == [
        "type": "image_url", "image_url": ["url": "https://example.com/bisiklet.jpg", "detail": "low"],
      ])
  }

  // MARK: Advisors

  private static func advise(
    _ server: RunningServer, _ agent: String, _ message: String
  ) async throws -> RunningServer.Answer {
    try await server.post("/agents/\(agent)/chat", ["user_id": "ann", "message": .string(message)])
  }

  @Test(
    "an advisor's model is told who speaks with whom, in which role; what breaks the rules goes back to it")
  func advisor() async throws {
    let turn = Tally()
    let provider = try ScriptedProvider { _ in
      .completion(
        ["Buy it all.", "The risk is high.", "The risk is low.", "A cup for the quiet."][turn.increment()])
    }
    try await RunningServer.with(environment: Self.environment(provider)) { server in
      #expect(try await Self.advise(server, "agent_nobody", "").status == 400)
      #expect(try await Self.advise(server, "agent_nobody", "hi").status == 404)
      #expect(try await Self.advise(server, "agent_alpha", " \u{1} ").json["code"] == "rejected")
      #expect(provider.requests.isEmpty)

      let first = try await Self.advise(server, "agent_alpha", "  Shall I\u{1} buy shares?\n")
      #expect(
        first.json["response"]?.string?.hasPrefix("The risk is high.\n\nThis is general") == true,
        "\(first.text)")
      let second = try await Self.advise(server, "agent_alpha", "And in 20 years?")
      #expect(second.json["conversation_id"] == first.json["conversation_id"])
      _ = try await Self.advise(server, "agent_beta", "A headline for night nurses")
    }
    let requests = provider.requests
    guard requests.count == 4 else {
      Issue.record("\(requests.count) requests")
      return
    }
    #expect(requests[0].json["messages"]?.array?.last?["content"] == "Shall I buy shares?")
    #expect(Self.roles(requests[1]) == ["system", "user", "assistant", "user"])
    #expect(
      requests[1].json["messages"]?.array?.last?["content"]?.string?.contains("nothing of the risk") == true)
    // What was kept is what was said in the end.
    let history = requests[2].json["messages"]?.array?.dropFirst().map { $0["content"]?.string } ?? []
    #expect(history.first == "Shall I buy shares?" && history.last == "And in 20 years?")
    #expect(history.count == 3 && history[1]?.hasPrefix("The risk is high.") == true)

    let told = Self.system(requests[2])
    let parts = [
      "financial advisor", "investment strategy", "data-driven, systematic, logical-reasoning",
      "professional",
      "Risk assessment", "\"horizon_years\":20", "local/ann", "has 2 messages so far",
    ]
    #expect(parts.allSatisfy { told.contains($0) }, "\(told)")
    #expect(
      told.contains(#/The conversation began at 20\d\d-.+Z, its last message came at 20\d\d-.+Z/#), "\(told)")
    // Another advisor of the same user knows nothing of it.
    #expect(Self.roles(requests[3]) == ["system", "user"])
    #expect(Self.system(requests[3]).contains("has 0 messages so far"))
    #expect(Self.system(requests[3]).contains("innovative, imaginative, inspirational"))
  }

  // MARK: A publication

  private static let draft = String(repeating: "word ", count: 20)

  private static func decide(_ server: RunningServer, _ id: String, _ decision: JSON) async throws {
    let answer = try await server.post("/v1/approvals/\(id)", decision)
    #expect(answer.status == 200, "\(answer.text)")
  }

  /// The question that waits, once there is one.
  private static func question(_ server: RunningServer) async throws -> String {
    while true {
      let asked = try await server.get("/v1/approvals").json["data"]?.array?.first {
        $0["status"] == "pending"
      }
      if let id = asked?["id"]?.string { return id }
    }
  }

  /// The session's last answer, and the states that its run went through, once that has ended.
  private static func ended(_ server: RunningServer) async throws -> (answer: String?, states: [String]) {
    try await waitWhile {
      try await server.get("/v1/runs").json["data"]?.array?.first?["finished_at"]?.isNull != false
    }
    let messages = try await server.get("/v1/sessions/s/messages").json["data"]?.array
    let steps = try await server.get("/v1/events?limit=200&types=workflow.step_completed").json["data"]?.array
    return (messages?.last?["content"]?.string, steps?.compactMap { $0["step_name"]?.string } ?? [])
  }

  @Test("a publication that a person sends back is written anew, and published when one agrees")
  func publication() async throws {
    let provider = try ScriptedProvider { request in
      request.json["messages"]?.array?.last?["role"] == "tool"
        ? .completion(Self.draft) : .toolCalls([("c1", "list_notices", "{}")])
    }
    try await RunningServer.with(environment: Self.environment(provider)) { server in
      let waiting = try await server.chat("orchestrator.publication", "A new tea", session: "s")
      #expect(waiting.status == 202 && waiting.json["approval"]?["title"] == "Publish this notice?")
      #expect(waiting.json["approval"]?["detail"] == ["topic": "A new tea", "draft": .string(Self.draft)])
      let first = try await Self.question(server)
      try await Self.decide(server, first, ["decision": "reject", "comment": "more about the price"])
      let second = try await Self.question(server)
      #expect(second != first)
      try await Self.decide(server, second, ["decision": "approve"])

      let (answer, states) = try await Self.ended(server)
      #expect(answer == "Published as notice 1:\n\(Self.draft)")
      #expect(
        states == [
          "START", "PROCESSING", "REVIEW", "ERROR", "PROCESSING", "REVIEW", "APPROVED", "COMPLETE",
        ])
      #expect(provider.requests.count == 4)
      #expect(!Self.system(provider.requests[0]).contains("the price"))
      #expect(Self.system(provider.requests[2]).contains("more about the price"))

      let told = try await server.get("/v1/events?types=external.*").json["data"]?.array
      #expect(told?.map { $0["event_type"] } == ["external.notice.returned", "external.notice.published"])
      #expect(told?.first?["data"]?["code"] == "denied" && told?.last?["data"] == ["notice": 1])
      let trail = try await server.get("/v1/audit?actions=tool.called,approval.decided,run.ended").json[
        "data"]?
        .array
      let targets = trail?.reversed().compactMap { $0["target"]?.string } ?? []
      #expect(targets.contains("tool:publish_notice"), "\(targets)")
      #expect(trail?.filter { $0["action"] == "approval.decided" }.count == 2)
    }
  }

  @Test("a publication that is rejected again and again ends, and nothing is published")
  func rejectedPublication() async throws {
    try await RunningServer.with { server in
      _ = try await server.chat("orchestrator.publication", "A new tea", session: "s")
      for _ in 0..<2 {
        try await Self.decide(
          server, try await Self.question(server), ["decision": "reject", "comment": "no"])
      }
      let (answer, states) = try await Self.ended(server)
      #expect(answer?.hasPrefix("Not published: a person rejected") == true, "\(answer ?? "")")
      // The stub's first draft is too short.
      #expect(
        states == [
          "START", "PROCESSING", "ERROR", "PROCESSING", "REVIEW", "ERROR", "PROCESSING", "REVIEW", "ERROR",
        ])
      let notices = try await server.chat("orchestrator", "notices")
      #expect(notices.json["tool_calls"]?.array?.first?["result"] == ["notices": []])
    }
  }

  // MARK: Tools that are mocked

  /// The agents that search the market, with what their files require, and this in place of the market's tools.
  private static func searching(with tools: String) throws -> Folder {
    let folder = try Folder(["tools/market/mocks.lua": tools])
    func copy(_ path: String) throws {
      let text = try String(contentsOfFile: "\(PerigeeBinary.repository)/\(path)", encoding: .utf8)
      try folder.write(path, text)
    }
    for name in ["search_composer", "category_search", "price_search", "content_search"] {
      try copy("agents/market/\(name).lua")
    }
    let library = FileManager.default.enumerator(atPath: "\(PerigeeBinary.repository)/lib")
    while let path = library?.nextObject() as? String {
      if path.hasSuffix(".lua") { try copy("lib/\(path)") }
    }
    return folder
  }

  @Test("a tool of the same name is a mock: an agent knows of data what its tools say, and nothing else")
  func mocked() async throws {
    let workspace = try Self.searching(
      with: """
        return { search_listings = {
          description = "Finds what the test says.",
          parameters = {
            category = { type = "string", optional = true }, words = { type = "array", items = { type = "string" } },
            price_min = { type = "integer", optional = true }, price_max = { type = "integer", optional = true },
          },
          effect = "read",
          run = function(_, args)
            if args.price_max == 1 then error({ code = "conflict", message = "not today" }) end
            local phone = { listing_id = 7, title = "Ayna", price = 500, category = "elektronik" }
            return { listings = { phone }, total = 1 }
          end,
        } }
        """)
    try await RunningServer.with(workspace: workspace.path) { server in
      let found = try await server.chat("market.search_composer", "Telefon arıyorum")
      #expect(
        found.json["response"]?.string?.hasPrefix("1 ilan bulundu:\n7. Ayna, 500 TL") == true, "\(found.text)"
      )
      let call = found.json["tool_calls"]?.array?.first
      #expect(call?["name"] == "search_listings" && call?["arguments"]?["category"] == "elektronik")
      let failed = try await server.chat("market.search_composer", "1 TL altında ne var?")
      #expect(failed.status == 409 && failed.json["code"] == "conflict", "\(failed.text)")
    }
  }
}
