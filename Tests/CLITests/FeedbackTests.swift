// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// What people think of runs, over HTTP and on the command line.
@Suite("Feedback", .timeLimit(.minutes(5)))
struct FeedbackTests {
  private static let scripts = [
    "agents/a.lua": "return { run = function(ctx, input) return 'to ' .. input.message end }",
    "agents/b.lua": "return { guardrails = { input = { 'email' } }, run = function() return 'b' end }",
    "agents/asking.lua": """
    return { run = function(ctx, input) return tostring(approval.request{ title = "Go?" }.approved) end }
    """,
  ]

  private static func give(
    _ run: JSON?, _ score: JSON, _ comment: String? = nil, as token: String, in scene: TokenScene
  ) async throws -> RunningServer.Answer {
    var body = JSONObject([("run_id", run ?? .null), ("score", score)])
    if let comment { body.append("comment", .string(comment)) }
    return try await scene.send("POST", "/v1/feedback", as: token, .object(body))
  }

  private static func path(_ run: JSON?, _ rest: String = "") -> String {
    "/v1/runs/\(run?.string ?? "?")\(rest)"
  }

  @Test("is kept once of a run, shown with it, told, recorded, and changed by whoever thinks again")
  func kept() async throws {
    let scene = try await TokenScene(Self.scripts)
    let (ann, root) = (try await scene.token("ann", "user"), try await scene.token("root", "admin"))
    let answer = try await scene.chat("a", "hello", as: ann).json
    let run = answer["run_id"]
    let first = try await Self.give(run, -1, "far too Secret\na line", as: ann, in: scene)
    #expect(first.status == 200, "\(first.text)")
    let second = try await Self.give(run, 0.25, "on second thought", as: ann, in: scene)
    #expect(
      second.json["score"] == 0.25 && second.json["comment"] == "on second thought"
        && second.json["version"] == answer["version"] && second.json["agent"] == "a"
        && second.json["user_id"] == "ann")
    let mine = try await scene.send("GET", Self.path(run), as: ann).json
    #expect(mine["feedback"] == [second.json] && mine["status"] == "completed", "\(mine)")
    // Somebody who sees the run may judge it too, and the user does not see that.
    #expect(try await Self.give(run, -0.5, as: root, in: scene).status == 200)
    #expect(try await scene.send("GET", Self.path(run, "/trace"), as: ann).json["feedback"] == [second.json])
    let all = try await scene.send("GET", Self.path(run, "/trace"), as: root).json["feedback"]?.array
    #expect(all?.map { $0["user_id"] } == ["root", "ann"])
    let trace = try await scene.run("trace", run?.string ?? "?")
    #expect(
      trace.output.hasSuffix("\nroot thinks -0.5\nann thinks 0.25: on second thought\n"), "\(trace.output)")

    let events = try await scene.send("GET", "/v1/events?types=feedback.given", as: ann)
    let told = events.json["data"]?.array ?? []
    #expect(told.map { $0["score"]?.double } == [-1, 0.25])
    for event in told {
      #expect(
        event["execution_id"] == run && event["agent_id"] == "a" && event["session_id"] == "s"
          && event["version"] == answer["version"] && event["user_id"] == "ann", "\(event)")
    }
    let trail = try await scene.send("GET", "/v1/audit?actions=feedback.given", as: root)
    let entries = trail.json["data"]?.array ?? []
    #expect(entries.map { $0["user_id"] } == ["root", "ann", "ann"])
    #expect(entries.last?["detail"]?["score"]?.double == -1 && entries.last?["run_id"] == run)
    for text in [events.text, trail.text] {
      #expect(!text.contains("Secret") && !text.contains("thought"))
    }
    // With the session goes what was thought of it, and what events told of it.
    #expect(try await scene.send("DELETE", "/v1/sessions/s", as: ann).status == 204)
    #expect(try await scene.send("GET", "/v1/feedback", as: root).json["data"] == [])
    let left = try await scene.send("GET", "/v1/events?types=feedback.given", as: root)
    #expect(left.json["data"]?.array?.count == 3 && !left.text.contains("\"score\""), "\(left.text)")
    await scene.server.stop()
  }

  @Test("of a stranger's run is 404, of one that goes on 409, and else than it should be 400")
  func refused() async throws {
    let scene = try await TokenScene(Self.scripts)
    let (ann, bob) = (try await scene.token("ann", "user"), try await scene.token("bob", "user"))
    let run = try await scene.chat("a", "hello", as: ann).json["run_id"]
    #expect(try await Self.give(run, 1, as: bob, in: scene).status == 404)
    #expect(try await Self.give("none", 1, as: ann, in: scene).status == 404)
    let waiting = try await scene.chat("asking", "go", as: ann, session: "t").json["run_id"]
    let early = try await Self.give(waiting, 1, as: ann, in: scene)
    #expect(early.status == 409 && early.json["code"] == "conflict", "\(early.text)")
    for score: JSON in [1.01, -2, "1", true, .null, [1]] {
      let reply = try await Self.give(run, score, as: ann, in: scene)
      #expect(reply.status == 400 && reply.json["errors"]?.array?.first?["field"] == "score", "\(score)")
    }
    let long = String(repeating: "ä", count: 2000)
    #expect(try await Self.give(run, 1, long + "x", as: ann, in: scene).status == 400)
    #expect(try await Self.give(run, 1, long, as: ann, in: scene).status == 200)
    let key = try await scene.run("keys", "create", "--user", "ann", "--name", "k", "--agent", "b")
    let bot = key.output.trimmingCharacters(in: .newlines)
    #expect(try await Self.give(run, 1, as: bot, in: scene).status == 404)
    #expect(
      try await Self.give(
        try await scene.chat("b", "hi", as: bot, session: "u").json["run_id"], 1, as: bot, in: scene
      ).status == 200)
    await scene.server.stop()
  }

  @Test("a comment goes by the rules for messages to the agent")
  func guarded() async throws {
    let scene = try await TokenScene(Self.scripts)
    let (ann, root) = (try await scene.token("ann", "user"), try await scene.token("root", "admin"))
    let run = try await scene.chat("b", "hello", as: ann).json["run_id"]
    let refused = try await Self.give(run, 1, "write to ann@example.com", as: ann, in: scene)
    #expect(refused.status == 422 && refused.json["code"] == "rejected", "\(refused.text)")
    #expect(refused.json["detail"]?.string?.contains("email") == true && !refused.text.contains("ann@"))
    #expect(try await scene.send("GET", Self.path(run), as: ann).json["feedback"] == [])
    let trail = try await scene.send("GET", "/v1/audit?actions=guardrail.refused", as: root)
    #expect(trail.json["data"]?.array?.first?["detail"]?["rules"] == ["email"])
    #expect(trail.json["data"]?.array?.first?["run_id"] == run && !trail.text.contains("ann@"))
    #expect(try await Self.give(run, 1, "well done", as: ann, in: scene).status == 200)
    await scene.server.stop()
  }

  @Test("is listed and summed by agent and version for operators, over HTTP and by the command")
  func sums() async throws {
    let scene = try await TokenScene(Self.scripts)
    let (ann, root) = (try await scene.token("ann", "user"), try await scene.token("root", "operator"))
    var versions: [String] = []
    for (index, scores) in [[1, 0.5, 0.75], [-1, -0.5]].enumerated() {
      for score in scores {
        let answer = try await scene.chat("a", "hello", as: ann, session: "s\(score)").json
        if versions.count == index { versions.append(answer["version"]?.string ?? "") }
        #expect(answer["version"]?.string == versions[index])
        #expect(
          try await Self.give(answer["run_id"], .number(score), "c \(score)", as: ann, in: scene).status
            == 200)
      }
      if index == 0 {
        try scene.workspace.write("agents/a.lua", "return { run = function() return 'worse' end }")
        scene.server.send(SIGHUP)
        try await waitWhile {
          try await scene.chat("a", "is it there?", as: ann, session: "x").json["response"] != "worse"
        }
      }
    }
    #expect(try await scene.send("GET", "/v1/feedback", as: ann).status == 403)
    #expect(try await scene.send("GET", "/v1/feedback/summary", as: ann).status == 403)
    let sums = try await scene.send("GET", "/v1/feedback/summary", as: root).json
    let rows = sums["data"]?.array ?? []
    #expect(rows.map { $0["version"]?.string } == versions.reversed())
    #expect(rows.map { $0["count"] } == [2, 3] && rows.map { $0["mean"] } == [-0.75, 0.75])
    #expect(rows.map { $0["positive"] } == [0, 3] && rows.map { $0["negative"] } == [2, 0])

    let start = versions[0].dropFirst(7).prefix(12)
    let list = try await scene.send("GET", "/v1/feedback?agent=a&version=\(start)&limit=2", as: root).json
    #expect(list["data"]?.array?.map { $0["score"] } == [0.75, 0.5])
    let next = try #require(list["next"]?.string)
    let rest = try await scene.send("GET", "/v1/feedback?version=\(versions[0])&after=\(next)", as: root).json
    #expect(rest["data"]?.array?.map { $0["comment"] } == ["c 1.0"] && rest["next"] == .null)
    #expect(try await scene.send("GET", "/v1/feedback?agent=b", as: root).json["data"] == [])
    let late = list["data"]?.array?.first?["at"]?.string ?? ""
    let since = try await scene.send("GET", "/v1/feedback/summary?since=\(late)", as: root).json
    #expect(since["data"]?.array?.map { $0["count"] } == [2, 1])
    for query in ["since=yesterday", "limit=5", "user=ann"] {
      #expect(try await scene.send("GET", "/v1/feedback/summary?\(query)", as: root).status == 400)
    }

    let summed = try await scene.run("feedback", "--json")
    #expect(try JSON(parsing: summed.output) == sums, "\(summed.errors)")
    let lines = try await scene.run("feedback", "--agent", "a", "--since", "1h").output.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines.dropFirst().map { $0.split(separator: " ").last } == ["-0.75", "0.75"])
    let listed = try await scene.run("feedback", "list", "--version", String(start), "--limit", "2", "--json")
    #expect(try JSON(parsing: listed.output) == list)
    #expect(try await scene.run("feedback", "list").output.contains("c -0.5"))
    #expect(try await scene.run("feedback", "--since", "yesterday").status == 2)

    let metrics = try await scene.server.get("/metrics").text
    for (version, count, sum) in [(versions[0], 3, "2.25"), (versions[1], 2, "-1.5")] {
      let labels = #"{agent="a",version="\#(version)"}"#
      #expect(metrics.contains("\nperigee_feedback_total\(labels) \(count)\n"))
      #expect(metrics.contains("\nperigee_feedback_score_sum\(labels) \(sum)\n"))
    }
    let turns = #"perigee_version_turns_total{agent="a",version="\#(versions[1])",outcome="completed"} 3"#
    #expect(metrics.contains("\n\(turns)\n"), "\(metrics)")
    await scene.server.stop()
  }
}
