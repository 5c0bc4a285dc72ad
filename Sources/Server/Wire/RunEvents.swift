// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import NIOCore

/// A run's events in our own words; each event's `id` is its number in the run.
struct RunEvents: RunEventEncoder {
  func write(_ event: RunEvent, _ place: RunEventPlace, to buffer: inout ByteBuffer) {
    buffer.writeString("id: \(place.number)\nevent: \(event.name)\ndata: ")
    buffer.writeBytes(data(of: event, place))
    buffer.writeStaticString("\n\n")
  }

  /// One line of JSON.
  private func data(of event: RunEvent, _ place: RunEventPlace) -> [UInt8] {
    switch event {
    case .completed(let reply): return reply.json.bytes
    case .failed(let failure):
      return Problem(failure, isDraining: place.isDraining).document(requestID: place.requestID)
    case .toolFinished(let call): return call.bytes()
    case .approvalRequested(let approval): return approval.bytes()
    case .waiting(let run): return run.bytes()
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
    case .approvalRequested: "approval.requested"
    case .waiting: "run.waiting"
    case .completed: "message.completed"
    case .failed: "error"
    }
  }
}
