// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes

extension Services {
  var runRoutes: [Route] {
    [
      Route(
        .get, "/v1/runs", name: "listRuns",
        summary: "Lists the caller's runs, an operator's everybody's, the latest first.", list: .runs,
        answers: [.init(.ok, "A page.", .json("RunList"))]
      ) { exchange in
        .document(try await store.runs(userID: exchange.user.visibleUserID, page: try exchange.page()))
      },
      Route(
        .get, "/v1/runs/{id}", name: "getRun", summary: "Shows one run.",
        answers: [.init(.ok, "The run.", .json("Run"))]
      ) { exchange in
        .document(
          try await store.run(id: exchange.parameters[0], userID: exchange.user.visibleUserID))
      },
    ]
  }
}
