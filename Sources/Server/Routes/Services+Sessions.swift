// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import JSONCodec

extension Services {
  private static let titleLengthMax = 200

  private static let newSession = BodyShape(fields: [
    .init(
      name: "id", kind: .sessionID, isRequired: false,
      description: "The caller's own name for the conversation; absent = a UUID.",
      example: "shopping"),
    .init(
      name: "title", kind: .string(lengthMin: 1, lengthMax: titleLengthMax), isRequired: false,
      description: "Absent = New chat.", example: "For the weekend"),
  ])

  private static let changedSession = BodyShape(fields: [
    .init(
      name: "title", kind: .string(lengthMin: 1, lengthMax: titleLengthMax), isRequired: true,
      description: "The new title.", example: "For the weekend")
  ])

  var sessionRoutes: [Route] {
    [
      Route(
        .post, "/v1/sessions", name: "createSession",
        summary: "Makes a conversation before its first message.",
        body: Self.newSession, answers: [.init(.created, "The conversation.", .json("Session"))],
        fails: [.conflict]
      ) { exchange in
        let body = try await exchange.body(Self.newSession)
        let session = try await store.createSession(
          id: body["id"]?.string ?? Identifier.randomUUID(),
          title: body["title"]?.string ?? TurnOpening.untitled,
          userID: exchange.user.id, at: time.now)
        var reply = Reply.document(status: .created, session)
        reply.headers[.location] = "/v1/sessions/\(session.id)"
        return reply
      },
      Route(
        .get, "/v1/sessions", name: "listSessions",
        summary: "Lists the caller's conversations, the most recently used first.", list: .sessions,
        answers: [.init(.ok, "A page.", .json("SessionList"))]
      ) { exchange in
        .document(try await store.sessions(userID: exchange.user.id, page: try exchange.page()))
      },
      Route(
        .get, "/v1/sessions/{id}", name: "getSession",
        summary: "Shows one conversation, and what its runs came to.",
        answers: [.init(.ok, "The conversation.", .json("SessionWithTotals"))]
      ) { exchange in
        let (id, user) = (exchange.parameters[0], exchange.user.id)
        return .document(
          SummedSession(
            session: try await store.session(id: id, userID: user),
            totals: try await store.totals(ofSession: id, userID: user)))
      },
      Route(
        .patch, "/v1/sessions/{id}", name: "renameSession", summary: "Gives a conversation another title.",
        body: Self.changedSession, answers: [.init(.ok, "The conversation.", .json("Session"))]
      ) { exchange in
        let body = try await exchange.body(Self.changedSession)
        return .document(
          try await store.renameSession(
            id: exchange.parameters[0], title: body["title"]?.string ?? "", userID: exchange.user.id,
            at: time.now))
      },
      Route(
        .delete, "/v1/sessions/{id}", name: "deleteSession",
        summary: "Deletes a conversation with its messages and runs.",
        answers: [.init(.noContent, "It is gone, and its name is free.", .nothing)]
      ) { exchange in
        try await store.deleteSession(id: exchange.parameters[0], by: exchange.user.actor, at: time.now)
        return .noContent
      },
      Route(
        .get, "/v1/sessions/{id}/messages", name: "listMessages",
        summary: "Lists a conversation's messages, the oldest first.", list: .messages,
        answers: [.init(.ok, "A page.", .json("MessageList"))]
      ) { exchange in
        .document(
          try await store.messages(
            sessionID: exchange.parameters[0], userID: exchange.user.id, page: try exchange.page()))
      },
    ]
  }
}
