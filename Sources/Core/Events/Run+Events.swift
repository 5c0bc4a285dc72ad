// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Synchronization

/// What a run tells of its workflow, and of the agents that it calls.
///
/// The names are those of the contract of events: docs/events.md.
extension Run {
  /// The workflow that it is, among those of the run.
  private var workflowID: String { prefix.isEmpty ? journal.runID : "\(journal.runID):\(prefix.dropLast())" }

  private func tell(_ type: String, key: String, _ body: (inout JSONWriter) -> Void) {
    var writer = JSONWriter(reservingCapacity: 256)
    writer.object(body)
    journal.tell(
      Event(
        type, at: environment.time.now, userID: context.user.id, runID: journal.runID, key: "\(key) \(type)",
        data: writer.raw))
  }

  /// Tells how a workflow begins and ends.
  func tellingWorkflow(_ body: () async throws -> ScriptReply) async throws -> ScriptReply {
    let start = environment.time.elapsed
    func tell(_ type: String, _ status: String, _ more: (inout JSONWriter) -> Void = { _ in }) {
      self.tell(type, key: prefix) { object in
        object.member("workflow_id", workflowID)
        object.member("workflow_name", agent.name)
        object.member("execution_id", journal.runID)
        object.member("user_id", context.user.id)
        object.member("session_id", context.sessionID)
        object.member("status", status)
        more(&object)
      }
    }
    tell(Event.workflowStarted, "running") {
      $0.member("input_data", RawJSON(.object(workflowInput)).bounded)
    }
    do {
      let reply = try await body()
      tell("workflow.completed", "completed") {
        $0.member("execution_time_ms", milliseconds(since: start))
        $0.member("output_data", (reply.data ?? RawJSON(.string(reply.text))).bounded)
      }
      return reply
    } catch let failure as Failure {
      tell(Event.workflowFailed, "failed") {
        $0.member("execution_time_ms", milliseconds(since: start))
        $0.member("error", failure.toldJSON)
      }
      throw failure
    }
  }

  /// Tells what came of an attempt of a step.
  func telling(
    _ attempt: Attempt, next: ((StepResult) async -> [String])?, _ body: () async throws -> StepResult
  ) async throws -> StepResult {
    let start = environment.time.elapsed
    func tell(_ status: String, took: Double, next: [String], _ more: (inout JSONWriter) -> Void) {
      self.tell("workflow.step_completed", key: "\(attempt.key)/\(attempt.number)") { object in
        object.member("workflow_id", workflowID)
        object.member("workflow_name", agent.name)
        object.member("step_id", String(attempt.key.dropFirst(prefix.count)))
        object.member("step_name", attempt.task.name)
        object.member("step_type", attempt.task.action.name)
        object.member("attempt", attempt.number)
        object.member("execution_time_ms", took)
        object.member("status", status)
        object.member("input_data", attempt.told.bounded)
        more(&object)
        object.member("next_steps", JSON.array(next.map { .string($0) }))
      }
    }
    do {
      let result = try await body()
      let took = milliseconds(since: start)
      let names = await next?(result) ?? attempt.next
      tell("completed", took: took, next: names) { $0.member("output_data", result.value.bounded) }
      return result
    } catch let failure as Failure {
      tell("failed", took: milliseconds(since: start), next: attempt.next) {
        $0.member("output_data", JSON.null)
        $0.member("error", failure.toldJSON)
      }
      throw failure
    }
  }

  /// Tells how the run of an agent ended that this one called.
  ///
  /// - Parameter body: Gets what it was told, and leaves of it what its guards let in.
  func tellingAgent(
    _ name: String, _ id: String, _ input: JSON, key: String,
    _ body: (_ heard: borrowing Mutex<JSON>) async throws -> ScriptReply
  ) async throws -> ScriptReply {
    let heard = Mutex(input)
    let start = environment.time.elapsed
    func tell(_ type: String, _ status: String, _ more: (inout JSONWriter) -> Void) {
      self.tell(type, key: key) { object in
        object.member("agent_id", name)
        object.member("execution_id", id)
        object.member("user_id", context.user.id)
        object.member("session_id", context.sessionID)
        object.member("input_data", RawJSON(heard.withLock { $0 }).bounded)
        more(&object)
        object.member("execution_time_ms", milliseconds(since: start))
        object.member("status", status)
        object.key("metadata")
        object.object {
          let isStep =
            key.dropFirst(prefix.count).hasPrefix("step.") || key.dropFirst(prefix.count).hasPrefix("state.")
          $0.member("workflow_id", isStep ? .string(workflowID) : JSON.null)
          $0.member("step_id", isStep ? .string(String(key.dropFirst(prefix.count))) : JSON.null)
          $0.member("called_by", journal.runID)
        }
      }
    }
    do {
      let reply = try await body(heard)
      tell(Event.agentExecuted, "completed") { object in
        object.key("output_data")
        object.object {
          $0.member("response", RawJSON(.string(reply.text)).bounded)
          if let data = reply.data { $0.member("data", data.bounded) }
        }
      }
      return reply
    } catch let failure as Failure {
      tell(Event.agentFailed, "failed") {
        $0.member("output_data", JSON.null)
        $0.member("error", failure.toldJSON)
      }
      throw failure
    }
  }

  private func milliseconds(since start: Duration) -> Double {
    (environment.time.elapsed - start) / .milliseconds(1)
  }
}

extension Run.Attempt {
  /// What it got; of a list only its element, for each of which the rest would be told again.
  fileprivate var told: RawJSON {
    guard let element else { return RawJSON(.object(input)) }
    return RawJSON(["item": element.item, "index": .integer(Int64(element.position))])
  }
}

extension RawJSON {
  /// Itself, or `null` for what is too much to be told.
  fileprivate var bounded: RawJSON { bytes.count > Event.dataBytesMax ? .null : self }
}

extension Failure {
  /// As events tell of it.
  var toldJSON: JSON { ["code": .string(code.rawValue), "message": .string(message)] }
}

extension WorkflowAction {
  /// As events and plans name it.
  fileprivate var name: String {
    switch self {
    case .agent: "agent"
    case .tool: "tool"
    case .function: "function"
    case .approval: "human"
    case .webhook: "webhook"
    case .sleep: "sleep"
    }
  }
}
