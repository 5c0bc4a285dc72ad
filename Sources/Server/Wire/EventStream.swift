// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import Hummingbird
import JSONCodec
import NIOCore

/// The events of a run as server-sent events; each event's `id` is its number in the run.
///
/// Source: WHATWG HTML, 9.2.
struct EventStream: Sendable {
  /// After so long without an event comes a comment, so that nobody on the way takes the connection for dead.
  static let keepAlive = Duration.seconds(15)

  private var watcher: RunWatcher
  /// Read already.
  private var pending: ArraySlice<RunEvent>?
  private let connection: Connection?

  /// The events of a run that begins: waits for the first one, or until one would be missed.
  ///
  /// - Throws: ``Failure`` when the run fails before anything else happened: it is the answer then, not an event.
  init(beginning feed: RunFeed, connection: Connection?) async throws {
    watcher = feed.watch()
    pending = try await watcher.next(within: Self.keepAlive)
    self.connection = connection
    if case .failed(let failure) = pending?.first { throw failure }
  }

  /// The events of a run after number `number`.
  init(_ feed: RunFeed, after number: Int, connection: Connection?) {
    watcher = feed.watch(after: number)
    self.connection = connection
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
  func write(to writer: inout any ResponseBodyWriter, requestID: String) async throws {
    var watcher = watcher
    var events = pending
    if events == nil { events = try await watcher.next(within: Self.keepAlive) }
    while let batch = events {
      var buffer = ByteBuffer()
      if batch.isEmpty { buffer.writeStaticString(": keep-alive\n\n") }
      for (event, number) in zip(batch, (watcher.read - batch.count + 1)...) {
        write(event, number: number, requestID: requestID, to: &buffer)
      }
      try await writer.write(buffer)
      events = try await watcher.next(within: Self.keepAlive)
    }
    try await writer.finish(nil)
  }

  private func write(_ event: RunEvent, number: Int, requestID: String, to buffer: inout ByteBuffer) {
    buffer.writeString("id: \(number)\nevent: \(event.name)\ndata: ")
    buffer.writeBytes(data(of: event, requestID: requestID))
    buffer.writeStaticString("\n\n")
  }

  /// One line of JSON.
  private func data(of event: RunEvent, requestID: String) -> [UInt8] {
    switch event {
    case .completed(let reply): return reply.json.bytes
    case .failed(let failure):
      return Problem(failure, isDraining: connection?.isDraining ?? false).document(requestID: requestID)
    case .toolFinished(let call): return call.bytes()
    case .started(let runID, let sessionID):
      return object {
        $0.member("run_id", runID)
        $0.member("session_id", sessionID)
      }
    case .text(let text): return object { $0.member("text", text) }
    case .toolStarted(let id, let name, let arguments):
      return object {
        $0.member("id", id)
        $0.member("name", name)
        $0.member("arguments", arguments)
      }
    }
  }

  private func object(_ body: (inout JSONWriter) -> Void) -> [UInt8] {
    var writer = JSONWriter(reservingCapacity: 128)
    writer.object(body)
    return writer.bytes
  }
}

extension RunEvent {
  /// The event's name on the wire.
  fileprivate var name: StaticString {
    switch self {
    case .started: "run.started"
    case .text: "message.delta"
    case .toolStarted: "tool.started"
    case .toolFinished: "tool.finished"
    case .completed: "message.completed"
    case .failed: "error"
    }
  }
}
