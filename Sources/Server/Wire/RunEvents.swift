// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import NIOCore

/// A run's events in our own words; each event's `id` is its number in the run.
struct RunEvents: RunEventEncoder {
  func write(_ event: RunEvent, _ place: RunEventPlace, to buffer: inout ByteBuffer) {
    var writer = JSONWriter(reservingCapacity: 160)
    writer.literal("id: ")
    writer.write(Int64(place.number))
    writer.literal(event.head)
    writeData(of: event, place, to: &writer)
    writer.literal("\n\n")
    writer.withBytes { _ = buffer.writeBytes($0) }
  }

  /// One line of JSON.
  private func writeData(of event: RunEvent, _ place: RunEventPlace, to writer: inout JSONWriter) {
    switch event {
    case .completed(let reply): writer.write(reply.json)
    case .failed(let failure):
      let problem = Problem(failure, isDraining: place.isDraining).document(requestID: place.requestID)
      writer.write(RawJSON(trusted: problem))
    case .toolFinished(let call): writer.write(RawJSON(trusted: call.bytes()))
    case .approvalRequested(let approval): writer.write(RawJSON(trusted: approval.bytes()))
    case .waiting(let run): writer.write(RawJSON(trusted: run.bytes()))
    case .started(let runID, let sessionID):
      writer.object {
        $0.member("run_id", runID)
        $0.member("session_id", sessionID)
      }
    case .text(let text): writer.object { $0.member("text", text) }
    case .toolStarted(let id, let name, let arguments):
      writer.object {
        $0.member("id", id)
        $0.member("name", name)
        $0.member("arguments", arguments)
      }
    }
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
