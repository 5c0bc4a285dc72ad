// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// The tools of one turn: what the model is told of them, and what its calls mean.
struct Toolbox: Sendable {
  enum Target: Sendable {
    case tool(Tool)
    /// Another agent, called like a tool.
    case agent(String)
    /// One of the caller's, who makes the call.
    case caller
    /// The rest of a result that was cut.
    case rest
  }

  private(set) var descriptions: [ToolDescription] = []
  private var targets: [String: Target] = [:]
  /// Tools that the user may not use: not offered, and refused to who names one all the same.
  private var withheld: Set<String> = []

  init() {}

  /// - Throws: ``Failure`` `not_found` for a name that the workspace does not have.
  init(
    names: [String], delegates: [String], host: any ScriptHost, user: Principal = .local
  ) throws(Failure) {
    for name in names {
      guard let tool = host.tools[name] else {
        throw Failure(.notFound, "the agent chose a tool that does not exist: '\(name)'")
      }
      guard targets.updateValue(.tool(tool), forKey: name) == nil else { continue }
      guard tool.admits(user) else {
        withheld.insert(name)
        continue
      }
      descriptions.append(
        ToolDescription(name: name, description: tool.description, parameters: tool.parameters))
    }
    for name in delegates {
      guard let agent = host.agents[name] else {
        throw Failure(.notFound, "the agent may delegate to one that does not exist: '\(name)'")
      }
      targets[agent.toolName] = .agent(name)
      descriptions.append(
        ToolDescription(
          name: agent.toolName, description: agent.description, parameters: Toolbox.delegationSchema))
    }
  }

  /// Offers the caller's tools too.
  ///
  /// - Throws: ``Failure`` `invalid_arguments` for a name that the agent has itself.
  mutating func add(_ tools: [ToolDescription]) throws(Failure) {
    for tool in tools {
      guard targets.updateValue(.caller, forKey: tool.name) == nil else {
        let fault = "the agent has a tool '\(tool.name)' of its own; give yours another name"
        throw Failure(
          .invalidArguments, fault, detail: [["field": "tools", "message": .string(fault)]])
      }
      descriptions.append(tool)
    }
  }

  /// Lets the model read on in results that were cut; an agent with a tool of that name does without.
  mutating func offerRest() {
    guard targets[LongResult.tool.name] == nil else { return }
    targets[LongResult.tool.name] = .rest
    descriptions.append(LongResult.tool)
  }

  private static let delegationSchema = Schema(root: [
    "type": "object",
    "properties": ["message": ["type": "string", "description": "What the agent should do or answer."]],
    "required": ["message"], "additionalProperties": false,
  ])

  subscript(name: String) -> Target? { targets[name] }

  /// Whether a call may change something: an agent may.
  func hasEffect(_ name: String) -> Bool {
    switch targets[name] {
    case .tool(let tool): tool.effect == .write
    case .agent: true
    case .caller, .rest, nil: false
    }
  }

  /// Decides what becomes of a model's call: a wrong one is answered with what would be right.
  func plan(_ request: ToolCallRequest) -> Turn.PlannedCall.Plan {
    guard let target = targets[request.name] else {
      let names = descriptions.map(\.name)
      return .refuse(
        Failure(
          .notFound,
          "there is no tool '\(request.name)'; "
            + (names.isEmpty ? "there are no tools" : "the tools are: \(names.joined(separator: ", "))"),
          detail: ["tools": .array(names.map { .string($0) })]))
    }
    if case .tool(let tool) = target, withheld.contains(tool.name) { return .refuse(tool.refusal) }
    let schema: Schema? =
      switch target {
      case .tool(let tool): tool.parameters
      case .agent: Toolbox.delegationSchema
      case .caller: nil
      case .rest: LongResult.schema
      }
    guard let schema else { return .handOut }
    do {
      let isBlank = request.arguments.allSatisfy(\.isWhitespace)
      return .execute(try schema.validate(isBlank ? [:] : try JSON(parsing: request.arguments)))
    } catch let violation as SchemaViolation {
      return .refuse(.invalidArguments(of: request.name, violation))
    } catch {
      return .refuse(Failure(.invalidArguments, "the arguments of \(request.name) are not JSON: \(error)"))
    }
  }
}

extension Failure {
  public static func invalidArguments(of name: String, _ violation: SchemaViolation) -> Failure {
    Failure(
      .invalidArguments, "wrong arguments for \(name): \(violation)",
      detail: .array(
        violation.faults.map { ["path": .string($0.path), "message": .string($0.message)] }))
  }
}
