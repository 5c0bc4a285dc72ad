// SPDX-License-Identifier: Apache-2.0
import Core
public import Evals
public import JSONCodec

/// Turns what an eval file returned into its ``EvalCase``s.
public struct EvalDefinition {
  static let fields = ["name", "agent", "as", "now", "turns"]
  static let turnFields = ["user", "input", "decide", "expect"]

  let file: String
  let problems: ProblemList
  let names: Names

  /// What the cases may speak of.
  public struct Names: Sendable {
    let agents: [String]
    /// Tools, and agents under the names of tools.
    let tools: [String]

    public init(agents: [String], tools: [String]) {
      self.agents = agents.sorted()
      self.tools = tools.sorted() + agents.map(Agent.toolName).sorted() + [Self.readMore]
    }

    /// The host's own tool, for results that are too long for a model.
    private static let readMore = "read_more"
  }

  public init(file: String, problems: ProblemList, names: Names) {
    self.file = file
    self.problems = problems
    self.names = names
  }

  public func decode(_ value: JSON) -> [EvalCase] {
    guard let list = value.list, !value.isMark else {
      problems.add(
        path: [], .wrongType, "an eval file returns a list of cases, not \(value.describedType)",
        hint: "end the file with: return { { name = \"…\", agent = \"…\", turns = { … } } }")
      return []
    }
    var known: [String: String] = [:]
    return list.enumerated().compactMap { index, element in
      let path = [String(index + 1)]
      guard let reader = reader(element, path, noun: "a case") else { return nil }
      reader.allow(Self.fields)
      let found = evalCase(reader, path)
      if let found, let other = known.updateValue(found.name, forKey: found.cassettePath) {
        reader.report(
          "name", .duplicateName,
          other == found.name
            ? "there is another case '\(other)' in this file"
            : "the cases '\(other)' and '\(found.name)' would share one recording",
          hint: "the names of a file differ in their letters and digits")
      }
      return found
    }
  }

  private func evalCase(_ reader: DefinitionReader, _ path: [String]) -> EvalCase? {
    let name = required("name", reader)
    let agent = required("agent", reader)
    if let agent, !names.agents.contains(agent) {
      reader.report(
        "agent", .unknownName, "there is no agent '\(agent)'",
        hint: Suggestion.hint(for: agent, in: names.agents))
    }
    let user = user(reader)
    let now = now(reader)
    let turns = turns(reader, path)
    guard let name, let agent, !turns.isEmpty else { return nil }
    return EvalCase(name: name, agent: agent, place: place(path), user: user, now: now, turns: turns)
  }

  private func now(_ reader: DefinitionReader) -> Timestamp {
    guard let text = reader.string("now") else { return EvalCase.defaultNow }
    if let now = Timestamp(parsing: text) { return now }
    reader.report(
      "now", .outOfRange, "'now' is an RFC 3339 date such as \"2026-01-01T12:00:00Z\", not \"\(text)\"")
    return EvalCase.defaultNow
  }

  private func user(_ reader: DefinitionReader) -> Principal {
    guard let value = reader.object["as"] else { return .local }
    if let id = value.string, !id.isEmpty { return id == Principal.local.id ? .local : Principal(id: id) }
    guard let user = value.object, !value.isMark else {
      reader.report(
        "as", .wrongType, "'as' must be a user's id or { id =, name =, roles = }, not \(value.describedType)")
      return .local
    }
    let fields = DefinitionReader(user, path: reader.path + ["as"], problems: problems, noun: "a user")
    fields.allow(["id", "tenant", "name", "roles"])
    guard let id = required("id", fields) else { return .local }
    let name = fields.string("tenant")
    let tenant = name.flatMap(Tenant.init)
    if name != nil, tenant == nil {
      fields.report("tenant", .outOfRange, "'tenant' must be \(Tenant.rule)")
    }
    return Principal(
      id: tenant?.id(of: id) ?? id, tenant: tenant, name: fields.string("name") ?? id,
      roles: fields.strings("roles") ?? ["user"])
  }

  private func turns(_ reader: DefinitionReader, _ path: [String]) -> [EvalTurn] {
    guard let value = reader.object["turns"] else {
      reader.report(nil, .missingField, "a case has 'turns': what the user says, and what is expected")
      return []
    }
    guard let list = value.list, !value.isMark else {
      reader.report("turns", .wrongType, "'turns' must be a list of turns, not \(value.describedType)")
      return []
    }
    if list.isEmpty { reader.report("turns", .outOfRange, "a case has at least one turn") }
    return list.enumerated().compactMap { index, element in
      let path = path + ["turns", String(index + 1)]
      guard let turn = self.reader(element, path, noun: "a turn") else { return nil }
      turn.allow(Self.turnFields)
      let expectations = expectations(turn, path + ["expect"])
      let input = turn.table("input", noun: "input").map { $0.object }
      if let mark = turn.object["input"]?.innerMark, input != nil {
        turn.report("input", .wrongType, "'input' is data only: it has a \(mark) in it")
      }
      guard let message = required("user", turn) else { return nil }
      return EvalTurn(
        message: message, input: input ?? JSONObject(), decisions: decisions(turn, path + ["decide"]),
        expectations: expectations, place: place(path))
    }
  }

