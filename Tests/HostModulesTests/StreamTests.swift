// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("llm.stream", .timeLimit(.minutes(5)))
struct StreamTests {
  typealias Reply = ScriptedProvider.Reply

  private static let request = #"messages = { { role = "user", content = "Hi" } }"#

  private static func streamed(_ pieces: String...) -> Reply {
    .events(Reply.streamedCompletion(pieces).map { (nil, $0) })
  }

  /// The first piece, and then nothing until the other side leaves.
  private static let stalled = Reply.events(Reply.streamedCompletion(["one", "MARK"]).map { (nil, $0) })
    .broken(before: "MARK", by: .stall)

  @Test("each piece goes to on_token in its order, which may wait; the answer is that of llm.chat")
  func pieces() async throws {
    let provider = try ScriptedProvider(Self.streamed("One ", "two ", "three"))
    let text = try await TestWorkspace.answer(
      """
      local seen = {}
      local answer = llm.stream{ \(Self.request), temperature = 0, on_token = function(text)
        kv.set("last", text)
        seen[#seen + 1] = kv.get("last")
      end }
      return table.concat(seen, "|") .. " = " .. answer.text .. " " .. answer.finish_reason .. " "
        .. answer.usage.output_tokens
      """, access: #"kv = "write""#, provider: provider.baseURL)
    #expect(text == "One |two |three = One two three stop 5")
    #expect(provider.requests.first?.json["stream"] == true)
    #expect(provider.requests.first?.json["temperature"]?.double == 0)
  }

  @Test("an error in on_token is the call's error and closes the request")
  func error() async throws {
    let provider = try ScriptedProvider(Self.stalled)
    let text = try await TestWorkspace.answer(
      """
      local ok, e = pcall(llm.stream, { \(Self.request), on_token = function(text)
        error({ code = "conflict", message = "enough of " .. text })
      end })
      return tostring(ok) .. " " .. e.code .. " " .. e.message
      """, provider: provider.baseURL)
    #expect(text == "false conflict enough of one")
    await provider.closedConnections(atLeast: 1)
  }

  @Test("an error that nothing catches names the line of on_token; what was sent is counted")
  func uncaught() async throws {
    let provider = try ScriptedProvider(Self.stalled)
    let agent = """
      return { run = function()
        llm.stream{ \(Self.request), on_token = function()
          error("boom")
        end }
      end }
      """
    try await TestWorkspace.with(["agents/a.lua": agent], provider: provider.baseURL) { workspace in
      let failure = await #expect(throws: Failure.self) { try await workspace.chat("a") }
      #expect(failure?.diagnostic?.contains("agents/a.lua:3: boom") == true, "\(failure?.diagnostic ?? "")")
      let run = try await workspace.store.runs(visibleTo: .everyone, page: PageRequest()).items.first
      #expect(run?.usage.inputTokens ?? 0 > 0)
      #expect(run?.usage.outputTokens == 1)
    }
  }

  @Test("a run that is cancelled while on_token waits closes the request")
  func cancelled() async throws {
    let (provider, other) = (try ScriptedProvider(Self.stalled), try ScriptedProvider(.silence))
    let agent = """
      return { access = { http = { "127.0.0.1:\(other.port)" } }, run = function()
        llm.stream{ \(Self.request), on_token = function() http.get("\(other.origin)") end }
      end }
      """
    try await TestWorkspace.with(["agents/a.lua": agent], provider: provider.baseURL) { workspace in
      let task = Task { try await workspace.chat("a") }
      await other.requests(atLeast: 1)
      task.cancel()
      let failure = await #expect(throws: Failure.self) { try await task.value }
      #expect(failure?.code == .cancelled)
      await provider.closedConnections(atLeast: 1)
    }
  }

  @Test("while the script works the provider is held up")
  func backPressure() async throws {
    let meter = FloodMeter()
    let piece =
      #"data: {"choices":[{"delta":{"content":"\#(String(repeating: "x", count: 65_000))"}}]}"# + "\n\n"
    let provider = try ScriptedProvider { request in
      request.path == "/other" ? .status(200) : .flood(Array(piece.utf8), bytesMax: 15 << 20, meter: meter)
    }
    let text = try await TestWorkspace.answer(
      """
      local count = 0
      local ok, e = pcall(llm.stream, { \(Self.request), on_token = function(text)
        for _ = 1, 200 do http.get("\(provider.origin)/other") end
        count = count + 1
        error("enough")
      end })
      return count .. " " .. tostring(ok)
      """, access: #"http = { "127.0.0.1:\#(provider.port)" }"#, provider: provider.baseURL)
    #expect(text == "1 false")
    // What the two ends of the socket and the pipe hold, and not all that there is.
    #expect(meter.bytes < 12 << 20)
  }

  @Test(
    "a provider that fails after its first piece gives an interrupted answer; before it, llm.chat's error")
  func failures() async throws {
    let broken = Reply.events(Reply.streamedCompletion(["one", "MARK"]).map { (nil, $0) })
      .broken(before: "MARK", by: .reset)
    for (reply, expected) in [(broken, "one|one interrupted"), (.failure(400), "|upstream false")] {
      let provider = try ScriptedProvider(reply)
      let text = try await TestWorkspace.answer(
        """
        local seen = ""
        local ok, a = pcall(llm.stream, { \(Self.request), on_token = function(text) seen = seen .. text end })
        return seen .. "|" .. (ok and a.text .. " " .. a.finish_reason or a.code .. " " .. tostring(a.retryable))
        """, provider: provider.baseURL)
      #expect(text == expected)
    }
  }

  @Test("with output there is one piece, the answer that fits")
  func output() async throws {
    let provider = try ScriptedProvider(.completion("Sure!"), .completion(#"{"n":1}"#))
    let text = try await TestWorkspace.answer(
      """
      local seen = {}
      local answer = llm.stream{ \(Self.request), output = { n = "integer" },
        on_token = function(text) seen[#seen + 1] = text end }
      return table.concat(seen, "|") .. " " .. answer.data.n
      """, provider: provider.baseURL)
    #expect(text == #"{"n":1} 1"#)
  }

  @Test("without a model it fails as llm.chat does, and wrong arguments are named")
  func refused() async throws {
    let text = try await TestWorkspace.answer(
      """
      local ignore = function() end
      local chat = select(2, pcall(llm.chat, { \(Self.request) }))
      local stream = select(2, pcall(llm.stream, { \(Self.request), on_token = ignore }))
      assert(chat.code == stream.code and chat.message == stream.message and chat.detail.kind == stream.detail.kind)
      local messages = {}
      for _, request in ipairs{ { \(Self.request) }, { on_token = ignore }, { on_token = ignore, mesages = {} } } do
        messages[#messages + 1] = select(2, pcall(llm.stream, request)).message
      end
      return table.concat(messages, "\\n")
      """)
    let lines = text.split(separator: "\n")
    #expect(lines.first == "option 'on_token' of llm.stream: function expected, got nil")
    #expect(lines.dropFirst().first?.contains("to 'llm.stream' ('messages' must be a list") == true)
    #expect(lines.last?.contains("unknown option 'mesages'") == true)
  }

  @Test("a tool needs access to models, and who watches the run is told only the answer")
  func surroundings() async throws {
    let provider = try ScriptedProvider(Self.streamed("One", "two"))
    let denied = try await TestWorkspace.answer(
      #"return select(2, pcall(tools.call, "t", {})).message"#,
      tools: """
        return { t = { description = "d", run = function()
          return llm.stream{ \(Self.request), on_token = function() end }.text
        end } }
        """, lists: #""t""#, provider: provider.baseURL)
    #expect(denied == "llm.stream is not allowed here: add access = { llm = true } to tool 't'")
    let agent =
      "return { run = function() return #llm.stream{ \(Self.request), on_token = print }.text .. '' end }"
    try await TestWorkspace.with(["agents/a.lua": agent], provider: provider.baseURL) {
      (workspace: TestWorkspace) async throws -> Void in
      let texts = Mutex<[String]>([])
      _ = try await workspace.runner.chat(ChatRequest(agent: "a", message: "x"), as: .local) { event in
        if case .text(let text) = event { texts.withLock { $0.append(text) } }
      }
      #expect(texts.withLock { $0 } == ["6"])
    }
  }
}
