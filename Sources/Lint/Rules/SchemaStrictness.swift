// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// Schemas that providers do not enforce, or not everywhere.
enum SchemaStrictness: FileRule {
  static let open = Explanation(
    "W216", .info, "schema that the provider does not enforce",
    "A map, a list without `items` or a value without a type is too open for strict mode: it is sent as it is, and the answer is checked here alone. Name the properties where you can. Deeper than 5 objects, or with more than 100 properties, some deployments refuse it, which is a warning.",
    wrong:
      "return { tag = {\n  description = \"Tags.\",\n  parameters = { tags = { type = \"array\" } },\n  run = function(_, args) return { count = #args.tags } end,\n} }\n",
    right:
      "return { tag = {\n  description = \"Tags.\",\n  parameters = { tags = { type = \"array\", items = \"string\" } },\n  run = function(_, args) return { count = #args.tags } end,\n} }\n",
    path: "tools/tags.lua", beside: DefinitionExplanations.user("tag"))
  static let explanations = [open]

  /// Source: deployments that keep the older limits of structured outputs.
  private static let depthSafe = 5
  private static let propertiesSafe = 100

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
    guard let strict = schema.strict else {
      findings.add(
        open, at: place, "the schema is too open for the provider to enforce",
        hint: "name the properties, and give every list its items")
      return
    }
    guard let root = try? strict.value() else { return }
    let (depth, properties) = extent(of: root)
    if depth > depthSafe {
      findings.add(
        open, at: place, "the schema is \(depth) objects deep; some deployments stop at \(depthSafe)",
        severity: .warning)
    } else if properties > propertiesSafe {
      findings.add(
        open, at: place,
        "the schema has \(properties) properties; some deployments stop at \(propertiesSafe)",
        severity: .warning)
    }
  }

  /// Objects inside one another, and properties of all of them.
  private static func extent(of schema: JSON) -> (depth: Int, properties: Int) {
    var depth = 0
    var properties = 0
    let members = schema["properties"]?.object?.members.map(\.value) ?? []
    let inner = members + (schema["items"].map { [$0] } ?? []) + (schema["anyOf"]?.array ?? [])
    for part in inner {
      let extent = extent(of: part)
      depth = max(depth, extent.depth)
      properties += extent.properties
    }
    return (depth + (members.isEmpty ? 0 : 1), properties + members.count)
  }
}
