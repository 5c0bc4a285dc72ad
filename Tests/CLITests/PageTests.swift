// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// Chromium and its driver come by `scripts/setup.sh browser`; CI has to have them.
enum Browser {
  static var isThere: Bool {
    PythonTests.isThere
      && (PythonTests.isCI || PythonTests.onPath("chromium") && PythonTests.onPath("chromedriver"))
  }
}

/// The page at `/`, driven in a real browser.
@Suite("The page in a browser", .timeLimit(.minutes(5)))
struct PageTests {
  @Test(
    "shows text as it comes, calls, a bad edit until it is mended, failures, and thumbs; in narrow windows, too",
    .enabled(if: Browser.isThere),
    arguments: [
      "test_conversation_and_edits", "test_failure_and_new_conversation", "test_thumbs", "test_narrow",
      "test_reload",
    ])
  func page(test: String) async throws {
    let gate = Gate()
    if ["test_narrow", "test_thumbs"].contains(test) { gate.open() }
    let provider = try ScriptedProvider { request in
      if request.path == "/go" {
        gate.open()
        return .json([:])
      }
      return Self.answer(request.json, gate)
    }
    let workspace = try Self.workspace()
    let data = try Folder()
    let server = try await RunningServer(
      workspace: workspace.path, data: data.path, environment: ["OPENAI_BASE_URL": provider.baseURL],
      command: "dev")
    let outcome = try await PythonTests.run(
      "test_page.Page.\(test)", in: "page",
      environment: [
        "PERIGEE_ORIGIN": server.origin, "PERIGEE_WORKSPACE": workspace.path,
        "PERIGEE_PROVIDER": provider.origin,
      ])
    await server.stop()
    #expect(outcome.status == 0, "\(outcome.errors) \(outcome.output)")
    #expect(outcome.errors.contains("\nOK"))
  }

  @Test(
    "lists conversations to be opened, renamed and deleted, and shows approvals as forms",
    .enabled(if: Browser.isThere),
    arguments: [
      "test_open_reload_and_back", "test_rename_and_delete", "test_drawer", "test_form", "test_step",
      "test_calls",
    ])
  func conversations(test: String) async throws {
    let workspace = try Folder(Self.conversing)
    try await RunningServer.with(workspace: workspace.path) { server in
      let outcome = try await PythonTests.run(
        "test_conversations.Conversations.\(test)", in: "page",
        environment: ["PERIGEE_ORIGIN": server.origin])
      #expect(outcome.status == 0, "\(outcome.errors) \(outcome.output)")
      #expect(outcome.errors.contains("\nOK"))
    }
  }

  @Test(
    "asks who one is where the server wants to know", .enabled(if: Browser.isThere),
    arguments: ["user", "operator"])
  func identity(role: String) async throws {
    let secret = ["PERIGEE_JWT_SECRET": "a secret of more than thirty-two bytes, for HS256"]
    let workspace = try Folder([
      "perigee.yaml": "auth: { mode: jwt }",
      "agents/a.lua": "return { run = function(ctx) return 'hello ' .. ctx.user.id end }",
    ])
    let data = try Folder()
    let server = try await RunningServer(workspace: workspace.path, data: data.path, environment: secret)
    let token = try await perigee(
      "token", "--user", "ann", "--role", role, "--workspace", workspace.path, environment: secret)
    let outcome = try await PythonTests.run(
      "test_page.Identity.test_token", in: "page",
      environment: [
        "PERIGEE_ORIGIN": server.origin, "PERIGEE_WORKSPACE": workspace.path,
        "PERIGEE_TOKEN": token.output.trimmingCharacters(in: .newlines),
      ])
    await server.stop()
    #expect(outcome.status == 0, "\(outcome.errors) \(outcome.output)")
  }

  @Test(
    "/docs shows what the description says, by its groups, and finds what is looked for",
    .enabled(if: Browser.isThere), arguments: ["none", "any"])
  func docs(mode: String) async throws {
    let workspace = try Folder([
      "perigee.yaml": "auth: { mode: \(mode) }",
      "agents/a.lua": "return { run = function() return 'hello' end }",
    ])
    let data = try Folder()
    let server = try await RunningServer(
      workspace: workspace.path, data: data.path,
      environment: ["PERIGEE_JWT_SECRET": "a secret of more than thirty-two bytes, for HS256"])
    let outcome = try await PythonTests.run(
      "test_docs", in: "page", environment: ["PERIGEE_ORIGIN": server.origin, "PERIGEE_AUTH": mode])
    await server.stop()
    #expect(outcome.status == 0, "\(outcome.errors) \(outcome.output)")
    #expect(outcome.errors.contains("\nOK"))
  }

  private static let conversing = [
    "tools/t.lua": """
    return {
      look = {
        description = "Looks.", parameters = { what = "string" }, effect = "read",
        run = function(_, args) return { seen = args.what } end,
      },
    }
    """,
    "agents/echo.lua": """
    return {
      tools = { "look" },
      run = function(_, input) return "you said " .. tools.call("look", { what = input.message }).seen end,
    }
    """,
    "agents/desk.lua": """
    return {
      tools = { "look" },
      run = function()
        tools.call("look", { what = "shelf" })
        return approval.request{ title = "Go on?", timeout = "48h" }.approved and "went on" or "stayed"
      end,
    }
    """,
    "agents/refund.lua": """
    return {
      run = function()
        local answer = approval.request{
          title = "Refund?", detail = { about = "the lens" }, timeout = "48h",
          fields = {
            amount = { type = "number", minimum = 1, maximum = 250 },
            reason = { type = "string", enum = { "broken", "late" } },
            note = "string?",
            notify = { type = "boolean", default = true },
          },
        }
        if not answer.approved then return "not refunded: " .. answer.comment end
        local values = answer.values
        return ("refunded %d because %s, %s: %s"):format(
          values.amount, values.reason, tostring(values.notify), answer.comment)
      end,
    }
    """,
    "agents/listing.lua": """
    return {
      steps = {
        review  = { approval = "Publish?", timeout = "48h", fields = { price = "integer" } },
        publish = {
          needs = { "review" }, run = function(_, r) return "published for " .. r.review.values.price end,
        },
      },
    }
    """,
  ]

  /// The to-do assistant that ships, and an agent that fails.
  private static func workspace() throws -> Folder {
    let workspace = try Folder([
      "perigee.yaml": "models: { default: test-model }\n",
      "agents/unlucky.lua": """
      return {
        description = "Writes down what you say, or tries to.",
        run = function() error({ code = "conflict", message = "the pen broke" }) end,
      }

      """,
    ])
    for file in ["agents/todo.lua", "tools/todos.lua", "lib/commands.lua"] {
      try workspace.write(
        file, String(contentsOfFile: "\(PerigeeBinary.repository)/\(file)", encoding: .utf8))
    }
    return workspace
  }

  /// Looks at the list, and then tells of it: the end of the answer waits for the gate.
  private static func answer(_ request: JSON, _ gate: Gate) -> ScriptedProvider.Reply {
    let messages = request["messages"]?.array ?? []
    guard messages.last?["role"] == "tool" else { return .events(looking.map { (nil, $0) }) }
    let pieces = ScriptedProvider.Reply.streamedCompletion(["You have ", "two things", " to do."])
    return .events(pieces.map { ($0.contains(" to do.") ? gate : nil, $0) })
  }

  private static let looking = [
    #"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","function":{"name":"list_todos","arguments":"{}"}}]}}]}"#,
    #"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#, "[DONE]",
  ]
}
