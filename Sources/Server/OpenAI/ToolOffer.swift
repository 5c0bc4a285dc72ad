// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// The caller's own tools, and how the model may use them.
struct ToolOffer: Sendable {
  static let toolsMax = 128

  private(set) var offered: [ToolDescription] = []
  private(set) var choice = ToolChoice.auto
  private(set) var allowsParallelCalls = true

  /// - Parameter isNested: Whether a function's fields stand under `function`, as in chat completions.
  /// - Throws: ``Problem`` 400.
  init(_ body: Fields, isNested: Bool) throws(Problem) {
    let tools = try body.list("tools") ?? []
    guard tools.count <= Self.toolsMax else { throw .wrong("tools", "has more than \(Self.toolsMax) tools") }
    for tool in tools {
      let description = try Self.description(tool, isNested: isNested)
      guard !offered.contains(where: { $0.name == description.name }) else {
        throw .wrong(tool.path, "has the name of another tool, '\(description.name)'")
      }
      offered.append(description)
    }
    allowsParallelCalls = try body.bool("parallel_tool_calls") ?? true
    try choose(body, isNested: isNested)
  }

  private static func description(_ tool: Fields, isNested: Bool) throws(Problem) -> ToolDescription {
    let type = try tool.requiredString("type")
    guard type == "function" else {
      throw .wrong(
        tool.name(of: "type"), "'\(type)' is not available; tools are functions", code: "unsupported_value")
    }
    let function = isNested ? try tool.requiredFields("function") : tool
    let name = try function.requiredString("name")
    guard isName(name) else {
      throw .wrong(function.name(of: "name"), "must be 1 to 64 characters of A-Z a-z 0-9 _ -")
    }
    let schema =
      try function.fields("parameters")?.object ?? JSONObject([("type", "object"), ("properties", [:])])
    return ToolDescription(
      name: name, description: try function.string("description") ?? "", schema: RawJSON(.object(schema)),
      isStrict: try function.bool("strict") ?? false)
  }

  /// Source: OpenAI API reference, names of functions and of formats.
  static func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }

  private mutating func choose(_ body: Fields, isNested: Bool) throws(Problem) {
    switch body["tool_choice"] {
    case nil, "auto": return
    // The agent's own tools stay: nobody outside knows of them.
    case "none": offered = []
    case "required":
      guard !offered.isEmpty else { throw .wrong("tool_choice", "wants a tool, and there are no tools") }
      choice = .required
    case .object(let object):
      let fields = Fields(object, at: "tool_choice")
      let type = try fields.requiredString("type")
      guard type == "function" else {
        throw .wrong(fields.name(of: "type"), "'\(type)' is not available", code: "unsupported_value")
      }
      let named = isNested ? try fields.requiredFields("function") : fields
      let name = try named.requiredString("name")
      guard offered.contains(where: { $0.name == name }) else {
        throw .wrong(named.name(of: "name"), "'\(name)' is none of the tools")
      }
      choice = .named(name)
    case .some:
      throw .wrong("tool_choice", "must be none, auto, required or a function")
    }
  }
}

extension AgentCall.Format {
  /// Reads `response_format`, or `text.format`, whose schema stands without the `json_schema` around it.
  static func read(_ fields: Fields?, isNested: Bool) throws(Problem) -> AgentCall.Format {
    guard let fields else { return .text }
    switch try fields.requiredString("type") {
    case "text": return .text
    case "json_object": return .object
    case "json_schema":
      let format = isNested ? try fields.requiredFields("json_schema") : fields
      let name = try format.requiredString("name")
      guard ToolOffer.isName(name) else {
        throw .wrong(format.name(of: "name"), "must be 1 to 64 characters of A-Z a-z 0-9 _ -")
      }
      return .schema(
        Schema(
          passingOn: try format.requiredFields("schema").object, isStrict: try format.bool("strict") ?? false)
      )
    case let type:
      throw .wrong(fields.name(of: "type"), "'\(type)' is none of text, json_object, json_schema")
    }
  }
}
