// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import JSONCodec
import TestSupport
import Testing

/// The dashboard of `deploy/grafana` against what a server tells.
@Suite("Dashboard", .timeLimit(.minutes(3)))
struct DashboardTests {
  private static let workspace = [
    "perigee.yaml": "auth: { mode: jwt }\nlimits: { requests_per_minute: 8 }\n",
    "tools/mail.lua": """
    return {
      send = { description = "d", parameters = {}, action = true, run = function() return 1 end },
      look = { description = "d", effect = "read", run = function() return 1 end },
    }
    """,
    "agents/a.lua": """
    return { tools = { "look" }, access = { queue = true }, run = function()
      tools.call("look")
      queue.publish("send", {})
      return llm.chat{ messages = { { role = "user", content = "?" } } }.text
    end }
    """,
  ]

  /// Names in an expression, and the labels that it divides by.
  private func parts(of expression: String) -> (names: [String], labels: [String]) {
    let labels = expression.matches(of: /by \(([a-z_, ]+)\)/).flatMap {
      $0.output.1.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }
    return (expression.matches(of: /perigee_[a-z_]+/).map { String($0.output) }, labels)
  }

  @Test("every metric and label that it shows is one that a server has")
  func metrics() async throws {
    let dashboard = try JSON(
      parsing: String(
        contentsOfFile: PerigeeBinary.repository + "/deploy/grafana/perigee.json", encoding: .utf8))
    let expressions = (dashboard["panels"]?.array ?? []).flatMap { panel in
      (panel["targets"]?.array ?? []).compactMap { $0["expr"]?.string }
    }
    #expect(expressions.count > 15)

    let provider = try ScriptedProvider(.completion("Yes."))
    let (workspace, data) = (try Folder(Self.workspace), try Folder())
    let environment = [
      "OPENAI_BASE_URL": provider.baseURL, "OPENAI_API_KEY": "sk-secret",
      "PERIGEE_JWT_SECRET": "a secret of more than thirty-two bytes, for HS256",
      // Nobody need listen: what is counted is there all the same.
      "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
    ]
    let server = try await RunningServer(
      workspace: workspace.path, data: data.path, environment: environment)
    let token = try await perigee(
      "token", "--user", "ann", "--workspace", workspace.path, environment: environment)
    let headers = [("Authorization", "Bearer " + token.output.trimmingCharacters(in: .newlines))]
    let body = Array(#"{"message":"x"}"#.utf8)
    let answer = try await server.send("POST", "/v1/agents/a/chat", body: body, headers: headers)
    let judgement = RawJSON(["run_id": answer.json["run_id"] ?? .null, "score": 1]).bytes
    #expect(try await server.send("POST", "/v1/feedback", body: judgement, headers: headers).status == 200)
    while try await server.send("POST", "/v1/agents/a/chat", body: body, headers: headers).status != 429 {}
    try workspace.write("agents/b.lua", "return { run = function() return 'b' end }")
    server.send(SIGHUP)
    var text = ""
    repeat {
      text = try await server.get("/metrics").text
    } while !["perigee_reloads_total", "perigee_job_attempts_total", "perigee_job_wait_seconds_count"]
      .allSatisfy(
        text.contains)
    await server.stop()

    let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
    for expression in expressions {
      let (names, labels) = parts(of: expression)
      #expect(!names.isEmpty, "\(expression)")
      for name in names {
        let series = lines.filter { $0.hasPrefix(name + "{") || $0.hasPrefix(name + " ") }
        #expect(!series.isEmpty, "\(name) of \(expression)")
        for label in labels {
          #expect(series.allSatisfy { $0.contains("\(label)=\"") }, "\(label) of \(expression)")
        }
      }
    }
  }
}
