// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import NIOCore

/// A run's events in our own words; each event's `id` is its number in the run.
struct RunEvents: RunEventEncoder {
  func write(_ event: RunEvent, _ place: RunEventPlace, to buffer: inout ByteBuffer) {
    buffer.writeStaticString("id: ")
    buffer.writeString(String(place.number))
    buffer.writeStaticString(event.head)
    writeData(of: event, place, to: &buffer)
    buffer.writeStaticString("\n\n")
  }

  /// One line of JSON.
  private func writeData(of event: RunEvent, _ place: RunEventPlace, to buffer: inout ByteBuffer) {
    switch event {
    case .completed(let reply): buffer.writeBytes(reply.json.bytes)
    case .failed(let failure):
      buffer.writeBytes(
        Problem(failure, isDraining: place.isDraining).document(requestID: place.requestID))
    case .toolFinished(let call): buffer.writeBytes(call.bytes())
    case .approvalRequested(let approval): buffer.writeBytes(approval.bytes())
    case .waiting(let run): buffer.writeBytes(run.bytes())
    case .started(let runID, let sessionID):
      writeObject(to: &buffer) {
        $0.member("run_id", runID)
        $0.member("session_id", sessionID)
      }
    case .text(let text): writeObject(to: &buffer) { $0.member("text", text) }
    case .toolStarted(let id, let name, let arguments):
      writeObject(to: &buffer) {
        $0.member("id", id)
        $0.member("name", name)
        $0.member("arguments", arguments)
      }
    }
  }

  private func writeObject(to buffer: inout ByteBuffer, _ body: (inout JSONWriter) -> Void) {
    var writer = JSONWriter(reservingCapacity: 128)
    writer.object(body)
    writer.withBytes { _ = buffer.writeBytes($0) }
  }
}

extension RunEvent {
  /// What stands between number and data: the event's name on the wire, in one piece.
  fileprivate var head: StaticString {
    switch self {
    case .started: "\nevent: run.started\ndata: "
    case .text: "\nevent: message.delta\ndata: "
    case .toolStarted: "\nevent: tool.started\ndata: "
    case .toolFinished: "\nevent: tool.finished\ndata: "
    case .approvalRequested: "\nevent: approval.requested\ndata: "
    case .waiting: "\nevent: run.waiting\ndata: "
    case .completed: "\nevent: message.completed\ndata: "
    case .failed: "\nevent: error\ndata: "
    }
  }
}
