// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import Hummingbird
import JSONCodec
import NIOCore

/// What is kept of a user, for who asks to have it, or to have it gone.
extension Services {
  var userRoutes: [Route] {
    [
      Route(
        .get, "/v1/users", name: "listUsers",
        summary: "Lists who has had a conversation, and when they last did something; for operators.",
        list: .users, answers: [.init(.ok, "A page.", .json("UserList"))]
      ) { exchange in
        guard exchange.user.isOperator else {
          throw Failure(.denied, "the list of users is for operators and admins")
        }
        return .document(
          try await store.users(visibleTo: exchange.user.visibility, page: try exchange.page()))
      },
      Route(
        .get, "/v1/users/{user}/export", name: "exportUser",
        summary: "Hands out all that is kept of a user: to them, and to admins.",
        answers: [.init(.ok, "All of it.", .json("UserExport"))]
      ) { try await export($0) },
      Route(
        .delete, "/v1/users/{user}", name: "eraseUser",
        summary:
          "Erases all that is kept of a user, for good; for admins. Refused while runs of theirs are under way.",
        answers: [.init(.ok, "What went.", .json("ErasedUser"))], fails: [.conflict]
      ) { exchange in
        guard exchange.user.roles.contains("admin") else {
          throw Failure(.denied, "only admins may erase users")
        }
        return .document(
          try await store.eraseUser(
            exchange.user.id(named: exchange.parameters[0]), by: exchange.user.actor, time: time))
      },
    ]
  }

  private func export(_ exchange: Exchange) async throws -> Reply {
    let user = exchange.user
    let id = user.id(named: exchange.parameters[0])
    guard user.id == id || user.roles.contains("admin") else {
      throw Failure(.notFound, "nothing is kept of a user '\(id)'")
    }
    // What goes wrong before the first piece is an answer of its own.
    try await store.beginExport(of: id, by: user.actor, at: time.now)
    let first = try await store.exportPiece(
      of: id, from: ExportPlace(leavesInsideOut: hidesContent(from: user)))
    var reply = Reply.stream { [store] writer, _ in
      var piece = first
      try await writer.write(ByteBuffer(bytes: piece.bytes))
      while let next = piece.next {
        piece = try await store.exportPiece(of: id, from: next)
        try await writer.write(ByteBuffer(bytes: piece.bytes))
      }
      try await writer.finish(nil)
    }
    reply.contentType = "application/json"
    reply.headers = [.contentDisposition: "attachment; filename=\"user.json\""]
    return reply
  }
}
