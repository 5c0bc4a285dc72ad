// SPDX-License-Identifier: Apache-2.0
public import Core
public import JSONCodec

/// Turns what a tools file returned into its ``Tool``s and its schema.
public enum ToolDefinition {
  static let fields = [
    "description", "parameters", "access", "allow", "approve", "timeout", "retry", "effect", "unknown",
    "action", "run",
  ]
  /// The one name in a tools file that is no tool.
  public static let schemaKey = "schema"

  /// - Parameter secondsMax: No tool takes longer, whatever it says.
  public static func decode(
    _ value: JSON, file: String, secondsMax: Double = .infinity, problems: ProblemList
  ) -> (tools: [Tool], schema: String?) {
    guard let object = value.object ?? (value == .array([]) ? JSONObject() : nil), !value.isMark else {
      if value.isUnknown { return ([], nil) }
      problems.add(
        path: [], .wrongType, "a tools file returns a table of tools by name, not \(value.returnedType)",
        hint: "end the file with: return { my_tool = { … } }")
      return ([], nil)
    }
    let reader = DefinitionReader(object, path: [], problems: problems, noun: "a tools file")
    var tools: [Tool] = []
    // Lua tables have no order: sorted, so that problems always come in the same one.
    for name in object.keys.sorted() where name != schemaKey && name != StaticValue.openKey {
      if let tool = tool(name, reader, file, secondsMax) { tools.append(tool) }
    }
    return (tools, reader.string(schemaKey))
  }

  private static func tool(
    _ name: String, _ file: DefinitionReader, _ path: String, _ secondsMax: Double
  ) -> Tool? {
    guard isName(name) else {
      file.report(name, .outOfRange, "'\(name)' is not a tool's name: 1 to 64 characters of a-z A-Z 0-9 _ -")
      return nil
    }
    guard let reader = file.table(name, noun: "a tool") else { return nil }
    reader.allow(fields)
    let approve = reader.value("approve")
    if let approve, !approve.isFunctionMark, approve != .bool(false), approve != .bool(true) {
      reader.report("approve", .outOfRange, "'approve' must be true, false or a function")
    }
    if let approve, approve != .bool(false), reader.value("action") == .bool(true) {
      reader.report(
        "approve", .outOfRange, "a tool with action = true cannot have 'approve': a job has nobody to ask",
        hint: "ask before it is published, in a tool that publishes it")
    }
    if let unknown = reader.value("unknown"), !unknown.isFunctionMark, unknown != "retry", unknown != "ask" {
      reader.report("unknown", .outOfRange, "'unknown' must be \"retry\", \"ask\" or a function")
    }
    let unknown = reader.value("unknown")
    let description = reader.string("description")
    if !reader.isPresent("description"), !reader.isOpen {
      reader.report(
        nil, .missingField, "tool '\(name)' has no description", hint: "the model chooses tools by it")
    }
    if !reader.isPresent("run"), !reader.isOpen {
      reader.report(nil, .missingField, "tool '\(name)' has no 'run' function")
    }
    let isRunnable = reader.function("run")
    let retries = reader.integer("retry", in: 0...10)
    let parameters = reader.isPresent("parameters") ? reader.schema("parameters") : .empty
    let tool = Tool(
      name: name, file: path, description: description ?? "", parameters: parameters ?? .empty,
      access: AccessDefinition.decode(reader),
      timeoutSeconds: min(reader.number("timeout", in: 0.001...3600) ?? 30, secondsMax),
      retries: retries ?? 0,
      effect: reader.choice("effect", Tool.Effect.self) ?? .write,
      unknown: unknown.flatMap { value in
        if value.isFunctionMark { return .check }
        return value == "retry" ? .retry : .ask
      },
      approval: approve.map { $0.isFunctionMark ? .asked : $0 == .bool(true) ? .always : .never } ?? .never,
      isAction: reader.bool("action") ?? false,
      attemptsOfJobs: retries.map { $0 + 1 } ?? Job.attemptsDefault, roles: reader.allowedRoles())
    return isRunnable && description != nil && parameters != nil ? tool : nil
  }

  /// Source: the function names that OpenAI's API accepts.
  package static func isName(_ name: String) -> Bool {
    (1...64).contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }
}
