// SPDX-License-Identifier: Apache-2.0
public import Core
public import JSONCodec

extension ScheduleRecord: Document {
  func write(to writer: inout JSONWriter) {
    writer.object {
      $0.member("agent", due.agent)
      $0.member("schedule", due.name)
      $0.member("due_at", due.dueAt.description)
      $0.member("last_at", last.map { JSON.string($0.at.description) } ?? .null)
      $0.member("last_run_id", last.map { JSON.string($0.runID) } ?? .null)
      $0.member("last_status", last?.status.map { JSON.string($0.rawValue) } ?? .null)
    }
  }
}

/// All schedules, which are as many as the scripts have.
struct ScheduleList: Document {
  let schedules: [ScheduleRecord]

  func write(to writer: inout JSONWriter) {
    writer.object {
      $0.key("data")
      $0.array { list in for schedule in schedules { schedule.write(to: &list) } }
    }
  }
}

extension [ScheduleRecord] {
  /// The list as `GET /v1/schedules` writes it.
  public var json: RawJSON { RawJSON(trusted: ScheduleList(schedules: self).bytes()) }
}
