// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@Suite("Open files", .timeLimit(.minutes(5)))
struct FileDescriptorTests {
  @Test("with few files left requests to the provider wait for one another, and no turn fails")
  func few() async throws {
    let (workspace, data) = (try Folder(["agents/a.lua": "return { prompt = 'p' }"]), try Folder())
    let gate = Gate()
    let provider = try ScriptedProvider { _ in
      gate.pass()
      return .completion("done")
    }
    let server = try await RunningServer(
      workspace: workspace.path, data: data.path,
      environment: ["OPENAI_API_KEY": "k", "OPENAI_BASE_URL": provider.baseURL],
      wrapper: ["/bin/sh", "-c", "ulimit -n 560 && exec \"$0\" \"$@\""])
    let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
      for number in 0..<300 {
        group.addTask { try await server.chat("a", "hello", session: "s\(number)").status }
      }
      // All are under way at once, or one has failed already.
      try await waitWhile {
        let metrics = try await server.get("/metrics").text
        return !metrics.contains("perigee_runs_in_progress 300") && !metrics.contains("outcome=\"upstream\"")
      }
      gate.open()
      return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
    }
    #expect(statuses == [200: 300])
    await server.stop()
  }
}
