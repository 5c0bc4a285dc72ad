// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import Hummingbird
import NIOCore

/// Says what happens in a run in the words of one wire format.
protocol RunEventEncoder: Sendable {
  /// Writes an event as whole server-sent events, or as nothing.
  mutating func write(_ event: RunEvent, _ place: RunEventPlace, to buffer: inout ByteBuffer)
}

/// Where an event stands.
struct RunEventPlace {
  /// In its run, from 1.
  let number: Int
  /// Of the request that is answered.
  let requestID: String
  let isDraining: Bool
}

/// The events of a run as server-sent events.
///
/// Source: WHATWG HTML, 9.2.
struct EventStream: Sendable {
  /// After so long without an event comes a comment, so that nobody on the way takes the connection for dead.
  static let keepAlive = Duration.seconds(15)
  /// What an event with a token in it takes, about.
  private static let eventBytes = 128

  private var watcher: RunWatcher
  /// Read already.
  private var pending: [RunEvent]?
  private let connection: Connection?
  private let encoder: any RunEventEncoder

  /// The events of a run that begins: waits for the first one, or until one would be missed.
  ///
  /// - Parameter holdsHead: Waits for what follows the run's start too, so that more failures have a status.
  /// - Throws: ``Failure`` when the run fails before anything else happened: it is the answer then, not an event.
  init(
    beginning feed: RunFeed, connection: Connection?, encoder: any RunEventEncoder, holdsHead: Bool = false
  ) async throws {
    watcher = feed.watch()
    pending = try await watcher.next(within: Self.keepAlive)
    self.connection = connection
    self.encoder = encoder
    if holdsHead, pending?.count == 1, case .started = pending?.first,
      let more = try await watcher.next(within: Self.keepAlive)
    {
      pending? += more
    }
    guard let pending, case .failed(let failure) = pending.last else { return }
    if pending.count == 1 || holdsHead && !pending.contains(where: \.isText) { throw failure }
  }

  /// The events of a run after number `number`.
  init(_ feed: RunFeed, after number: Int, connection: Connection?, encoder: any RunEventEncoder) {
    watcher = feed.watch(after: number)
    self.connection = connection
    self.encoder = encoder
  }

  static let headers: HTTPFields = {
    var fields = HTTPFields()
    fields[.contentType] = "text/event-stream"
    fields[.cacheControl] = "no-store"
    // A proxy that gathers pieces would gather the whole answer.
    if let name = HTTPField.Name("X-Accel-Buffering") { fields[name] = "no" }
    return fields
  }()

  /// Writes event after event until the run has ended.
  @concurrent
  func write(to writer: inout any ResponseBodyWriter, requestID: String) async throws {
    guard let connection else { return try await writeEvents(to: &writer, requestID: requestID) }
    try await withTaskExecutorPreference(LoopExecutor(connection.channel.eventLoop)) {
      try await writeEvents(to: &writer, requestID: requestID)
    }
  }

  @concurrent
  private func writeEvents(to writer: inout any ResponseBodyWriter, requestID: String) async throws {
    var watcher = watcher
    var encoder = encoder
    var events = pending
    if events == nil { events = try await watcher.next(within: Self.keepAlive) }
    while let batch = events {
      var buffer = ByteBufferAllocator().buffer(capacity: Self.eventBytes * max(1, batch.count))
      if batch.isEmpty { buffer.writeStaticString(": keep-alive\n\n") }
      for (event, number) in zip(batch, (watcher.read - batch.count + 1)...) {
        let place = RunEventPlace(
          number: number, requestID: requestID, isDraining: connection?.isDraining ?? false)
        encoder.write(event, place, to: &buffer)
      }
      if buffer.readableBytes > 0 { try await writer.write(buffer) }
      events = try await watcher.next(within: Self.keepAlive)
    }
    try await writer.finish(nil)
  }
}

extension RunEvent {
  fileprivate var isText: Bool { if case .text = self { true } else { false } }
}
