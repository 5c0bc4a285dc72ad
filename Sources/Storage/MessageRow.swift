// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// One row of `messages`, before its tool calls are looked up.
struct MessageRow {
  static let columns = "key, id, run_id, is_answer, text, failure, has_calls, created_at, tokens"

  /// In the place of a failure: a user's message that its run has not let in, and no other reads.
  static let unchecked = "unchecked"

  let key: Int64
  let isAnswer: Bool
  let isUnchecked: Bool
  /// It was, and its run has let it in.
  let wasUnchecked: Bool
  var runID: String { stored.runID }
  private let hasCalls: Bool
  private var stored: Message

  /// Reads the current row of a selection of ``columns``.
  init(_ row: SQLStatement) {
    key = row.integer(0)
    hasCalls = row.integer(6) != 0
    isAnswer = row.integer(3) != 0
    let mark = isAnswer ? nil : row.optionalText(5)
    isUnchecked = mark == Self.unchecked
    wasUnchecked = mark != nil && !isUnchecked
    stored = Message(
      id: row.text(1), runID: row.text(2), role: isAnswer ? .assistant : .user, text: row.text(4),
      failure: isAnswer ? row.optionalText(5).map(Failure.Code.init(rawValue:)) : nil,
      countedTokens: row.optionalInteger(8).map { Int($0) },
      createdAt: Timestamp(milliseconds: row.integer(7)))
  }

  /// The message; `calls` gives a statement of ``ToolCallRow/selection`` when it has any.
  func message(calls: () throws -> SQLStatement) throws -> Message {
    guard hasCalls else { return stored }
    var message = stored
    message.steps = try ToolCallRow.steps(runID: stored.runID, try calls())
    return message
  }
}

/// Rows of `tool_calls`, gathered into the steps that they were made in.
enum ToolCallRow {
  static let selection: StaticString = """
    SELECT step, step_text, call_id, name, arguments, result, error, started_at, duration_ms
    FROM tool_calls WHERE run_id = ? ORDER BY step, position
    """

  static func steps(runID: String, _ select: SQLStatement) throws -> [TurnStep] {
    defer { select.reset() }
    select.bind(1, runID)
    var steps: [TurnStep] = []
    var current: Int64?
    while try select.step() {
      if current != select.integer(0) {
        current = select.integer(0)
        steps.append(TurnStep(text: select.text(1), calls: []))
      }
      steps[steps.count - 1].calls.append(call(select))
    }
    return steps
  }

  private static func call(_ row: SQLStatement) -> ToolCall {
    let outcome: ToolCall.Outcome =
      if !row.isNull(5) {
        .result(RawJSON(trusted: row.bytes(5)))
      } else if !row.isNull(6) {
        .failed(Failure(stored: row.bytes(6)))
      } else {
        .failed(Failure(.internal, "interrupted: the server stopped before the tool answered"))
      }
    return ToolCall(
      id: row.text(2), name: row.text(3), arguments: RawJSON(trusted: row.bytes(4)), outcome: outcome,
      startedAt: Timestamp(milliseconds: row.integer(7)), durationMilliseconds: row.double(8))
  }
}

extension Failure {
  /// Reads the JSON of a row.
  init(stored bytes: [UInt8]) {
    guard let json = try? JSON(parsing: bytes) else {
      self.init(.internal, "the record of this failure is damaged")
      return
    }
    self.init(json: json)
  }
}
