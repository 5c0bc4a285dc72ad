// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes

extension Services {
  var scheduleRoutes: [Route] {
    [
      Route(
        .get, "/v1/schedules", name: "listSchedules",
        summary: "Lists when agents run without being asked, that which is due first at the top.",
        answers: [.init(.ok, "All schedules.", .json("ScheduleList"))]
      ) { exchange in
        try exchange.user.mayRunHost("schedules are")
        return .document(ScheduleList(schedules: try await store.schedules()))
      }
    ]
  }
}
