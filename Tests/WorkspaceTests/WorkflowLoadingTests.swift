// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import JSONCodec
import Lint
import Testing

@testable import Workspace

@Suite("Workflows at load")
struct WorkflowLoadingTests {
  private static let beside = [
    "agents/market/title.lua": "return { prompt = 'p', tools = { 'publish' } }",
    "tools/market.lua":
      "return { publish = { description = 'Publishes.', parameters = { title = 'string' }, run = function() end } }",
  ]

  private func load(_ agent: String, lint: LintSettings?) async throws -> ScriptBundle {
    let directory = FileManager.default.temporaryDirectory.path + "/perigee-" + UUID().uuidString
    for (path, text) in Self.beside.merging(["agents/flow.lua": agent], uniquingKeysWith: { $1 }) {
      let url = URL(filePath: "\(directory)/\(path)")
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    defer { try? FileManager.default.removeItem(atPath: directory) }
    return try await ScriptBundle.load(directory: directory, lint: lint)
  }

  /// `line:column CODE message (hint)` of what is wrong, the same for a load and for lint.
  private func problems(_ agent: String) async throws -> [String] {
    var found: [[String]] = []
    for lint in [nil, LintSettings()] {
      do {
        let bundle = try await load(agent, lint: lint)
        found.append(bundle.warnings.map(text))
      } catch let error as WorkspaceError {
        found.append(error.diagnostics.map(text))
      }
    }
    #expect(found[0] == found[1], "a load and lint say different things")
    return found[0]
  }

  private func text(_ problem: Diagnostic) -> String {
    "\(problem.line):\(problem.column) \(problem.code) \(problem.message)\(problem.hint.map { " (\($0))" } ?? "")"
  }

  @Test("steps become a graph with all that they say")
  func steps() async throws {
    let bundle = try await load(
      """
      return {
        access = { http = { "hooks.example.com" } },
        steps = {
          title   = { agent = "market.title", timeout = 2.5, on_error = "continue" },
          prices  = { run = function(ctx, results) return { 1, 2 } end, when = function() return true end },
          publish = { tool = "publish", needs = { "title", "prices" }, for_each = "prices", limit = 2,
                      input = function(ctx, results, price) return { title = results.title } end,
                      retry = { attempts = 3, backoff = 0.5 }, on_error = "mend" },
          mend    = { sleep = "1m" },
          notify  = { webhook = "https://hooks.example.com/listed", needs = { "publish" } },
        },
      }
      """, lint: LintSettings())
    guard case .steps(let workflow) = try #require(bundle.agents["flow"]).body else {
      Issue.record("no graph")
      return
    }
    #expect(workflow.steps.map(\.name) == ["prices", "title", "publish", "notify", "mend"])
    let publish = workflow.steps[2]
    #expect(publish.task.action == .tool("publish") && publish.task.hasInput)
    #expect(publish.needs == ["title", "prices"] && publish.list == .step("prices") && publish.limit == 2)
    #expect(publish.task.retry == WorkflowTask.Retry(attempts: 3, backoffSeconds: 0.5))
    #expect(publish.onError == .substitute("mend"))
    #expect(workflow.steps[0].hasCondition && workflow.steps[0].task.action == .function)
    #expect(workflow.steps[1].task.timeoutSeconds == 2.5 && workflow.steps[1].onError == .proceed)
    #expect(workflow.steps[3].task.action == .webhook("https://hooks.example.com/listed"))
    #expect(workflow.steps[4].task.action == .sleep(seconds: 60))
  }

