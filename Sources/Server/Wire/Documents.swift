// SPDX-License-Identifier: Apache-2.0
public import Core
import HTTPTypes
public import JSONCodec

/// Something that is written as a JSON object.
protocol Document: Sendable {
  func write(to writer: inout JSONWriter)
}

extension Document {
  func bytes(reservingCapacity capacity: Int = 512) -> [UInt8] {
    var writer = JSONWriter(reservingCapacity: capacity)
    write(to: &writer)
    return writer.bytes
  }
}

extension ChatReply: Document {
  func write(to writer: inout JSONWriter) { writer.object { writeMembers(to: &$0) } }

  func writeMembers(to writer: inout JSONWriter) {
    writer.member("session_id", sessionID)
    writer.member("message_id", messageID)
    writer.member("run_id", runID)
    writer.member("agent", agent)
    writer.member("version", version)
    writer.member("response", text)
    writer.member("data", data ?? .null)
    writer.member("using_stub", usingStub)
    writer.member("finish_reason", finishReason.rawValue)
    writer.member("tool_calls", calls)
    writer.member("usage", usage)
    writer.member("timestamp", at.description)
  }
}

extension ChatReply {
  /// The answer as the chat endpoint writes it.
  public var json: RawJSON { RawJSON(trusted: bytes(reservingCapacity: 640 + text.utf8.count)) }
}

extension ToolCall: Document {
  func write(to writer: inout JSONWriter) { writer.object { writeMembers(to: &$0) } }

  func writeMembers(to writer: inout JSONWriter) {
    writer.member("id", id)
    writer.member("name", name)
    writer.member("arguments", arguments)
    switch outcome {
    case .result(let result):
      writer.member("result", result)
      writer.member("error", JSON.null)
    case .failed(let failure):
      writer.member("result", JSON.null)
      writer.key("error")
      writer.object {
        $0.member("code", failure.code.rawValue)
        $0.member("message", failure.message)
        $0.member("retryable", failure.retryable)
      }
    }
    writer.member("duration_ms", (durationMilliseconds * 1000).rounded() / 1000)
  }
}

extension Usage: Document {
  func write(to writer: inout JSONWriter) {
    writer.object {
      $0.member("input_tokens", inputTokens)
      $0.member("output_tokens", outputTokens)
      $0.member("cost_usd", costUSD.map(JSON.number) ?? .null)
      if isEstimated { $0.member("estimated", true) }
    }
  }
}

extension Session: Document {
  func write(to writer: inout JSONWriter) { writer.object { writeMembers(to: &$0) } }

  fileprivate func writeMembers(to writer: inout JSONWriter) {
    writer.member("id", id)
    writer.member("title", title)
    writer.member("agent", agent.map(JSON.string) ?? .null)
    writer.member("message_count", messageCount)
    writer.member("created_at", createdAt.description)
    writer.member("updated_at", updatedAt.description)
  }
}

/// A conversation with what it came to.
struct SummedSession: Document {
  let session: Session
  let totals: SessionTotals

  func write(to writer: inout JSONWriter) {
    writer.object {
      session.writeMembers(to: &$0)
      $0.member("runs", totals.runs)
      $0.member("usage", totals.usage)
      $0.member("first_run_at", totals.firstRunAt.map { .string($0.description) } ?? JSON.null)
      $0.member("last_run_at", totals.lastRunAt.map { .string($0.description) } ?? JSON.null)
      $0.key("feedback")
      $0.object {
        $0.member("count", totals.judged)
        $0.member("mean", totals.meanScore.map { .number(($0 * 10_000).rounded() / 10_000) } ?? JSON.null)
      }
    }
  }
}

extension Message: Document {
  func write(to writer: inout JSONWriter) {
    writer.object {
      $0.member("id", id)
      $0.member("run_id", runID)
      $0.member("role", role.rawValue)
      $0.member("content", text)
      $0.member("tool_calls", steps.flatMap(\.calls))
      $0.member("error", failure.map { .string($0.rawValue) } ?? JSON.null)
      $0.member("tokens", tokens.count)
      $0.member("tokens_estimated", tokens.isEstimated)
      $0.member("created_at", createdAt.description)
    }
  }
}

extension RunRecord: Document {
  func write(to writer: inout JSONWriter) { writer.object { writeMembers(to: &$0) } }

  func writeMembers(to writer: inout JSONWriter) {
    writer.member("id", id)
    writer.member("user_id", userID)
    writer.member("session_id", sessionID.map(JSON.string) ?? .null)
    writer.member("agent", agent)
    writer.member("version", version)
    writer.member("status", status.rawValue)
    writer.member("error", failure.map { .string($0.rawValue) } ?? JSON.null)
    writer.member("usage", usage)
    writer.member("started_at", startedAt.description)
    writer.member("finished_at", finishedAt.map { .string($0.description) } ?? JSON.null)
  }
}

extension Page: Document where Element: Document {
  func write(to writer: inout JSONWriter) {
    writer.object {
      $0.member("data", items)
      $0.member("next", next.map(JSON.string) ?? .null)
    }
  }
}

extension JSONWriter {
  mutating func member(_ key: StaticString, _ document: some Document) {
    self.key(key)
    document.write(to: &self)
  }

  mutating func member(_ key: StaticString, _ documents: [some Document]) {
    self.key(key)
    array { for document in documents { document.write(to: &$0) } }
  }
}

extension Reply {
  static func document(status: HTTPResponse.Status = .ok, _ document: some Document) -> Reply {
    .json(status: status, document.bytes())
  }
}
