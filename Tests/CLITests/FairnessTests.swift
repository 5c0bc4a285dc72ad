// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import TestSupport
import Testing

/// One user's work beside another's.
@Suite("Fairness", .timeLimit(.minutes(5)))
struct FairnessTests {
  @Test("ten thousand branches of one user let another one's chats pass")
  func branches() async throws {
    let workspace = try Folder([
      "perigee.yaml": "scripts: { cpu_ms: 60000 }",
      "agents/crowd.lua": """
      return { limits = { seconds = 120 }, run = function()
        local list, crowds, sum = {}, {}, 0
        for i = 1, 250 do list[i] = i end
        local function work(i)
          for _ = 1, 2000 do sum = sum + 1 end
          time.sleep(0.001)
          for _ = 1, 2000 do sum = sum + 1 end
        end
        -- Two thousand at once, which is as many as a run may have.
        for i = 1, 8 do
          crowds[i] = function()
            for _ = 1, 5 do parallel.map(list, work, { limit = 250 }) end
          end
        end
        parallel(crowds)
        return tostring(sum)
      end }
      """,
      "agents/chat.lua": "return { run = function(ctx, input) return input.message end }",
    ])
    let data = try Folder()
    let server = try await RunningServer(workspace: workspace.path, data: data.path)
    async let crowd = server.chat("crowd", "go", session: "crowd")
    try await waitWhile { try await server.get("/v1/runs").json["data"]?.array?.isEmpty != false }
    for number in 0..<20 {
      #expect(
        try await server.chat("chat", "\(number)", session: "s").json["response"] == .string("\(number)"))
    }
    // All of them have passed before the crowd has.
    let runs = try await server.get("/v1/runs").json["data"]?.array ?? []
    #expect(runs.first { $0["agent"] == "crowd" }?["status"] == "running")
    let end = try await crowd
    #expect(end.json["response"] == "40000000", "\(end.text)")
    await server.stop()
  }
}
