// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// Rows of `messages`, before their tool calls are looked up: of each what it says, and what stands beside that.
///
/// In two lists, as that of the messages is handed on without a copy.
struct MessageRows {
  static let columns = "key, id, run_id, is_answer, text, failure, has_calls, created_at, tokens"

  /// In the place of a failure: a user's message that its run has not let in, and no other reads.
  static let unchecked = "unchecked"

  struct Mark {
    let key: Int64
    let hasCalls: Bool
    let isUnchecked: Bool
    /// It was, and its run has let it in.
    let wasUnchecked: Bool
  }

  private(set) var marks: [Mark] = []
  private(set) var messages: [Message] = []

  var count: Int { marks.count }

  init(reservingCapacity capacity: Int = 0) {
    marks.reserveCapacity(capacity)
    messages.reserveCapacity(capacity)
  }

  /// Reads the current row of a selection of ``columns``.
  mutating func append(_ row: SQLStatement) {
    let isAnswer = row.integer(3) != 0
    let mark = isAnswer ? nil : row.optionalText(5)
    let isUnchecked = mark == Self.unchecked
    marks.append(
      Mark(
        key: row.integer(0), hasCalls: row.integer(6) != 0, isUnchecked: isUnchecked,
        wasUnchecked: mark != nil && !isUnchecked))
    // A question and its answer have the same.
    let known = messages.isEmpty ? nil : messages[messages.count - 1].runID
    messages.append(
      Message(
        id: row.text(1), runID: row.text(2, known: known),
        role: isAnswer ? .assistant : .user, text: row.text(4),
        failure: isAnswer ? row.optionalText(5).map(Failure.Code.init(rawValue:)) : nil,
        countedTokens: row.optionalInteger(8).map { Int($0) },
        createdAt: Timestamp(milliseconds: row.integer(7))))
  }

  /// Leaves out all messages of runs whose own was not let in.
  mutating func dropUnread() {
    guard marks.contains(where: { $0.isUnchecked || $0.wasUnchecked }) else { return }
    let answered = Set(messages.lazy.filter { $0.role == .assistant }.map(\.runID))
    let unread = Set(
      zip(marks, messages).lazy.filter { mark, message in
        mark.isUnchecked || mark.wasUnchecked && !answered.contains(message.runID)
      }.map(\.1.runID))
    let kept = messages.indices.filter { !unread.contains(messages[$0].runID) }
    (marks, messages) = (kept.map { marks[$0] }, kept.map { messages[$0] })
  }

  /// Reads the tool calls; `calls` gives a statement of ``ToolCallRow/selection`` where there are any.
  mutating func readCalls(_ calls: () throws -> SQLStatement) throws {
    for index in marks.indices where marks[index].hasCalls {
      let steps = try ToolCallRow.steps(runID: messages[index].runID, try calls())
      messages[index] = messages[index].with(steps)
    }
  }
}

extension Message {
  fileprivate func with(_ steps: [TurnStep]) -> Message {
    Message(
      id: id, runID: runID, role: role, text: text, steps: steps, failure: failure,
      countedTokens: countedTokens,
      createdAt: createdAt)
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
