// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Transport

/// An event of a run, as a server writes it.
enum RemoteEvent: Sendable {
  case started(runID: String, sessionID: String)
  case text(String)
  case toolStarted(id: String, name: String, arguments: RawJSON)
  case toolFinished(ToolCall)
  case completed(Answer)
  case failed(Failure)
  /// The run asks a person.
  case approvalRequested(id: String, title: String)

  struct Answer: Sendable {
    var text: String
    var calls: [ToolCall]
    var usingStub: Bool
  }

  /// `nil` for what is no event of ours: a later server may have more of them.
  init?(_ event: ServerSentEvents.Event) {
    guard let data = try? JSON(parsing: event.data) else { return nil }
    switch event.name {
    case "run.started":
      guard let runID = data["run_id"]?.string, let sessionID = data["session_id"]?.string else { return nil }
      self = .started(runID: runID, sessionID: sessionID)
    case "message.delta": self = .text(data["text"]?.string ?? "")
    case "tool.started":
      self = .toolStarted(
        id: data["id"]?.string ?? "", name: data["name"]?.string ?? "?",
        arguments: RawJSON(data["arguments"] ?? .null))
    case "tool.finished": self = .toolFinished(ToolCall(document: data))
    case "message.completed":
      self = .completed(
        Answer(
          text: data["response"]?.string ?? "",
          calls: (data["tool_calls"]?.array ?? []).map { ToolCall(document: $0) },
          usingStub: data["using_stub"]?.bool ?? false))
    case "approval.requested":
      self = .approvalRequested(id: data["id"]?.string ?? "?", title: data["title"]?.string ?? "")
    case "run.waiting":
      self = .failed(Failure(.conflict, "the run waits for a person; it goes on when that is decided"))
    case "error": self = .failed(Failure(problem: data) ?? Failure(.upstream, "the server did not say why"))
    default: return nil
    }
  }
}

extension ToolCall {
  /// Reads what the server writes of a call.
  fileprivate init(document: JSON) {
    let outcome: Outcome =
      if let error = document["error"], !error.isNull {
        .failed(
          Failure(
            Failure.Code(rawValue: error["code"]?.string ?? Failure.Code.internal.rawValue),
            error["message"]?.string ?? "", retryable: error["retryable"]?.bool ?? false))
      } else {
        .result(RawJSON(document["result"] ?? .null))
      }
    self.init(
      id: document["id"]?.string ?? "", name: document["name"]?.string ?? "?",
      arguments: RawJSON(document["arguments"] ?? .null), outcome: outcome,
      // Not told, and not shown.
      startedAt: Timestamp(milliseconds: 0),
      durationMilliseconds: document["duration_ms"]?.double ?? 0)
  }
}

extension Approval {
  /// As much of a remote one as is shown.
  static func shown(id: String, title: String) -> Approval {
    Approval(
      id: id, runID: "", key: "", userID: "", agent: "", question: Question(title: title), digest: 0,
      createdAt: Timestamp(milliseconds: 0))
  }
}
