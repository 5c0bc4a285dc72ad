// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Storage
import Testing

@Suite("Schedules, as they are stored")
struct ScheduleStoreTests {
  private static func due(_ at: Int64, _ name: String = "every 6h") -> DueSchedule {
    DueSchedule(agent: "report", name: name, dueAt: Timestamp(milliseconds: at))
  }

  private static func occurrence(
    _ due: DueSchedule, next: Int64, runs: [String], mayOverlap: Bool = false
  ) -> ScheduleOccurrence {
    ScheduleOccurrence(
      due: due, nextAt: Timestamp(milliseconds: next),
      turns: runs.map { id in
        var turn = TurnOpening(
          runID: id, messageID: "m\(id)", userID: Principal.schedule.id, sessionID: "schedule:report",
          agent: "report", version: "v", message: "go", historyMessages: 0, at: Timestamp(milliseconds: 7))
        turn.beginning = RunBeginning(user: .schedule, input: JSONObject([("n", 2)]))
        return turn
      }, mayOverlap: mayOverlap)
  }

  @Test("what is new is due as it says, what is known stays, and what is gone is forgotten")
  func keeps() async throws {
    try await withStore { store in
      try await store.keepSchedules([Self.due(100), Self.due(50, "@daily UTC")])
      try await store.keepSchedules([Self.due(900), Self.due(60, "new")])
      #expect(try await store.schedules().map(\.due) == [Self.due(60, "new"), Self.due(100)])
    }
  }

  @Test("of many servers one begins it, and its run waits to be resumed at once")
  func once() async throws {
    try await withStore { store in
      try await store.keepSchedules([Self.due(100)])
      let outcomes = try await withThrowingTaskGroup(of: ScheduleOutcome.self) { group in
        for number in 0..<20 {
          group.addTask {
            try await store.begin(Self.occurrence(Self.due(100), next: 200, runs: ["r\(number)"]))
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(outcomes.count { $0 == .begun } == 1 && outcomes.count { $0 == .taken } == 19)
      let runs = try await store.dueRuns(at: Timestamp(milliseconds: 7), limit: 10)
      #expect(runs.count == 1)
      let run = try #require(runs.first)
      #expect(run.beginning == RunBeginning(user: .schedule, input: JSONObject([("n", 2)])))
      #expect(run.message == "go" && run.sessionID == "schedule:report")
      let record = try #require(try await store.schedules().first)
      #expect(record.due == Self.due(200))
      #expect(
        record.last
          == ScheduleRecord.Last(at: Timestamp(milliseconds: 100), runID: run.runID, status: .waiting))
    }
  }

  @Test("while its last run has not ended it is passed over, unless each time counts")
  func busy() async throws {
    try await withStore { store in
      try await store.keepSchedules([Self.due(100)])
      #expect(try await store.begin(Self.occurrence(Self.due(100), next: 200, runs: ["r1"])) == .begun)
      #expect(try await store.begin(Self.occurrence(Self.due(200), next: 300, runs: ["r2"])) == .busy)
      #expect(try await store.schedules().first?.last?.runID == "r1")
      #expect(
        try await store.begin(
          Self.occurrence(Self.due(300), next: 400, runs: ["r3", "r4"], mayOverlap: true))
          == .begun)
      let record = try #require(try await store.schedules().first)
      #expect(record.last?.runID == "r4" && record.last?.at == Timestamp(milliseconds: 300))
      // A time that nobody wants any more leaves what was last.
      #expect(
        try await store.begin(Self.occurrence(Self.due(400), next: 500, runs: [], mayOverlap: true)) == .begun
      )
      #expect(try await store.schedules().first?.last?.runID == "r4")
      #expect(try await store.schedules().first?.due == Self.due(500))
    }
  }
}
