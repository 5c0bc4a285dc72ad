// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Synchronization
import TestSupport
import Testing
import Workspace

@Suite("queue", .timeLimit(.minutes(5)))
struct QueueTests {
  private static let tools = """
    return {
      schema = "create table sent (number integer primary key, text text, unique (text))",
      send = {
        description = "Sends.", action = true, access = { db = "write", kv = "write" },
        parameters = { to = "string", copies = { type = "integer", default = 1 } },
        run = function(ctx, args)
          kv.incr("sent:" .. args.to)
          return { key = ctx.call.key, attempt = ctx.call.attempt, agent = ctx.run.agent, copies = args.copies }
        end,
      },
      look = { description = "Looks.", run = function() end },
      publish = {
        description = "Publishes.", access = { queue = true }, retry = 2,
        run = function(ctx)
          local first = queue.publish("send", { to = "ann" })
          local second = queue.publish("send", { to = "ann" })
          if ctx.call.attempt < 3 then error({ code = "busy", message = "later", retryable = true }) end
          return { first, second }
        end,
      },
      order = {
        description = "Writes and publishes.", access = { queue = true, db = "write" },
        parameters = { text = "string" },
        run = function(_, args)
          return pcall(db.transaction, function()
            queue.publish("send", { to = args.text })
            db.exec("insert into sent (text) values (?)", args.text)
          end)
        end,
      },
    }
    """

  /// What a `run` agent with this body answers, and the jobs that it leaves.
  private static func run(
    _ lua: String, access: String = "queue = true"
  ) async throws -> (text: String, jobs: [TakenJob]) {
    let files = [
      "tools/mail.lua": tools,
      "agents/probe.lua": """
      return { access = { \(access) }, tools = { "publish", "order" }, run = function(ctx, input)
      \(lua)
      end }
      """,
    ]
    return try await TestWorkspace.with(files) { workspace in
      let text = try await workspace.chat("probe").text
      return (text, try await workspace.jobs())
    }
  }

