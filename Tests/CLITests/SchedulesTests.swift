// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// Agents that run without being asked, through the real server.
@Suite("Schedules of a server", .timeLimit(.minutes(3)))
struct SchedulesTests {
  private static func agent(_ schedule: String, seconds: Double = 0) -> String {
    """
    return {
      schedules = { { \(schedule), input = { from = "schedule" } } },
      run = function(ctx, input)
        time.sleep(\(seconds))
        return ("%s %s %s"):format(ctx.user.id, input.from, input.scheduled_at)
      end,
    }
    """
  }

  /// The answers of an agent's schedules so far.
  private static func answers(_ workspace: Folder, data: Folder) async throws -> [String] {
    // The host's own client shows a user's own sessions, so the runs tell of the messages.
    let runs = try await perigee(
      "runs", "--json", "--limit", "200", "--workspace", workspace.path, "--data", data.path)
    let list = try JSON(parsing: runs.output)["data"]?.array ?? []
    var answers: [String] = []
    for run in list.reversed() where run["status"] == "completed" {
      let trace = try await perigee(
        "replay", run["id"]?.string ?? "", "--json", "--workspace", workspace.path, "--data", data.path)
      answers.append(try JSON(parsing: trace.output)["answer"]?.string ?? "")
    }
    return answers
  }

  private static func wait(
    for count: Int, _ server: RunningServer, status: JSON = "completed"
  ) async throws {
    while try await server.get("/v1/runs?limit=200").json["data"]?.array?
      .count(where: { $0["status"] == status }) ?? 0 < count
    {}
  }

  @Test("each time is had once, by two servers that are killed and started again")
  func once() async throws {
    let workspace = try Folder(["agents/report.lua": Self.agent("every = 1, missed = 'all'")])
    let data = try Folder()
    func start() async throws -> RunningServer {
      try await RunningServer(workspace: workspace.path, data: data.path)
    }
    var servers = [try await start(), try await start()]
    try await Self.wait(for: 2, servers[0])
    for server in servers { await server.stop(signal: SIGKILL) }
    servers = [try await start(), try await start()]
    try await Self.wait(for: 5, servers[1])
    let list = try await servers[0].get("/v1/schedules").json["data"]?.array?.first
    #expect(
      list?["agent"] == "report" && list?["schedule"] == "every 1s" && list?["last_run_id"]?.string != nil)
    for server in servers { #expect(await server.stop().status == 0) }

    let shown = try await perigee("schedules", "--workspace", workspace.path, "--data", data.path)
    #expect(shown.output.hasPrefix("AGENT"), "\(shown.output)")
    #expect(shown.output.contains("every 1s") && shown.output.contains("completed"), "\(shown.output)")
    let answers = try await Self.answers(workspace, data: data)
    #expect(answers.allSatisfy { $0.hasPrefix("perigee:schedule schedule 20") }, "\(answers)")
    let times = try answers.map { answer in
      try Date(
        String(try #require(answer.split(separator: " ").last)),
        strategy: .iso8601.year().month().day().time(includingFractionalSeconds: true))
    }
    // No time twice, none left out, the beat kept.
    let gaps = zip(times, times.dropFirst()).map { $1.timeIntervalSince($0) }
    #expect(gaps.count >= 4 && gaps.allSatisfy { abs($0 - 1) < 0.001 }, "\(answers)")
  }

  @Test("an edit counts from then on, and a run that has not ended is not begun again beside itself")
  func edits() async throws {
    let workspace = try Folder([
      "perigee.yaml": "reload: { watch: true }\n", "agents/report.lua": Self.agent("every = 1", seconds: 2.5),
    ])
    let data = try Folder()
    let server = try await RunningServer(workspace: workspace.path, data: data.path)
    try await Self.wait(for: 1, server)
    try await Self.wait(for: 1, server, status: "running")
    #expect(
      try await server.get("/v1/runs").json["data"]?.array?.count { $0["status"] != "completed" } == 1)
    try workspace.write("agents/report.lua", Self.agent("cron = '@yearly', zone = 'Asia/Tokyo'"))
    while try await server.get("/v1/schedules").json["data"]?.array?.first?["schedule"]
      != "@yearly Asia/Tokyo"
    {}
    let schedules = try await server.get("/v1/schedules").json["data"]?.array
    #expect(schedules?.count == 1 && schedules?.first?["last_at"]?.isNull == true)
    #expect(
      schedules?.first?["due_at"]?.string?.hasSuffix("-12-31T15:00:00.000Z") == true, "\(schedules ?? [])")
    try workspace.write("agents/report.lua", "return { run = function() return '' end }")
    try await waitWhile { try await server.get("/v1/schedules").json["data"]?.array?.isEmpty != true }
    let log = await server.stop().log
    #expect(log.contains("its last run has not ended: it is passed over"))
  }
}
