// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// Schemas that providers do not enforce.
enum SchemaStrictness: FileRule {
  static let open = Explanation(
    "W216", .info, "schema that the provider does not enforce",
    "A map, a list without `items` or a value without a type is too open for strict mode: it is sent as it is, and the answer is checked here alone. Name the properties where you can.",
    wrong:
      "return { tag = {\n  description = \"Tags.\",\n  parameters = { tags = { type = \"array\" } },\n  run = function(_, args) return { count = #args.tags } end,\n} }\n",
    right:
      "return { tag = {\n  description = \"Tags.\",\n  parameters = { tags = { type = \"array\", items = \"string\" } },\n  run = function(_, args) return { count = #args.tags } end,\n} }\n",
    path: "tools/tags.lua", beside: DefinitionExplanations.user("tag"))
  static let explanations = [open]

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    guard let root = file.value?.object, let table = file.returned else { return }
    switch file.kind {
    case .agent: check(root["output"], at: ["output"], table, &findings)
    case .tools:
      for member in root.members.sorted(by: { $0.key < $1.key }) {
        check(member.value["parameters"], at: [member.key, "parameters"], table, &findings)
      }
    case .module, .evals, .other: break
    }
  }

  private static func check(
    _ definition: JSON?, at path: [String], _ table: ReturnedTable, _ findings: inout Findings
  ) {
    guard let definition, !definition.hasUnknown, definition.innerMark == nil,
      let schema = try? Schema(definition)
    else { return }
    let place = table.position(of: path).range
    guard schema.strict == nil else { return }
    findings.add(
      open, at: place, "the schema is too open for the provider to enforce",
      hint: "name the properties, and give every list its items")
  }
}