  @Test("states become a machine with all that they say")
  func states() async throws {
    let bundle = try await load(
      """
      return {
        initial = "start",
        states = {
          start    = { agent = "market.title", on = { ok = "check", error = "failed" } },
          check    = { run = function() return 1 end, next = function(ctx, result) return "failed" end },
          failed   = { sleep = 1 },
        },
      }
      """, lint: LintSettings())
    guard case .states(let machine) = try #require(bundle.agents["flow"]).body else {
      Issue.record("no machine")
      return
    }
    #expect(machine.initial == "start" && machine.states.map(\.name) == ["check", "failed", "start"])
    #expect(machine.states.map(\.exit) == [.function, .end, .state("check")])
    #expect(machine.states[2].onError == "failed")
  }

  @Test("what is wrong with a graph is told at its place, with the way to mend it")
  func wrongSteps() async throws {
    let found = try await problems(
      """
      local function f() return "x" end
      return {
        steps = {
          a = { run = f, needs = { "c" } },
          b = { run = f, needs = { "a" } },
          c = { run = f, needs = { "b" } },
          title = { agent = "market.title" },
          tool = { tool = "publish", needs = { "titel" } },
          two = { run = f, sleep = 5 },
          none = { needs = { "title" } },
          slow = { run = f, timeout = "soon", neds = {}, limit = 3 },
          hook = { webhook = "https://hooks.example.com/x" },
          odd = { webhook = "hooks.example.com" },
          again = { run = f, retry = { attempts = 0, backof = "1s" } },
          each = { run = f, for_each = "title" },
          nap = { sleep = "48h", retry = { attempts = 2 } },
          ["bad name"] = { run = f },
        },
      }
      """)
    let errors = [
      "4:5 W302 steps wait for each other: a → c → b → a",
      "8:42 W301 there is no step 'titel' (did you mean 'title'?)",
      "9:5 W303 'two' does run and sleep; one action a step",
      "10:5 W303 'none' does nothing: it needs one of agent, tool, run, approval, webhook, sleep",
      "11:23 W203 'timeout' is seconds, or a text such as \"30s\", \"90m\" or \"48h\"; at most 365d",
      "11:41 W201 a step has no field 'neds' (did you mean 'needs'?)",
      "11:52 W205 'limit' is of 'for_each', which is not there",
      "12:24 W308 access.http does not list 'hooks.example.com' (add access = { http = { \"hooks.example.com\" } } to the agent)",
      "13:13 W203 'webhook' is an address such as \"https://hooks.example.com/listed\"",
      "14:34 W203 'attempts' must be 1 to 20, not 0",
      "14:48 W201 retry has no field 'backof' (did you mean 'backoff'?)",
      "15:23 W205 'each' runs for each result of 'title' and does not need it (add it to needs)",
      "16:28 W205 'nap' sleeps, and takes no 'retry'",
      "17:6 W203 'bad name' is not a step's name: 1 to 64 characters of a-z A-Z 0-9 _ -",
    ]
    for error in errors { #expect(found.contains(error), "missing: \(error)") }
    #expect(found.count == errors.count, "\(found)")
  }

  @Test("names of agents and tools lead somewhere, also where only a load can tell")
  func names() async throws {
    #expect(
      try await problems(
        "return { steps = {\n  a = { agent = 'market.titel' },\n  b = { tool = 'publsh' },\n} }") == [
          "2:17 W207 there is no agent 'market.titel' (did you mean 'market.title'?)",
          "3:16 W207 there is no tool 'publsh' (did you mean 'publish'?)",
        ])
    await #expect(throws: WorkspaceError.self) {
      try await load(
        "local n = ('market.%s'):format('x')\nreturn { steps = { a = { agent = n } } }", lint: nil)
    }
    await #expect(throws: WorkspaceError.self) {
      try await load(
        "local n = ('%s'):format('x')\nreturn { initial = 'a', states = { a = { tool = n } } }",
        lint: LintSettings())
    }
  }

  @Test("what is wrong with a machine is told at its place")
  func wrongStates() async throws {
    #expect(
      try await problems(
        """
        local function f() return "x" end
        return { initial = "strat", states = {
          start = { run = f, on = { ok = "nowhere", eror = "start" } },
          both = { run = f, on = { ok = "start" }, next = f },
          step = { run = f, needs = { "start" } },
        } }
        """) == [
          "2:20 W301 there is no state 'strat' (did you mean 'start'?)",
          "3:34 W301 there is no state 'nowhere'",
          "3:45 W201 on has no field 'eror' (did you mean 'error'?)",
          "4:44 W205 'next' and 'on.ok' both say what comes after 'both'",
          "5:21 W201 a state has no field 'needs' (the fields are: agent, tool, run, approval, webhook, sleep, input, retry, timeout, by, detail, fields, on, next)",
        ])
    #expect(
      try await problems("return { states = { a = { sleep = 1 } } }") == [
        "1:8 W204 a state machine needs 'initial', the state it begins in"
      ])
    // These load, with a warning.
    #expect(
      try await problems(
        "return { initial = 'a', states = {\n  a = { sleep = 1, on = { ok = 'a' } },\n  b = { sleep = 1 } } }"
      ) == [
        "2:3 W305 no end can be reached from the state 'a'", "3:3 W304 nothing leads to the state 'b'",
      ])
    let bundle = try await load(
      "return { initial = 'a', states = { a = { approval = 'ok?', on = { ok = 'a' } } } }",
      lint: LintSettings())
    #expect(bundle.agents["flow"] != nil)
  }

  @Test("empty workflows are refused, and approvals without end are told")
  func refused() async throws {
    #expect(try await problems("return { steps = {} }") == ["1:10 W204 a workflow needs at least a step"])
    #expect(
      try await problems("return { steps = { a = { approval = 'Publish?' } } }") == [
        "1:20 W306 the approval 'a' waits for ever (add timeout = \"48h\")"
      ])
    #expect(
      try await problems("return { initial = 'a', steps = { a = { sleep = 1 } } }") == [
        "1:10 W205 'initial' is the first of 'states'; steps begin when their needs are met"
      ])
  }
}
