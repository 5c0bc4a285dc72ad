// SPDX-License-Identifier: Apache-2.0
import Core
import Hummingbird
import JSONCodec
import NIOCore

/// What happens on the server, as server-sent events; the `id` of each is its number among all.
struct ServerEvents: Sendable {
  let store: any Store
  let filter: EventFilter
  /// The last one that the client has seen.
  let after: Int64
  let exchange: Exchange

  private var connection: Connection? { exchange.connection }

  /// Events that are read at once.
  private static let batch = 200
  /// Other processes keep events, too.
  private static let lookInterval = Duration.seconds(1)

  /// Writes until the client leaves or the server stops.
  @concurrent
  func write(to writer: inout any ResponseBodyWriter, requestID: String) async throws {
    let (wakes, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    connection?.onDeparture { wake.finish() }
    connection?.onQuiesce { wake.finish() }
    let listener = store.eventBell.add { wake.yield() }
    defer { store.eventBell.remove(listener) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        while true {
          try await Task.sleep(for: Self.lookInterval)
          wake.yield()
        }
      }
      defer { group.cancelAll() }
      var last = after
      var written = ContinuousClock.now
      // So that the client knows at once that somebody listens.
      try await writer.write(ByteBuffer(string: ": listening\n\n"))
      wake.yield()
      for await _ in wakes {
        // Whoever may no longer ask hears no more.
        guard let user = try? await exchange.identifyAgain(), user.visibility == filter.visibleTo else {
          break
        }
        while true {
          let (events, looked) = try await store.events(after: last, filter, limit: Self.batch)
          guard looked > last else { break }
          last = looked
          guard !events.isEmpty else { continue }
          var buffer = ByteBuffer()
          for event in events {
            buffer.writeString("id: \(event.number)\nevent: \(event.event.type)\ndata: ")
            buffer.writeBytes(event.json.bytes)
            buffer.writeStaticString("\n\n")
          }
          try await writer.write(buffer)
          written = .now
        }
        if ContinuousClock.now - written >= EventStream.keepAlive {
          try await writer.write(ByteBuffer(string: ": keep-alive\n\n"))
          written = .now
        }
      }
    }
    try await writer.finish(nil)
  }
}

extension KeptEvent: Document {
  func write(to writer: inout JSONWriter) { writer.write(json) }
}
