// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import LuaHost

extension HostModule {
  /// What `ctx` can do: `ctx.session.messages(n)`.
  static let contextFunctions: [HostFunction<ScriptScope?>] = [
    HostFunction(
      "_session.messages",
      .answers(
        { arguments, scope in
          let history = scope.run.history
          let count = arguments.isAbsent(1) ? history.count : Int(clamping: try arguments.integer(1))
          return .array(
            history.suffix(max(0, count)).map { message in
              .fields([
                "role": .string(message.role.rawValue), "content": .string(message.text),
                "created_at": .string(message.createdAt.description),
              ])
            })
        }, named: "ctx.session.messages"))
  ]
}
