// SPDX-License-Identifier: Apache-2.0
import HostModules
public import Lint

extension HostAPI {
  /// What scripts of this Perigee may call: Lua's library, and the host's modules from their own tables.
  public static let perigee: HostAPI = {
    var api = HostAPI.standard
    api.add(stub: ScriptTypes.stub)
    for module in HostModule.all {
      api.add(stub: module.types)
      api.add(summary: module.summary, of: module.name)
      for function in module.functions {
        api.add(
          Function(
            path: module.qualified(function), summary: function.summary,
            parameters: function.parameters.map {
              LuaField(
                name: $0.name, type: LuaType($0.type), isOptional: $0.isOptional || $0.name == "...",
                summary: $0.summary)
            },
            returns: function.returns.map { LuaType($0) },
            capability: function.capability.map { Capability($0) }, needsRun: function.needsRun,
            example: function.example))
      }
      for field in module.fields {
        api.add(
          field: LuaField(name: field.name, type: LuaType(field.type), summary: field.summary),
          of: module.name)
      }
    }
    return api
  }()
}
