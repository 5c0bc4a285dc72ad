// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Synchronization

/// Graphs of steps.
extension Run {
  /// What came of an order of ``WorkflowEngine``.
  private enum Report: Sendable {
    case decided(Int, WorkflowEngine.Decision, [JSON])
    case finished(WorkflowEngine.Unit, StepResult)
    case failed(WorkflowEngine.Unit, attempt: Int, Failure)
    case stopped
  }

  /// Runs a graph to its end; the first error that nothing catches cancels what is under way and waits for it.
  func perform(_ workflow: Workflow, in script: any ScriptRun) async throws -> ScriptReply {
    // It failed in an earlier life, which ended before it could say so: nothing may begin any more.
    if let failure = WorkflowKeys.failure(of: workflow, in: journal.recordedFailures(under: keys.root)) {
      throw failure
    }
    var engine = WorkflowEngine(workflow)
    var lists: [Int: [JSON]] = [:]
    let waits = journal.waits
    await withTaskGroup(of: Report.self) { group in
      var underWay = 0
      func begin(_ orders: [WorkflowEngine.Order]) {
        for order in orders {
          let job = job(order, engine, lists, in: script)
          waits.count(lines: 1)
          underWay += 1
          group.addTask { await job() }
        }
      }
      begin(engine.start())
      while underWay > 0 {
        waits.count(lines: -1)
        guard let report = await group.next() else { break }
        underWay -= 1
        switch report {
        case .decided(let step, let decision, let list):
          lists[step] = list
          begin(engine.decided(step, decision))
        case .finished(let unit, let result): begin(engine.finished(unit, result))
        case .failed(let unit, let attempt, let failure):
          if let refusal = journal.refusal {
            engine.abandon(refusal)
          } else {
            begin(engine.failed(unit, attempt: attempt, failure))
          }
        case .stopped: engine.stopped()
        }
        if engine.isFailing { group.cancelAll() }
      }
    }
    try Task.checkCancellation()
    try journal.check()
    switch engine.ending {
    case .completed(let entries): return ScriptReply(of: entries)
    case .failed(let failure): throw failure
    case nil: throw Failure(.internal, "the workflow stopped in its middle")
    }
  }

  private var keys: WorkflowKeys { WorkflowKeys(prefix: prefix) }

  /// The workflow's own input: what the caller sent, with the message as `before` left it.
  var workflowInput: JSONObject {
    var input = (try? context.input.value())?.object ?? JSONObject()
    input["message"] = .string(turn.withLock { $0.message })
    return input
  }

  private func job(
    _ order: WorkflowEngine.Order, _ engine: WorkflowEngine, _ lists: [Int: [JSON]], in script: any ScriptRun
  ) -> @Sendable () async -> Report {
    switch order {
    case .decide(let step):
      let unit = WorkflowEngine.Unit(step: step, acting: step, element: nil)
      let results = RawJSON(members: engine.results(for: unit))
      let source = engine.workflow.steps[step]
      var list: RawJSON?
      if case .step(let name) = source.list {
        list = engine.results(for: unit).first { $0.name == name }?.value
      }
      let given = list
      return {
        await self.report(unit, attempt: 0) {
          try await self.decide(source, step, results, given, in: script)
        }
      }
    case .act(let unit, let number, let pause):
      let workflow = engine.workflow
      let task = workflow.steps[unit.acting].task
      var input = workflowInput
      for (name, value) in engine.needs(of: unit) { input[name] = try? value.value() }
      var arguments = [RawJSON(members: engine.results(for: unit))]
      var element: (item: JSON, position: Int)?
      if let index = unit.element, let item = lists[unit.step]?[index] {
        input["item"] = item
        arguments += [RawJSON(item), RawJSON(.integer(Int64(index + 1)))]
        element = (item, index + 1)
      }
      let attempt = Attempt(
        task: task, path: ["steps", task.name], key: keys.key(of: unit, in: workflow), number: number,
        pauseSeconds: pause, input: input, element: element, arguments: arguments,
        next: workflow.steps.filter { $0.needs.contains(workflow.steps[unit.step].name) }.map(\.name))
      return {
        await self.report(unit, attempt: number) {
          .finished(unit, try await self.make(attempt, in: script))
        }
      }
    }
  }

  /// Asks whether a step runs, and for the list of which it runs for each element.
  private func decide(
    _ step: Workflow.Step, _ index: Int, _ results: RawJSON, _ given: RawJSON?, in script: any ScriptRun
  ) async throws -> Report {
    let key = keys.key(ofDeciding: step.name)
    @Sendable func ask(_ name: StepFunction.Name) async throws -> JSON {
      try await script.call(
        StepFunction(
          name, at: ["steps", step.name], arguments: [results], place: "\(key).\(name.rawValue):")
      ).value()
    }
    return try await keepingFailure(at: key, of: step.name) {
      if step.hasCondition, try await ask(.when) == .bool(false) { return .decided(index, .skip, []) }
      guard let source = step.list else { return .decided(index, .once, []) }
      // A list that was skipped has no elements.
      let value = source == .function ? try await ask(.forEach) : try given?.value() ?? .array([])
      guard let list = value.array ?? (value.object?.isEmpty == true || value.isNull ? [] : nil) else {
        throw Failure(
          .internal, "'\(step.name)' runs for each element of what is no list",
          diagnostic: "steps.\(step.name).for_each: a list expected, got \(value.typeName)")
      }
      guard list.count <= WorkflowKeys.elementsMax else {
        throw Failure(
          .limit, "'\(step.name)' would run \(list.count) times; at most \(WorkflowKeys.elementsMax)")
      }
      return .decided(index, .each(count: list.count), list)
    }
  }

  private func report(
    _ unit: WorkflowEngine.Unit, attempt: Int, _ body: () async throws -> Report
  ) async -> Report {
    do {
      return try await body()
    } catch is CancellationError {
      return .stopped
    } catch {
      return .failed(unit, attempt: attempt, Failure(error))
    }
  }
}

extension RawJSON {
  /// An object of members that are JSON already.
  init(members: [(name: String, value: RawJSON)]) {
    var writer = JSONWriter()
    writer.object { for (name, value) in members { $0.member(named: name, value) } }
    self = writer.raw
  }
}

extension ScriptReply {
  /// The answer of a workflow: the last results by name; as text, what the only one says, or else the same as JSON.
  init(of entries: [WorkflowEngine.Entry]) {
    let data = RawJSON(members: entries.map { ($0.name, $0.result.value) })
    self.init(text: (entries.count == 1 ? entries[0].result.text : nil) ?? data.text, data: data)
  }
}
