// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// Arguments that a tool reads and its `parameters` do not name.
enum ToolArguments: FileRule {
  static let unknown = Explanation(
    "P157", .warning, "argument that the tool does not have",
    "Arguments are checked against `parameters` before `run`: what is not named there never comes.",
    wrong:
      "return { add = {\n  description = \"Adds.\",\n  parameters = { title = \"string\" },\n  run = function(_, args) return { id = args.titel } end,\n} }\n",
    right:
      "return { add = {\n  description = \"Adds.\",\n  parameters = { title = \"string\" },\n  run = function(_, args) return { id = args.title } end,\n} }\n",
    path: "tools/notes.lua", beside: DefinitionExplanations.user("add"))
  static let explanations = [unknown]

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    guard file.kind == .tools, let tools = file.value?.object else { return }
    for entry in file.contract where entry.path.count == 2 && entry.hook == "run" {
      let parameters = file.model.functions[entry.function].parameters
      guard let tool = tools[entry.path[0]]?.object, tool[StaticValue.openKey] == nil, parameters.count > 1,
        let names = names(tool["parameters"] ?? .object(JSONObject()))
      else { continue }
      let variable = file.model.variables[parameters[1]]
      guard !variable.isReassigned else { continue }
      let members = file.model.members.filter { $0.variable == parameters[1] && !$0.fields.isEmpty }
      let written = Set(
        members.filter { if case .written = $0.ending { true } else { false } }.map(\.fields[0].text))
      for member in members where !names.contains(member.fields[0].text) {
        let field = member.fields[0]
        // Whoever got the table before may have put something into it.
        let isHandedOut = variable.uses.contains { use in
          (use.role == .argument || use.role == .value) && use.range.start < field.range.start
        }
        guard !written.contains(field.text), !isHandedOut else { continue }
        findings.add(
          unknown, at: field.range, "the tool '\(entry.path[0])' has no parameter '\(field.text)'",
          hint: Suggestion.hint(for: field.text, in: names)
            ?? (names.isEmpty ? "it has none" : "it has: \(names.joined(separator: ", "))"))
      }
    }
  }

  /// Names of the parameters; nil when others may come, too.
  private static func names(_ definition: JSON) -> [String]? {
    guard !definition.hasUnknown, let schema = try? Schema(definition), let root = try? schema.json.value(),
      root["additionalProperties"] == false, let properties = root["properties"]?.object
    else { return nil }
    return properties.keys
  }
}
