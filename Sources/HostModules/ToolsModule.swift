// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import LuaHost

extension HostModule {
  /// `tools`: the agent's tools, called by its script.
  static let tools = HostModule(
    "tools", "The tools that the agent lists, called by the script rather than by the model.",
    functions: [
      Function(
        "call",
        "Calls a tool: its arguments are validated, the call is recorded, and its own error is raised.",
        [Parameter("name", "string", "`add_todo`"), Parameter("args", "table?", "by name")], returns: "any",
        mayWait: true, example: #"local todo = tools.call("add_todo", { title = "milk" })"#)
    ],
    privateFunctions: [
      HostFunction(
        "_tools.call",
        .waits(
          // Takes the number of the open transaction first, 0 for none.
          { given, scope in
            let arguments = given.rest
            let transaction = try scope.transaction(given.integer(1))
            let given = try arguments.json(2)
            let isEmpty = given == .null || given == .array([])
            return .json(
              try await scope.services.callTool(
                name: try arguments.string(1), arguments: isEmpty ? .object(JSONObject()) : given,
                key: scope.key(arguments), within: transaction))
          }, named: "tools.call"))
    ])
}
