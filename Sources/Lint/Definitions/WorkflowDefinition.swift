// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// Turns `steps` into a ``Workflow`` and `states` into a ``StateMachine``.
enum WorkflowDefinition {
  static let stepFields =
    TaskDefinition.actions + TaskDefinition.options + ["needs", "when", "on_error", "for_each", "limit"]
  static let stateFields = TaskDefinition.actions + TaskDefinition.options + ["on", "next"]

  /// - Parameter owner: The agent's table.
  /// - Returns: `nil` when a problem was reported, or the text does not tell enough.
  static func steps(_ owner: DefinitionReader) -> Agent.Body? {
    guard let table = owner.table("steps", noun: "steps") else { return nil }
    let count = owner.problems.errorCount
    if owner.isPresent("initial") {
      owner.report(
        "initial", .conflict, "'initial' is the first of 'states'; steps begin when their needs are met")
    }
    var steps: [Workflow.Step] = []
    let others = nodes(table, "a step", stepFields, max: Workflow.stepsMax) { reader, name in
      step(reader, name, owner).map { steps.append($0) } != nil
    }
    for problem in Workflow.problems(of: steps, others: others) { owner.report(problem) }
    guard owner.problems.errorCount == count, others.isEmpty, let workflow = try? Workflow(steps) else {
      return nil
    }
    return .steps(workflow)
  }

  static func states(_ owner: DefinitionReader) -> Agent.Body? {
    guard let table = owner.table("states", noun: "states") else { return nil }
    let count = owner.problems.errorCount
    let initial = owner.string("initial")
    if !owner.isPresent("initial"), !owner.isOpen {
      owner.report(nil, .missingField, "a state machine needs 'initial', the state it begins in")
    }
    var states: [StateMachine.State] = []
    var isOpen = owner.isUnknown("initial")
    let others = nodes(table, "a state", stateFields, max: StateMachine.statesMax) { reader, name in
      isOpen = isOpen || reader.isUnknown("on") || reader.object["on"]?.hasUnknown == true
      return state(reader, name, owner).map { states.append($0) } != nil
    }
    if !table.isOpen {
      for problem in StateMachine.problems(of: states, initial: initial, others: others, isOpen: isOpen) {
        owner.report(problem)
      }
    }
    guard owner.problems.errorCount == count, others.isEmpty, let initial,
      let machine = try? StateMachine(initial: initial, states)
    else { return nil }
    return .states(machine)
  }

  /// Reads every node of a table, those that can be.
  ///
  /// - Returns: Names of those of which nothing more is known.
  private static func nodes(
    _ table: DefinitionReader, _ noun: String, _ fields: [String], max: Int,
    _ read: (DefinitionReader, String) -> Bool
  ) -> Set<String> {
    var others: Set<String> = []
    // Lua tables have no order: sorted, so that problems always come in the same one.
    let names = table.object.keys.filter { $0 != StaticValue.openKey }.sorted()
    if names.isEmpty, !table.isOpen { table.report(nil, .missingField, "a workflow needs at least \(noun)") }
    if names.count > max { table.report(nil, .outOfRange, "at most \(max) may be there, not \(names.count)") }
    for name in names {
      if !ToolDefinition.isName(name) {
        table.report(
          name, .outOfRange, "'\(name)' is not \(noun)'s name: 1 to 64 characters of a-z A-Z 0-9 _ -")
        others.insert(name)
        continue
      }
      guard let reader = table.table(name, noun: noun) else {
        others.insert(name)
        continue
      }
      reader.allow(fields)
      if !read(reader, name) { others.insert(name) }
    }
    return others
  }

  // MARK: Steps

  private static func step(
    _ reader: DefinitionReader, _ name: String, _ owner: DefinitionReader
  ) -> Workflow.Step? {
    let task = TaskDefinition.task(reader, name, owner)
    let needs = reader.strings("needs") ?? []
    let list = list(reader)
    let limit = reader.integer("limit", in: 1...32)
    if limit != nil, !reader.isPresent("for_each"), !reader.isOpen {
      reader.report("limit", .conflict, "'limit' is of 'for_each', which is not there")
    }
    let hasCondition = reader.function("when")
    let onError = errorPolicy(reader)
    // Without its action it is still there for others to name.
    return Workflow.Step(
      task ?? WorkflowTask(name: name, action: .function), needs: needs, hasCondition: hasCondition,
      list: list,
      limit: limit ?? Workflow.Step.limitDefault, onError: onError)
  }

  private static func list(_ reader: DefinitionReader) -> Workflow.ListSource? {
    guard let value = reader.value("for_each") else { return nil }
    if value.isFunctionMark { return .function }
    if let name = value.string { return .step(name) }
    reader.report(
      "for_each", .wrongType,
      "'for_each' must be a function or the name of a step that it needs, not \(value.describedType)")
    return nil
  }

  private static func errorPolicy(_ reader: DefinitionReader) -> Workflow.ErrorPolicy {
    switch reader.string("on_error") {
    case nil: .fail
    case "continue": .proceed
    case .some(let name): .substitute(name)
    }
  }

  // MARK: States

  private static func state(
    _ reader: DefinitionReader, _ name: String, _ owner: DefinitionReader
  ) -> StateMachine.State? {
    let task = TaskDefinition.task(reader, name, owner)
    let on = reader.table("on", noun: "on")
    on?.allow(["ok", "error"])
    let next = on?.string("ok")
    var exit = next.map(StateMachine.Exit.state) ?? .end
    if reader.function("next") {
      if next != nil {
        reader.report("next", .conflict, "'next' and 'on.ok' both say what comes after '\(name)'")
      }
      exit = .function
    }
    return StateMachine.State(
      task ?? WorkflowTask(name: name, action: .function), exit: exit, onError: on?.string("error"))
  }
}

extension DefinitionReader {
  fileprivate func report(_ problem: WorkflowProblem) {
    let code: Diagnostic.Code =
      switch problem.kind {
      case .unknownName: .unknownStep
      case .cycle: .waitingSteps
      case .conflict: .conflict
      case .unreachable: .unreachableState
      case .endless: .endlessState
      }
    problems.add(
      path: path + problem.path, code, problem.message, hint: problem.hint,
      severity: problem.isError ? .error : .warning, at: problem.kind == .unknownName ? .value : .key)
  }
}
