// SPDX-License-Identifier: Apache-2.0
import Glibc
public import JSONCodec
public import Telemetry

/// A message to an agent.
public struct ChatRequest: Sendable {
  public var agent: String
  public var message: String
  /// `nil` = a new session.
  public var sessionID: String?
  public var input: JSONObject
  /// Added to `input`, which wins where both name a key.
  public var context: JSONObject
  public var idempotencyKey: IdempotencyKey?
  /// `nil` = the session's; else the turn belongs to no session.
  public var conversation: CallerConversation?
  /// Of whoever asks, where traces are kept.
  public var trace: TraceContext?

  public init(
    agent: String, message: String, sessionID: String? = nil, input: JSONObject = JSONObject(),
    context: JSONObject = JSONObject(), idempotencyKey: IdempotencyKey? = nil,
    conversation: CallerConversation? = nil
  ) {
    self.agent = agent
    self.message = message
    self.sessionID = sessionID
    self.input = input
    self.context = context
    self.idempotencyKey = idempotencyKey
    self.conversation = conversation
  }

  /// What scripts get as `ctx.input`.
  var scriptInput: RawJSON {
    var merged = callerInput
    merged["message"] = .string(message)
    return RawJSON(.object(merged))
  }

  /// The same without the message.
  var callerInput: JSONObject {
    var merged = input
    for member in context.members where merged[member.key] == nil { merged.append(member.key, member.value) }
    return merged
  }
}

/// Why a turn's answer ends where it does.
public enum FinishReason: String, Sendable {
  case stop, length
  case contentFilter = "content_filter"
  case refusal
  /// A limit of the agent (steps, tokens, cost) said stop; what was done is kept.
  case limit
  /// The model asked for the same call again and again.
  case repeatedCall = "repeated_call"
  case interrupted, cancelled
  /// The model called tools of the caller's: it is the caller's turn.
  case toolCalls = "tool_calls"
}

/// The answer to a message.
public final class ChatReply: Sendable {
  public let sessionID: String
  public let messageID: String
  public let runID: String
  public let agent: String
  public let version: String
  public let text: String
  public let data: RawJSON?
  public let usingStub: Bool
  public let finishReason: FinishReason
  public let calls: [ToolCall]
  /// Calls of the caller's own tools, for the caller to make; none unless it sent tools.
  public let handedOut: [ToolCallRequest]
  public let usage: Usage
  public let at: Timestamp

  public init(
    sessionID: String, messageID: String, runID: String, agent: String, version: String, text: String,
    data: RawJSON?, usingStub: Bool, finishReason: FinishReason, calls: [ToolCall],
    handedOut: [ToolCallRequest] = [], usage: Usage, at: Timestamp
  ) {
    self.sessionID = sessionID
    self.messageID = messageID
    self.runID = runID
    self.agent = agent
    self.version = version
    self.text = text
    self.data = data
    self.usingStub = usingStub
    self.finishReason = finishReason
    self.calls = calls
    self.handedOut = handedOut
    self.usage = usage
    self.at = at
  }
}

/// What became of a message: the answer, or the run waits for something that may take days.
public enum ChatOutcome: Sendable {
  case answered(ChatReply)
  // Indirect: every frame that waits for an outcome has room for one.
  indirect case waiting(WaitingRun)

  /// The answer.
  ///
  /// - Throws: ``Failure`` `conflict` when the run waits: for callers that cannot.
  public func reply() throws(Failure) -> ChatReply {
    switch self {
    case .answered(let reply): return reply
    case .waiting(let run): throw Failure(waiting: run)
    }
  }
}

extension Failure {
  /// For callers that cannot wait.
  public init(waiting run: WaitingRun) {
    self.init(
      .conflict, "the run waits for a person; it goes on when that is decided",
      detail: [
        "reason": "waiting", "run_id": .string(run.runID),
        "approval_id": run.approval.map { .string($0.id) } ?? .null,
      ])
  }
}

extension ChatRequest {
  /// Checks what a caller sent.
  ///
  /// - Throws: ``Failure`` `invalid_arguments` whose `detail` lists every fault as `{field, message}`.
  func validate(messageCharactersMax: Int) throws(Failure) {
    var faults: [(field: String, message: String)] = []
    if message.isBlank { faults.append(("message", "is empty")) }
    if message.utf8.count > messageCharactersMax, message.unicodeScalars.count > messageCharactersMax {
      faults.append(("message", "has more than \(messageCharactersMax) characters"))
    }
    if message.holdsNUL { faults.append(("message", "contains a NUL character")) }
    if let sessionID, !ChatRequest.isSessionID(sessionID) {
      faults.append(("session_id", ChatRequest.sessionIDRule))
    }
    guard let first = faults.first else { return }
    throw Failure(
      .invalidArguments, "\(first.field) \(first.message)",
      detail: .array(
        faults.map { ["field": .string($0.field), "message": .string($0.message)] }))
  }

  public static let sessionIDRule = "must be 1 to 128 characters of A-Z a-z 0-9 . _ : -"

  public static func isSessionID(_ text: String) -> Bool {
    (1...128).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"),
          UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }
}

extension String {
  /// Whether these bytes are in it, whatever characters they are parts of: hundreds of times quicker than `contains`.
  public func holds(_ part: String) -> Bool {
    withUTF8Bytes { text in
      part.withUTF8Bytes { part in
        guard let first = text.baseAddress, let wanted = part.baseAddress, part.count <= text.count else {
          return part.isEmpty
        }
        return (0...text.count - part.count).contains { memcmp(first + $0, wanted, part.count) == 0 }
      }
    }
  }

  /// Whether a NUL character is in it.
  public var holdsNUL: Bool {
    utf8.withContiguousStorageIfAvailable { buffer in
      buffer.baseAddress.map { memchr($0, 0, buffer.count) != nil } ?? false
    } ?? utf8.contains(0)
  }

  /// Nothing but white space.
  var isBlank: Bool {
    // A letter or digit at the front, as in nearly every message, settles it.
    if let first = utf8.first, first > 0x20, first < 0x80 { return false }
    return allSatisfy(\.isWhitespace)
  }
}