  /// One answer, or a list of them: a choice, or a table.
  private func decisions(_ turn: DefinitionReader, _ path: [String]) -> [EvalDecision] {
    guard let value = turn.object["decide"] else { return [] }
    guard let list = value.list else { return decision(value, path).map { [$0] } ?? [] }
    return list.enumerated().compactMap { decision($1, path + [String($0 + 1)]) }
  }

  private func decision(_ value: JSON, _ path: [String]) -> EvalDecision? {
    if let choice = value.string, !choice.isEmpty { return EvalDecision(choice) }
    guard let fields = reader(value, path, noun: "a decision") else { return nil }
    fields.allow(["decision", "comment", "values"])
    guard let choice = required("decision", fields) else { return nil }
    let values = fields.table("values", noun: "the values").map { JSON.object($0.object) }
    return EvalDecision(choice, comment: fields.string("comment"), values: values)
  }

  /// One table, or a list of them.
  private func expectations(_ turn: DefinitionReader, _ path: [String]) -> [Expectation] {
    guard let value = turn.object["expect"] else { return [] }
    guard let list = value.list else {
      guard let reader = reader(value, path, noun: "an expectation") else { return [] }
      return ExpectationDefinition(reader: reader, names: names).decode()
    }
    return list.enumerated().flatMap { index, element -> [Expectation] in
      guard let reader = reader(element, path + [String(index + 1)], noun: "an expectation") else {
        return []
      }
      return ExpectationDefinition(reader: reader, names: names).decode()
    }
  }

  private func reader(_ value: JSON, _ path: [String], noun: String) -> DefinitionReader? {
    guard let object = value.object, !value.isMark else {
      problems.add(path: path, .wrongType, "\(noun) is a table, not \(value.describedType)")
      return nil
    }
    return DefinitionReader(object, path: path, problems: problems, noun: noun)
  }

  private func required(_ key: String, _ reader: DefinitionReader) -> String? {
    guard reader.isPresent(key) else {
      // A misspelt one is reported as what it is.
      let isMisspelt = reader.object.keys.contains { Suggestion.nearest(to: $0, in: [key]) != nil }
      if !isMisspelt { reader.report(nil, .missingField, "\(reader.noun) needs '\(key)'") }
      return nil
    }
    guard let text = reader.string(key) else { return nil }
    if text.allSatisfy(\.isWhitespace) {
      reader.report(key, .outOfRange, "'\(key)' is empty")
      return nil
    }
    return text
  }

  private func place(_ path: [String]) -> EvalPlace {
    let start = (problems.table()?.position(of: path).range ?? .line(1)).start
    return EvalPlace(file: file, line: start.line, column: start.column)
  }
}

/// Turns one table of `expect` into the ``Expectation``s that it states.
private struct ExpectationDefinition {
  let reader: DefinitionReader
  let names: EvalDefinition.Names

  func decode() -> [Expectation] {
    reader.allow(Expectation.names)
    return Expectation.names.compactMap(expectation)
  }

  private func expectation(_ name: String) -> Expectation? {
    switch name {
    case "contains": text(name).map(Expectation.contains)
    case "matches": text(name).map(Expectation.matches)
    case "equals": reader.string(name).map(Expectation.equals)
    case "data": data().map(Expectation.data)
    case "tool_called": toolCalled()
    case "not_called": tool(reader, name).map(Expectation.notCalled)
    case "cost_usd_max": reader.number(name, in: 0...1_000_000).map(Expectation.costMax)
    case "error": text(name).map(Expectation.error)
    case "judge": text(name).map(Expectation.judge)
    case "check": reader.function(name) ? .check(reader.path + [name]) : nil
    default: nil
    }
  }

  /// An empty text would always be found.
  private func text(_ name: String) -> String? {
    guard let text = reader.string(name) else { return nil }
    if text.isEmpty { reader.report(name, .outOfRange, "'\(name)' is empty") }
    return text
  }

  private func data() -> JSON? {
    guard let value = reader.object["data"] else { return nil }
    if let mark = value.innerMark {
      reader.report(
        "data", .wrongType, "'data' is data only: it has a \(mark) in it", hint: "use check for functions")
    }
    return value
  }

  private func toolCalled() -> Expectation? {
    guard let value = reader.object["tool_called"] else { return nil }
    if value.string != nil { return tool(reader, "tool_called").map { .toolCalled($0, arguments: nil) } }
    guard let call = reader.table("tool_called", noun: "tool_called") else { return nil }
    call.allow(["name", "arguments"])
    let arguments = call.table("arguments", noun: "arguments").map(\.object)
    if let mark = call.object["arguments"]?.innerMark, arguments != nil {
      call.report("arguments", .wrongType, "'arguments' is data only: it has a \(mark) in it")
    }
    guard call.isPresent("name") else {
      call.report(nil, .missingField, "tool_called needs the 'name' of a tool")
      return nil
    }
    return tool(call, "name").map { .toolCalled($0, arguments: arguments) }
  }

  /// The name of a tool that there is: a misspelt one would never be called.
  private func tool(_ reader: DefinitionReader, _ key: String) -> String? {
    guard let name = reader.string(key) else { return nil }
    if !names.tools.contains(name) {
      reader.report(
        key, .unknownName, "there is no tool '\(name)'", hint: Suggestion.hint(for: name, in: names.tools))
    }
    return name
  }
}
