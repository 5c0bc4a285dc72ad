// SPDX-License-Identifier: Apache-2.0

/// What editors and readers get, made from the same tables as the functions themselves.
///
/// Source of the annotations: LuaCATS, https://luals.github.io/wiki/annotations.
extension HostModule {
  /// The stub of one module, `types/db.lua`.
  public var stub: String {
    var lines = ["---@meta", ""]
    if !types.isEmpty { lines += [types, ""] }
    let isFunction = functions.contains { $0.name.isEmpty }
    let isTable = functions.contains { !$0.name.isEmpty } || !fields.isEmpty
    if isFunction && isTable {
      // A table that can be called: the call is an overload of its class.
      let call = functions.first { $0.name.isEmpty }
      lines += ["---\(summary)", "---@class \(name)lib"]
      if let call {
        lines.append("---@overload fun(\(call.typedParameters))\(call.returns.map { ": \($0)" } ?? "")")
      }
      lines += ["\(name) = {}", ""]
    } else if isTable {
      lines += ["---\(summary)", "---@class \(name)lib", "\(name) = {}", ""]
    }
    for field in fields {
      lines += ["---\(field.summary)", "---@type \(field.type)", "\(name).\(field.name) = nil", ""]
    }
    for function in functions where !function.name.isEmpty || !isTable {
      lines += annotations(of: function)
      lines += [
        "function \(qualified(function))(\(function.parameters.map(\.name).joined(separator: ", "))) end", "",
      ]
    }
    return lines.joined(separator: "\n")
  }

  private func annotations(of function: Function) -> [String] {
    var lines = ["---\(function.summary)"]
    if let capability = function.capability { lines.append("---Capability: `access = { \(capability) }`") }
    if function.mayWait { lines.append("---@async") }
    for parameter in function.parameters {
      let name = parameter.isOptional && parameter.name != "..." ? parameter.name + "?" : parameter.name
      let type = parameter.isOptional ? String(parameter.type.dropLast()) : parameter.type
      lines.append("---@param \(name) \(type) \(parameter.summary)")
    }
    if let returns = function.returns { lines += ["---@return \(returns)"] }
    return lines
  }

  /// The reference page of one module, `docs/lua/db.md`.
  public var page: String {
    var lines = ["# `\(name)`", "", summary, ""]
    for field in fields {
      lines += ["## `\(name).\(field.name)`", "", "\(field.summary) (`\(field.type)`).", ""]
    }
    for function in functions {
      let parameters = function.parameters.map { $0.isOptional ? "\($0.name)?" : $0.name }.joined(
        separator: ", ")
      lines += ["## `\(qualified(function))(\(parameters))`", "", function.summary, ""]
      lines.append("- Needs: \(function.capability.map { "`access = { \($0) }`" } ?? "nothing").")
      if function.mayWait { lines.append("- May wait.") }
      for parameter in function.parameters {
        lines.append("- `\(parameter.name)` (`\(parameter.type)`): \(parameter.summary).")
      }
      if let returns = function.returns { lines.append("- Returns `\(returns)`.") }
      lines.append("")
      if let example = function.example { lines += ["```lua", example, "```", ""] }
    }
    if !types.isEmpty { lines += ["## Types", "", "```lua", types, "```", ""] }
    return lines.joined(separator: "\n")
  }
}

extension HostModule.Function {
  fileprivate var typedParameters: String {
    parameters.map { "\($0.name): \($0.type)" }.joined(separator: ", ")
  }
}
