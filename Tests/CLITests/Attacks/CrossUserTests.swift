// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// Every route that names something, asked for it by somebody whose it is not.
@Suite("Another user's things", .timeLimit(.minutes(5)))
struct CrossUserTests {
  private static let scripts = [
    "agents/clerks.lua": """
    return { allow = { roles = { "clerk" } }, run = function() return "for clerks" end }
    """,
    "agents/a.lua": """
    return { run = function(ctx, input)
      if input.message == "ask" then approval.request{ title = "private question" } end
      return "private answer"
    end }
    """,
  ]

  @Test("is not there for a stranger, whatever the route, and no route is forgotten")
  func everyRoute() async throws {
    let scene = try await TokenScene(Self.scripts)
    let (ann, eve) = (try await scene.token("ann", "user", "clerk"), try await scene.token("eve", "user"))
    let run = try #require(
      try await scene.chat("a", "hi", as: ann, session: "annas").json["run_id"]?.string)
    let waiting = try await scene.chat("a", "ask", as: ann, session: "waiting").json
    let approval = try #require(waiting["approval"]?["id"]?.string)
    let version = try #require(waiting["version"]?.string ?? waiting["run_id"]?.string)
    // The stranger has things of their own, and a key that is for one agent.
    _ = try await scene.chat("a", "hi", as: eve, session: "eves")
    let key = try await scene.run(
      "keys", "create", "--user", "eve", "--name", "k", "--agent", "a"
    ).output.trimmingCharacters(in: .newlines)

    /// By what a template begins with: what of Ann's fills it, what does not exist, what the answer has to be.
    let real: [(prefix: String, mine: [String], missing: [String], status: [Int])] = [
      ("/v1/sessions/{id}", ["annas"], ["nothing"], [404]),
      ("/v1/runs/{id}", [run], ["0192f0c1-6a00-7000-8000-000000000001"], [404]),
      ("/v1/approvals/{id}", [approval], ["0192f0c1-6a00-7000-8000-000000000001"], [404]),
      ("/v1/dead-letters/{id}", ["1"], ["2"], [403]),
      ("/v1/versions/{version}", [version], ["sha256:00"], [403]),
      ("/v1/versions/{a}", [version, version], ["sha256:00", "sha256:01"], [403]),
      ("/v1/users/{user}/export", ["ann"], ["nobody"], [404]),
      ("/v1/users/{user}", ["ann"], ["nobody"], [403]),
    ]
    let operations = try await Operation.all(of: scene.server).filter(\.hasParameters)
    #expect(operations.count > 20)
    for operation in operations {
      // Agents are no secret, and say themselves who may use them.
      if ["/v1/agents/{agent}", "/v1/models/{model}"].contains(where: operation.template.hasPrefix) {
        guard operation.method != "GET" else { continue }
        let path = operation.path(["clerks"])
        let refused = try await scene.send(operation.method, path, as: eve, operation.body)
        #expect(refused.status == 403, "\(operation.method) \(path): \(refused.text)")
        continue
      }
      guard let things = real.first(where: { operation.template.hasPrefix($0.prefix) }) else {
        Issue.record("\(operation.method) \(operation.template) is new here: say what a stranger gets")
        continue
      }
      let path = operation.path(things.mine)
      let stolen = try await scene.send(operation.method, path, as: eve, operation.body)
      #expect(things.status.contains(stolen.status), "\(operation.method) \(path): \(stolen.text)")
      #expect(!stolen.text.contains("private"), "\(stolen.text)")
      // It looks as what is not there at all.
      let missing = try await scene.send(
        operation.method, operation.path(things.missing), as: eve, operation.body)
      #expect(missing.status == stolen.status, "\(operation.method) \(path): \(missing.text)")
      #expect(
        missing.detail(without: things.missing) == stolen.detail(without: things.mine),
        "\(operation.method) \(path)")
      let byKey = try await scene.send(operation.method, path, as: key, operation.body)
      #expect([403, 404].contains(byKey.status), "\(operation.method) \(path): \(byKey.text)")
    }

    // Nothing of it did anything.
    #expect(
      try await scene.send("GET", "/v1/sessions/annas/messages", as: ann).json["data"]?.array?.count == 2)
    let asked = try await scene.send("GET", "/v1/approvals", as: ann).json["data"]?.array
    #expect(asked?.first?["status"] == "pending")
    #expect(try await scene.send("GET", "/v1/runs/\(run)", as: ann).json["status"] == "completed")
    await scene.server.stop()
  }
}
