// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import LuaHost

extension HostModule {
  /// `agents`: other agents of the workspace.
  static let agents = HostModule(
    "agents", "Other agents of the workspace.",
    types: """
      ---@class (exact) perigee.AgentAnswer
      ---@field text string
      ---@field data any
      ---@field using_stub boolean its stub answered, for want of a model
      """,
    functions: [
      Function(
        "run", "Runs another agent on behalf of the same user and waits for its answer.",
        [
          Parameter("name", "string", "`market.title`"),
          Parameter(
            "input", "string|table|nil", "its message, or its `ctx.input` with the message in `message`"),
        ],
        returns: "perigee.AgentAnswer", mayWait: true,
        example: #"local title = agents.run("market.title", "a used iPhone 13").text"#)
    ],
    privateFunctions: [
      HostFunction(
        "_agents.run",
        .waits(
          // Takes the number of the open transaction first, 0 for none.
          { given, scope in
            let arguments = given.rest
            let transaction = try scope.transaction(given.integer(1))
            let input = arguments.isAbsent(2) ? JSON.object(JSONObject()) : try arguments.json(2)
            let reply = try await scope.services.runAgent(
              name: try arguments.string(1), input: input, key: scope.key(arguments),
              within: transaction)
            return .fields([
              "text": .string(reply.text), "data": reply.data.map { .json($0) },
              "using_stub": .bool(reply.usingStub),
            ])
          }, named: "agents.run"))
    ])
}
