// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import TestSupport
import Testing

/// Workflows as data, with real scripts, databases and sockets.
@Suite("Workflows, run")
struct WorkflowRunTests {
  private static let tools = [
    "tools/market.lua": """
    return {
      publish = {
        description = "Publishes.", parameters = { title = "string", price = "integer?" },
        run = function(ctx, args) return { published = args.title, price = args.price } end,
      },
      fails = { description = "Fails.", run = function() error({ code = "conflict", message = "taken" }) end },
      flaky = {
        description = "Fails twice.", access = { kv = "write" },
        run = function()
          local count = kv.incr("count")
          if count < 3 then error({ code = "upstream", message = "busy", retryable = true }) end
          return count
        end,
      },
    }
    """,
    "agents/title.lua": "return { run = function(ctx, input) return 'A ' .. input.message end }",
  ]

  private func reply(_ body: String, _ message: String = "chair", access: String = "") async throws
    -> ChatReply
  {
    try await TestWorkspace.with(
      Self.tools.merging(["agents/flow.lua": "return { \(access) \(body) }"]) { $1 }
    ) { try await $0.chat("flow", message) }
  }

  private func data(_ body: String) async throws -> JSON? { try await reply(body).data?.value() }

  private func failure(_ body: String) async throws -> Failure {
    do {
      let reply = try await reply(body)
      return Failure(.internal, "it answered: \(reply.text)")
    } catch let failure as Failure {
      return failure
    }
  }

  @Test("steps get the input and the results of what they need; the last ones are the answer")
  func graph() async throws {
    let reply = try await reply(
      """
      steps = {
        title = { agent = "title" },
        price = { run = function(ctx) return #ctx.input.message end },
        publish = { tool = "publish", needs = { "title", "price" } },
        note = {
          needs = { "publish" },
          run = function(ctx, results)
            return ("%s for %d: %s"):format(results.title, results.price, results.publish.published)
          end,
        },
      }
      """)
    #expect(reply.text == "A chair for 5: A chair")
    #expect(try reply.data?.value() == ["note": "A chair for 5: A chair"])
    #expect(reply.calls.map(\.name) == ["publish"])
  }

  @Test("when skips, input maps, for_each keeps the list's order")
  func functions() async throws {
    #expect(
      try await data(
        """
        steps = {
          skipped = { agent = "title", when = function() return false end },
          list = { run = function(ctx, results) return { "b", "a", "c" } end, needs = { "skipped" } },
          each = {
            tool = "publish", needs = { "list" }, for_each = "list", limit = 2,
            input = function(ctx, results, item, index) return { title = item, price = index } end,
          },
          computed = {
            agent = "title", for_each = function(ctx) return { 1, 2 } end,
            input = function(ctx, results, item) return "no. " .. item end,
          },
          none = { agent = "title", for_each = function() return {} end },
          gone = { needs = { "skipped" }, run = function(ctx, results) return results.skipped == nil end },
        }
        """) == [
          "computed": ["A no. 1", "A no. 2"],
          "each": [
            ["published": "b", "price": 1], ["published": "a", "price": 2], ["published": "c", "price": 3],
          ],
          "gone": true, "none": [],
        ])
  }

  @Test("an error ends the workflow, unless a step runs in place of the one that failed, or it goes on")
  func errors() async throws {
    let failure = try await failure("steps = { a = { tool = 'fails' }, b = { sleep = '1h' } }")
    #expect(failure.code == .conflict && failure.message == "taken")
    #expect(
      try await data(
        """
        steps = {
          a = { tool = "fails", on_error = "aid" },
          aid = { run = function(ctx, results) return results.a.error.message .. ", mended" end },
          b = { tool = "fails", on_error = "continue" },
          c = { needs = { "a", "b" }, run = function(ctx, results) return { results.a, results.b == nil } end },
        }
        """) == ["c": ["taken, mended", true]])
  }

  @Test("what may go away is attempted again, and a step that takes too long is stopped")
  func retries() async throws {
    let flaky = "steps = { a = { tool = 'flaky', retry = { attempts = %, backoff = 0.001 } } }"
    #expect(try await data(flaky.replacing("%", with: "3")) == ["a": 3])
    #expect(try await failure(flaky.replacing("%", with: "2")).message == "busy")
    let slow = try await failure("steps = { a = { run = function() time.sleep(20) end, timeout = 0.05 } }")
    #expect(slow.code == .timeout && slow.message == "'a' took longer than 0.05s")
  }

  @Test("a state machine goes where results and errors lead")
  func states() async throws {
    #expect(
      try await data(
        """
        initial = "start", states = {
          start = { agent = "title", on = { ok = "work" } },
          work = {
            run = function(ctx, results)
              if not results.failed then error({ code = "upstream", message = "busy" }) end
              return results.start
            end,
            on = { error = "failed" }, next = function(ctx, result) return result == "A chair" and "done" or nil end,
          },
          failed = { run = function(ctx, results) return results.work.error.message end, on = { ok = "work" } },
          done = { run = function(ctx, results) return { results.failed, results.work } end },
        }
        """) == ["done": ["busy", "A chair"]])
    #expect(
      try await failure("initial = 'a', states = { a = { sleep = 0.001, on = { ok = 'a' } } }").code == .limit
    )
  }

  @Test("a webhook tells who, what and with what; what is busy is told again, with the same key")
  func webhooks() async throws {
    let service = try ScriptedProvider { request in
      request.path == "/busy" ? .status(503) : .json(["ok": true])
    }
    let host = "127.0.0.1:\(service.port)"
    let access = "access = { http = { '\(host)' } },"
    let reply = try await reply(
      """
      steps = {
        title = { agent = "title" },
        tell = { webhook = "http://\(host)/listed", needs = { "title" } },
        again = { webhook = "http://\(host)/busy", retry = { attempts = 2, backoff = 0.001 }, on_error = "continue" },
      }
      """, access: access)
    #expect(try reply.data?.value() == ["tell": ["status": 200, "body": ["ok": true]]])
    let told = try #require(service.requests.first { $0.path == "/listed" })
    #expect(told.json["agent"] == "flow" && told.json["step"] == "tell")
    #expect(told.json["run_id"]?.string == reply.runID)
    #expect(told.json["input"] == ["message": "chair", "title": "A chair"])
    let busy = service.requests.filter { $0.path == "/busy" }
    #expect(busy.count == 2)
    #expect(
      Set(busy.map { request in request.headers.first { $0.name == "idempotency-key" }?.value ?? "" }) == [
        "\(reply.runID):step.again"
      ])
  }

  @Test("hooks and output hold for workflows as for every agent")
  func hooks() async throws {
    let reply = try await reply(
      """
      before = function(ctx, message) return message:upper() end,
      after = function(ctx, reply) return { text = reply.text .. "!", data = reply.data } end,
      output = { title = "string" },
      steps = { title = { agent = "title" } }
      """)
    #expect(reply.text == "A CHAIR!")
    #expect(try reply.data?.value() == ["title": "A CHAIR"])
  }
}
