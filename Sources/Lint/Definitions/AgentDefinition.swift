// SPDX-License-Identifier: Apache-2.0
public import Core
public import JSONCodec

/// Turns what an agent's file returned into an ``Agent``.
public enum AgentDefinition {
  static let fields = [
    "description", "model", "temperature", "max_tokens", "history", "history_tokens",
    "compact",
    "tools", "agents", "prompt", "run",
    "steps",
    "states", "initial", "before", "after", "output", "limits", "busy", "allow", "guardrails", "schedules",
    "access",
    "stub",
  ]

  private static let bodyFields = ["prompt", "run", "steps", "states"]

  /// - Returns: `nil` when a problem was reported without which there is no agent.
  public static func decode(
    _ value: JSON, name: String, file: String, defaults: RunLimits, problems: ProblemList
  ) -> Agent? {
    guard let object = value.object, !value.isMark else {
      if value.isUnknown { return nil }
      problems.add(
        path: [], .wrongType, "an agent's file returns a table, not \(value.returnedType)",
        hint: "end the file with: return { prompt = \"…\" }")
      return nil
    }
    let reader = DefinitionReader(object, path: [], problems: problems, noun: "an agent")
    reader.allow(fields)
    let body = body(reader)
    let (guards, guardHooks) = GuardrailsDefinition.decode(reader)
    // The rest is read without a body, too: all problems come at once.
    let agent = Agent(
      name: name, file: file, description: reader.string("description") ?? "",
      models: reader.strings("model", isSingleAllowed: true) ?? [],
      temperature: reader.number("temperature", in: 0...2),
      tokensMax: reader.integer("max_tokens", in: 1...1_000_000),
      historyMessages: reader.integer("history", in: 0...1000) ?? 20,
      historyTokens: reader.integer("history_tokens", in: 0...10_000_000) ?? Agent.historyTokensDefault,
      summarizer: summarizer(reader),
      tools: reader.isFunction("tools") || reader.isUnknown("tools")
        ? .function : .names(reader.strings("tools") ?? []),
      agents: reader.strings("agents") ?? [], body: body ?? .run, hooks: hooks(reader).union(guardHooks),
      output: reader.schema("output"), limits: limits(reader, defaults),
      busy: reader.choice("busy", Agent.BusyPolicy.self) ?? .queue, roles: reader.allowedRoles(),
      access: AccessDefinition.decode(reader), guards: guards,
      schedules: ScheduleDefinition.decode(reader))
    return body == nil ? nil : agent
  }

  private static func summarizer(_ reader: DefinitionReader) -> Agent.Summarizer? {
    if reader.isFunction("compact") { return .function }
    return reader.bool("compact") ?? false ? .model : nil
  }

  private static func hooks(_ reader: DefinitionReader) -> Agent.Hooks {
    var hooks: Agent.Hooks = []
    for (key, hook) in [("before", Agent.Hooks.before), ("after", .after), ("stub", .stub)]
    where reader.function(key) {
      hooks.insert(hook)
    }
    return hooks
  }

  private static func body(_ reader: DefinitionReader) -> Agent.Body? {
    let bodies = bodyFields.filter(reader.isPresent)
    // What is not known may be there or not.
    if bodies.contains(where: reader.isUnknown) || bodies.isEmpty && reader.isOpen { return nil }
    guard bodies.count == 1 else {
      let isMisspelt = reader.object.keys.contains { key in
        !fields.contains(key) && Suggestion.nearest(to: key, in: fields).map(bodyFields.contains) ?? false
      }
      if bodies.isEmpty, isMisspelt { return nil }
      if bodies.isEmpty {
        reader.report(nil, .missingField, "an agent needs a body: 'prompt', 'run', 'steps' or 'states'")
      } else {
        reader.report(
          bodies[1], .conflict, "an agent has exactly one body, not \(bodies.joined(separator: " and "))")
      }
      return nil
    }
    switch bodies[0] {
    case "prompt":
      if reader.isFunction("prompt") { return .prompt(.function) }
      guard case .string(let text)? = reader.object["prompt"] else {
        reader.report(
          "prompt", .wrongType,
          "'prompt' must be a string or a function, not \(reader.object["prompt"]?.describedType ?? "nil")")
        return nil
      }
      return .prompt(.constant(text))
    case "run": return reader.function("run") ? .run : nil
    case "steps": return WorkflowDefinition.steps(reader)
    case "states": return WorkflowDefinition.states(reader)
    default: return nil
    }
  }

  private static func limits(_ reader: DefinitionReader, _ defaults: RunLimits) -> RunLimits {
    guard let table = reader.table("limits", noun: "limits") else { return defaults }
    table.allow(["steps", "seconds", "tokens", "cost_usd"])
    return RunLimits(
      steps: table.integer("steps", in: 1...1000) ?? defaults.steps,
      seconds: min(table.number("seconds", in: 0.001...86_400) ?? defaults.seconds, defaults.secondsMax),
      tokens: table.integer("tokens", in: 1...1_000_000_000) ?? defaults.tokens,
      costUSD: table.number("cost_usd", in: 0...1_000_000) ?? defaults.costUSD)
  }
}

extension DefinitionReader {
  /// The roles of `allow`; empty = everybody.
  func allowedRoles() -> [String] {
    guard let table = table("allow", noun: "allow") else { return [] }
    table.allow(["roles"])
    guard let roles = table.strings("roles") else { return [] }
    if roles.isEmpty {
      table.report(
        "roles", .unreachable, "an empty list of roles lets nobody in; leave 'allow' out to let everybody in")
    }
    return roles
  }
}

/// Turns `access` into an ``Access``.
enum AccessDefinition {
  static func decode(_ owner: DefinitionReader) -> Access {
    guard let reader = owner.table("access", noun: "access") else { return Access() }
    reader.allow(["db", "kv", "http", "queue", "llm", "memory", "files"])
    reader.refuse("memory", "'memory' is not available yet")
    var access = Access()
    access.database = level(reader, "db")
    access.keyValue = level(reader, "kv")
    access.models = reader.bool("llm") ?? false
    if let text = reader.string("files") {
      if text == "read" {
        access.files = .read
      } else {
        reader.report("files", .outOfRange, "'files' must be \"read\", not \"\(text)\"")
      }
    }
    access.queue = reader.bool("queue") ?? false
    for (index, text) in (reader.strings("http") ?? []).enumerated() {
      if let grant = RequestGrant(text) {
        access.requests.append(grant)
      } else {
        reader.problems.add(
          path: reader.path + ["http", String(index + 1)], .outOfRange,
          "'\(text)' is not a host such as \"api.example.com\", \"*.example.org:8443\" or \"GET,HEAD api.example.com\"",
          hint: text.contains("/") ? "name the host without scheme and path" : nil)
      }
    }
    return access
  }

  private static func level(_ reader: DefinitionReader, _ key: String) -> Access.Level {
    guard let text = reader.string(key) else { return .none }
    switch text {
    case "read": return .read
    case "write": return .write
    default:
      reader.report(key, .outOfRange, "'\(key)' must be \"read\" or \"write\", not \"\(text)\"")
      return .none
    }
  }
}
