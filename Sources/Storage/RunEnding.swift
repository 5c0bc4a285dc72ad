// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// What the end of a run tells, which stands with the run.
enum RunEnding {
  static let selection: StaticString =
    """
    SELECT runs.agent, runs.version, runs.status, runs.failure, runs.failure_message, runs.data, runs.started_at,
    runs.finished_at, runs.input_tokens, runs.output_tokens, runs.cost_usd, sessions.name,
    iif(questions.failure IS NOT 'unchecked', questions.text, NULL), answers.text
    FROM runs LEFT JOIN sessions ON sessions.id = runs.session
    LEFT JOIN messages AS questions ON questions.key = runs.question
    LEFT JOIN messages AS answers ON answers.key = runs.answer
    WHERE runs.id = ?
    """

  /// Of a run that went with its session only its name.
  static func json(of event: Event, _ select: SQLStatement) throws -> RawJSON {
    select.bind(1, event.runID)
    defer { select.reset() }
    var writer = JSONWriter(reservingCapacity: 512)
    let isKept = try select.step()
    let question = isKept ? select.optionalText(12) : nil
    let answer = isKept ? select.optionalText(13) : nil
    writer.object { object in
      object.member("agent_id", isKept ? .string(select.text(0)) : JSON.null)
      object.member("execution_id", event.runID.map(JSON.string) ?? .null)
      object.member("user_id", event.userID.map(JSON.string) ?? .null)
      object.member("session_id", isKept ? select.optionalText(11).map(JSON.string) ?? .null : .null)
      object.member("input_data", question.map { ["message": .string($0)] } ?? .null)
      if let answer {
        object.key("output_data")
        object.object {
          $0.member("response", answer)
          if !select.isNull(5) { $0.member("data", RawJSON(trusted: select.bytes(5))) }
        }
      } else {
        object.member("output_data", JSON.null)
      }
      object.member(
        "execution_time_ms",
        isKept ? JSON.integer((select.optionalInteger(7) ?? select.integer(6)) - select.integer(6)) : .null)
      object.member("status", isKept ? .string(select.text(2)) : JSON.null)
      if isKept, let code = select.optionalText(3) {
        object.member(
          "error", ["code": .string(code), "message": .string(select.optionalText(4) ?? "")] as JSON)
      }
      object.key("metadata")
      object.object {
        $0.member("workflow_id", JSON.null)
        $0.member("step_id", JSON.null)
        guard isKept else { return }
        $0.member("version", select.text(1))
        $0.member("input_tokens", Int(select.integer(8)))
        $0.member("output_tokens", Int(select.integer(9)))
        $0.member("cost_usd", select.optionalDouble(10).map(JSON.number) ?? .null)
      }
    }
    return writer.raw
  }
}
