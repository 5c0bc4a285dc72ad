// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import TestSupport
import Testing

/// Calls of tools that a model asks for at once.
@Suite("Order of tool calls", .timeLimit(.minutes(2)))
struct ToolOrderTests {
  /// Each call of a tool tells the service when it begins and when it ends.
  private static func workspace(service: ScriptedProvider) throws -> Folder {
    let host = "127.0.0.1:\(service.port)"
    func tool(_ effect: String) -> String {
      """
      { description = "Works.", parameters = { n = "integer" }, effect = "\(effect)", timeout = 20,
        access = { http = { "\(host)" } },
        run = function(ctx, args)
          http.post("http://\(host)/begin/" .. args.n, {})
          http.post("http://\(host)/end/" .. args.n, {})
          return { n = args.n }
        end }
      """
    }
    return try Folder([
      "perigee.yaml": "http: { private_addresses: true }",
      "agents/a.lua": "return { prompt = 'p', tools = { 'look', 'work' } }",
      "tools/t.lua": "return { look = \(tool("read")), work = \(tool("write")) }",
    ])
  }

  /// The results that the model gets for the calls, in their order.
  private static func results(of tool: String, service: ScriptedProvider) async throws -> [JSON?] {
    let provider = try ScriptedProvider(
      .toolCalls((1...3).map { ("c\($0)", tool, #"{"n":\#($0)}"#) }), .completion("Done."))
    let workspace = try Self.workspace(service: service)
    var calls: [JSON] = []
    try await RunningServer.with(
      workspace: workspace.path,
      environment: ["OPENAI_BASE_URL": provider.baseURL, "OPENAI_API_KEY": "sk-secret"]
    ) { server in
      let answer = try await server.chat("a", "go")
      #expect(answer.json["response"] == "Done.", "\(answer.text)")
      calls = answer.json["tool_calls"]?.array ?? []
    }
    let sent = provider.requests.last?.json["messages"]?.array?.suffix(3)
    #expect(sent?.map { $0["tool_call_id"] } == ["c1", "c2", "c3"])
    return calls.map { $0["result"]?["n"] }
  }

  @Test("tools that only read run beside each other: each ends when all have begun")
  func reads() async throws {
    let (begun, gate) = (Tally(), Gate())
    let service = try ScriptedProvider { request in
      guard request.path.hasPrefix("/begin") else { return .json([:]) }
      if begun.increment() == 2 { gate.open() }
      return .json([:]).held(by: gate)
    }
    #expect(try await Self.results(of: "look", service: service) == [1, 2, 3])
  }

  @Test("tools that write run one by one, in the order of the model")
  func writes() async throws {
    let service = try ScriptedProvider(.json([:]))
    #expect(try await Self.results(of: "work", service: service) == [1, 2, 3])
    #expect(
      service.requests.map(\.path) == ["/begin/1", "/end/1", "/begin/2", "/end/2", "/begin/3", "/end/3"])
  }
}
