// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import JSONCodec

extension Services {
  private static let eventQuery: [BodyShape.Field] = [
    .init(
      name: "types", kind: .eventTypes, isRequired: false,
      description: "Which are wanted, with commas between them: `agent.executed,workflow.*`; absent = all.",
      example: ["agent.executed", "workflow.*"])
  ]

  var eventRoutes: [Route] {
    [
      Route(
        .get, "/v1/events", name: "listEvents",
        summary:
          "Lists what happened on the caller's behalf, to an operator everything, the oldest first; with Accept: "
          + "text/event-stream tells what happens from now on, or after Last-Event-ID.",
        list: .events, query: Self.eventQuery, headers: [.lastEventID],
        answers: [
          .init(.ok, "A page, or the events as they come.", .json("EventList"), .events("ServerEvent"))
        ]
      ) { try await events($0) }
    ]
  }

  private func events(_ exchange: Exchange) async throws -> Reply {
    let page = try exchange.page(beside: Self.eventQuery)
    let seen = try exchange.lastEventID()
    let types = exchange.parameter("types")?.split(separator: ",").map(String.init) ?? []
    var filter = try EventFilter(types: types, visibleTo: exchange.user.visibility)
    filter.leavesContentOut = hidesContent(from: exchange.user)
    let after = try page.after.map { try Cursor.parse($0, .events)[0] }
    guard exchange.wantsEvents else {
      let (events, last) = try await store.events(after: after ?? 0, filter, limit: page.limit)
      let isMore = try await store.lastEventNumber() > last
      return .document(
        Page(items: events, next: isMore && last > after ?? 0 ? Cursor.make(.events, last) : nil))
    }
    let start: Int64
    if let last = seen ?? after {
      start = last
    } else {
      start = try await store.lastEventNumber()
    }
    return .stream(
      ServerEvents(store: store, filter: filter, after: start, exchange: exchange).write)
  }
}
