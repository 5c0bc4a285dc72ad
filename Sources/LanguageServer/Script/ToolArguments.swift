// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Lint

extension LintedFile {
  /// Parameters of the tool whose `args` a value is; nil for any other value.
  func toolArguments(_ first: Expression, _ suffixes: [Expression.Suffix]) -> [LuaField]? {
    guard kind == .tools, suffixes.isEmpty, let variable = model.variable(first),
      let entry = contract.first(where: { entry in
        let parameters = model.functions[entry.function].parameters
        return entry.hook == "run" && entry.path.count == 2 && parameters.count > 1
          && parameters[1] == variable
      })
    else { return nil }
    return parameters(ofTool: entry.path[0])
  }

  /// What a tool of this file takes, as far as its text tells.
  func parameters(ofTool name: String) -> [LuaField] {
    guard let definition = value?[name]?["parameters"], let schema = try? Schema(definition),
      let root = try? schema.json.value()
    else { return [] }
    let required = Set(root["required"]?.array?.compactMap(\.string) ?? [])
    return (root["properties"]?.object?.members ?? []).map { property in
      LuaField(
        name: property.key, type: .named(property.value["type"]?.string ?? "any"),
        isOptional: !required.contains(property.key), summary: property.value["description"]?.string ?? "")
    }
  }
}
