// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes

extension Services {
  var deadLetterRoutes: [Route] {
    [
      Route(
        .get, "/v1/dead-letters", name: "listDeadLetters",
        summary: "Lists the jobs that failed for good, those that did so last first.", list: .deadLetters,
        answers: [.init(.ok, "A page.", .json("DeadLetterList"))]
      ) { exchange in
        try exchange.user.mayHandleDeadLetters()
        return .document(
          try await store.deadLetters(
            visibleTo: exchange.user.visibility, page: try exchange.page()))
      },
      Route(
        .get, "/v1/dead-letters/{id}", name: "getDeadLetter", summary: "Shows a job that failed for good.",
        answers: [.init(.ok, "The job.", .json("DeadLetter"))]
      ) { exchange in
        .document(try await deadLetter(exchange))
      },
      Route(
        .delete, "/v1/dead-letters/{id}", name: "discardDeadLetter",
        summary: "Throws a job away that failed for good.",
        answers: [.init(.noContent, "It is gone.", .nothing)]
      ) { exchange in
        let letter = try await deadLetter(exchange)
        try await store.discardDeadLetter(id: letter.job.id, by: exchange.user.actor, at: time.now)
        return .noContent
      },
      Route(
        .post, "/v1/dead-letters/{id}/retry", name: "retryDeadLetter",
        summary: "Queues a job again that failed for good; its attempts count anew.",
        answers: [.init(.accepted, "The job, which a worker does soon.", .json("DeadLetter"))]
      ) { exchange in
        let letter = try await deadLetter(exchange)
        try await store.retryDeadLetter(id: letter.job.id, by: exchange.user.actor, at: time.now)
        return .document(status: .accepted, letter)
      },
    ]
  }

  private func deadLetter(_ exchange: Exchange) async throws -> DeadLetter {
    try exchange.user.mayHandleDeadLetters()
    return try await store.deadLetter(id: exchange.parameters[0], visibleTo: exchange.user.visibility)
  }
}

extension Principal {
  /// - Throws: ``Failure`` `denied` for who may not see what other users' jobs are.
  fileprivate func mayHandleDeadLetters() throws(Failure) {
    guard isOperator else { throw Failure(.denied, "dead letters are for operators and admins") }
  }
}