  @Test("a job is published with its arguments validated and defaulted, its options and its user")
  func publishes() async throws {
    let (text, jobs) = try await Self.run(
      #"return queue.publish("send", { to = "ann" }, { key = "k", priority = -3 })"#)
    let job = try #require(jobs.first?.job)
    #expect(jobs.count == 1 && job.id == text)
    #expect(job.action == "send" && job.key == "k" && job.priority == -3 && job.user == .local)
    #expect(try job.payload.value() == ["to": "ann", "copies": 1])
    #expect(job.dueAt == job.publishedAt)
    let late = try await Self.run(#"return queue.publish("send", { to = "ann" }, { delay = 60 })"#)
    #expect(late.jobs.isEmpty)
  }

  @Test(
    "what is wrong with a call is said, and nothing is published",
    arguments: [
      (#""sent", {}"#, "not_found: there is no action 'sent'; the actions are: send"),
      (#""look", {}"#, "not_found: the tool 'look' has no action = true; the actions are: send"),
      (#""send", { copies = 1 }"#, "invalid_arguments: wrong arguments for send: to: is missing"),
      (
        #""send", { to = "a" }, { later = 1 }"#,
        "invalid_arguments: bad argument #3 to 'queue.publish' (unknown option 'later'; known: delay, key, priority)"
      ),
      (
        #""send", { to = "a" }, { delay = -1 }"#,
        "invalid_arguments: bad argument #3 to 'queue.publish' (option 'delay': 0 to 2592000 seconds expected)"
      ),
      (
        #""send", { to = "a" }, { delay = 2592001 }"#,
        "invalid_arguments: bad argument #3 to 'queue.publish' (option 'delay': 0 to 2592000 seconds expected)"
      ),
      (
        #""send", { to = "a" }, { priority = 101 }"#,
        "invalid_arguments: bad argument #3 to 'queue.publish' (option 'priority': -100 to 100 expected, got 101)"
      ),
      (
        #""send", { to = "a" }, { key = ("k"):rep(256) }"#,
        "invalid_arguments: bad argument #3 to 'queue.publish' (option 'key': 1 to 255 bytes expected, got 256)"
      ),
      (#""send", { to = ("x"):rep(262144) }"#, "limit: the payload has 262164 bytes, more than 262144"),
    ])
  func refuses(call: String, says: String) async throws {
    let (text, jobs) = try await Self.run("return tostring(select(2, pcall(queue.publish, \(call))))")
    #expect(text == says)
    #expect(jobs.isEmpty)
  }

  @Test("without access nothing is published")
  func denied() async throws {
    let (text, jobs) = try await Self.run(
      #"local _, e = pcall(queue.publish, "send", { to = "a" }) return e.code .. ": " .. e.message"#,
      access: "")
    #expect(
      text == "denied: queue.publish is not allowed here: add access = { queue = true } to agent 'probe'")
    #expect(jobs.isEmpty)
  }

  @Test("a run may publish ten thousand jobs and no more")
  func bounded() async throws {
    let lua = """
      -- Each branch counts for itself: one may be interrupted between reading a number and writing the next.
      local counts = parallel.map({ 1, 2, 3, 4 }, function()
        local n = 0
        for _ = 1, 2500 do queue.publish("send", { to = "a" }, { delay = 99 }) n = n + 1 end
        return n
      end)
      local n = counts[1] + counts[2] + counts[3] + counts[4]
      local _, e = pcall(queue.publish, "send", { to = "a" })
      return n .. " " .. tostring(e)
      """
    #expect(try await Self.run(lua).text == "10000 limit: a run may publish at most 10000 jobs")
  }

  @Test("a tool that is tried again publishes once what it publishes at one place")
  func toolRetries() async throws {
    let (text, jobs) = try await Self.run(#"return json.encode(tools.call("publish"))"#)
    #expect(jobs.count == 2)
    #expect(Set(jobs.map(\.job.id)) == Set(try JSON(parsing: text).array?.compactMap(\.string) ?? []))
  }

  @Test("what is published in a transaction is there when it is committed, and not when it is rolled back")
  func transactions() async throws {
    let lua = """
      tools.call("order", { text = "one" })
      tools.call("order", { text = "one" })
      tools.call("order", { text = "two" })
      return "done"
      """
    let jobs = try await Self.run(lua).jobs
    #expect(
      try jobs.map { try $0.job.payload.value()["to"] }.sorted { $0?.string ?? "" < $1?.string ?? "" } == [
        "one", "two",
      ])
  }

  @Test("an agent's own transaction publishes with the journal's entry that it was committed")
  func agentTransactions() async throws {
    let lua = """
      local ids = {}
      db.transaction(function() ids[1] = queue.publish("send", { to = "kept" }) end)
      pcall(db.transaction, function()
        ids[2] = queue.publish("send", { to = "gone" })
        error("no")
      end)
      return table.concat(ids, " ")
      """
    let (text, jobs) = try await Self.run(lua, access: #"queue = true, db = "write""#)
    let ids = text.split(separator: " ").map(String.init)
    #expect(ids.count == 2 && jobs.map(\.job.id) == [ids[0]])
  }

  @Test("a worker does a job as the one who published it, in a run of its own")
  func works() async throws {
    let files = [
      "tools/mail.lua": Self.tools,
      "agents/probe.lua": """
      return { access = { queue = true, kv = "read" }, run = function(ctx, input)
        if input.message == "look" then return tostring(kv.get("sent:ann")) end
        return queue.publish("send", { to = "ann", copies = 2 })
      end }
      """,
    ]
    try await TestWorkspace.with(files) { workspace in
      let user = Principal(id: "bea", roles: ["user"])
      let id = try await workspace.chat("probe", as: user).text
      let report = try #require(try await workspace.work(until: 1).first)
      #expect(report.result == .done && report.taken.job.id == id)
      let run = try await workspace.store.run(id: report.taken.runID, visibleTo: .user("bea"))
      #expect(run.agent == "action:send" && run.status == .completed && run.sessionID == nil)
      #expect(run.version == workspace.workspace.deployment.active.version)
      let entry = try #require(try await workspace.store.journal(ofRun: run.id).first)
      guard case .result(let result) = entry.outcome else { throw Failure(.internal, "\(entry)") }
      #expect(
        try result.value() == ["key": .string(id), "attempt": 1, "agent": "action:send", "copies": 2])
      #expect(try await workspace.chat("probe", "look", as: user).text == "1")
      #expect(try await workspace.chat("probe", "look").text == "nil")
    }
  }

  @Test("a job that fails is tried again with its key, as often as its tool says, and then is a dead letter")
  func fails() async throws {
    let files = [
      "tools/mail.lua": """
      return {
        flaky = { description = "d", action = true, run = function(ctx)
          if ctx.call.attempt == 1 then error({ code = "upstream", message = "down", retryable = true }) end
          return ctx.call.key
        end },
        once = { description = "d", action = true, retry = 0, run = function() error("boom") end },
        wrong = { description = "d", action = true, run = function() error({ code = "denied", message = "no" }) end },
      }
      """,
      "agents/probe.lua": """
      return { access = { queue = true }, run = function(ctx, input) return queue.publish(input.message) end }
      """,
    ]
    try await TestWorkspace.with(files) { workspace in
      let flaky = try await workspace.chat("probe", "flaky").text
      let reports = try await workspace.work(until: 2)
      #expect(reports.map(\.taken.attempt) == [1, 2] && reports.map(\.taken.job.id) == [flaky, flaky])
      guard case .failed(let failure, _) = reports[0].result else {
        throw Failure(.internal, "\(reports[0])")
      }
      #expect(failure.code == .upstream && reports[1].result == .done)

      for (action, code) in [("once", Failure.Code.internal), ("wrong", .denied)] {
        let id = try await workspace.chat("probe", action).text
        _ = try await workspace.work(until: 1)
        let letter = try await workspace.store.deadLetter(id: id, visibleTo: .everyone)
        #expect(letter.failure.code == code && letter.attempts == 1)
      }
    }
  }

  @Test(
    "an action that the scripts in force no longer have, or whose parameters have changed, is a dead letter")
  func gone() async throws {
    try await TestWorkspace.with(["tools/mail.lua": Self.tools]) { workspace in
      for (id, action, code) in [
        ("1", "sent", Failure.Code.notFound), ("2", "look", .notFound), ("3", "send", .invalidArguments),
      ] {
        let now = MachineTime().now
        try await workspace.store.publish([
          Job(
            id: id, action: action, payload: .emptyObject, user: .local, publisher: "r", publishedAt: now,
            dueAt: now)
        ])
        _ = try await workspace.work(until: 1)
        #expect(try await workspace.store.deadLetter(id: id, visibleTo: .everyone).failure.code == code)
      }
    }
  }

  @Test("a job publishes once what it publishes at one place, however often it is tried, and asks nobody")
  func inside() async throws {
    let files = [
      "tools/mail.lua": """
      return {
        outer = { description = "d", action = true, access = { queue = true }, run = function(ctx)
          time.sleep(0.001)
          queue.publish("inner", {}, { key = "k" })
          if ctx.call.attempt == 1 then error({ code = "upstream", message = "down", retryable = true }) end
          queue.publish("asks", {}, { key = "k" })
        end },
        inner = { description = "d", action = true, run = function() end },
        asks = { description = "d", action = true, run = function() approval.request{ title = "Go on?" } end },
      }
      """,
      "agents/probe.lua": """
      return { access = { queue = true }, run = function() return queue.publish("outer") end }
      """,
    ]
    try await TestWorkspace.with(files) { workspace in
      _ = try await workspace.chat("probe")
      let reports = try await workspace.work(until: 4)
      #expect(reports.map(\.taken.job.action).sorted() == ["asks", "inner", "outer", "outer"])
      let letters = try await workspace.store.deadLetters(visibleTo: .everyone, page: PageRequest()).items
      #expect(letters.map(\.job.action) == ["asks"])
      #expect(
        letters.first?.failure
          == Failure(
            .denied, "a job cannot ask a person: ask before it is published",
            diagnostic: letters.first?.failure.diagnostic))
      #expect(try await workspace.store.jobCounts() == JobCounts(dead: 1))
    }
  }

  @Test("jobs that are stopped with their workers are there for others at once")
  func stopped() async throws {
    let files = [
      "tools/mail.lua": """
      return { slow = { description = "d", action = true, access = { kv = "write" }, run = function(ctx)
        if ctx.call.attempt == 1 then kv.set("begun", true) time.sleep(20) end
        return "done"
      end } }
      """,
      "agents/probe.lua": """
      return { access = { queue = true, kv = "read" }, run = function(ctx, input)
        if input.message == "look" then return tostring(kv.get("begun")) end
        return queue.publish("slow")
      end }
      """,
    ]
    try await TestWorkspace.with(files) { workspace in
      let id = try await workspace.chat("probe").text
      let reports = Reports()
      let workers = JobWorkers(runner: workspace.runner, settings: .init(count: 1)) { reports.add($0) }
      async let work: Void = workers.run()
      try await waitWhile { try await workspace.chat("probe", "look").text != "true" }
      workers.stop()
      workspace.runner.stop(within: .zero)
      await work
      #expect(reports.all.map(\.result) == [.released])
      let run = try await workspace.store.run(
        id: try #require(reports.all.first).taken.runID, visibleTo: .everyone)
      #expect(run.status == .interrupted)
      let again = try #require(try await workspace.jobs().first)
      #expect(again.job.id == id && again.attempt == 2 && again.failures == 0)
    }
  }
}

/// What workers told.
final class Reports: Sendable {
  private let reports = Mutex<[JobReport]>([])
  var all: [JobReport] { reports.withLock { $0 } }
  func add(_ report: JobReport) { reports.withLock { $0.append(report) } }
}

extension TestWorkspace {
  /// Takes all jobs that are due.
  func jobs() async throws -> [TakenJob] {
    var jobs: [TakenJob] = []
    let now = MachineTime().now
    while let taken = try await store.takeJob(
      runID: "take-\(jobs.count)", lease: now + .seconds(3600), at: MachineTime().now)
    {
      jobs.append(taken)
    }
    return jobs
  }

  /// Lets workers work until that many attempts have ended.
  func work(until count: Int) async throws -> [JobReport] {
    let (reports, report) = AsyncStream<JobReport>.makeStream()
    let workers = JobWorkers(runner: runner, settings: .init(count: 2)) { report.yield($0) }
    async let work: Void = workers.run()
    var all: [JobReport] = []
    for await one in reports {
      all.append(one)
      if all.count == count { break }
    }
    workers.stop()
    await work
    return all
  }
}
