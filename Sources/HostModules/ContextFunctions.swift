// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import LuaHost

extension HostModule {
  /// What belongs to no module: `ctx.session.messages(n)`, and the prelude's own needs.
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
        }, named: "ctx.session.messages")),
    // What the prelude is about to raise about the script that called it.
    HostFunction(
      "_fault",
      .immediate { arguments, scope, _ in
        if case .string(let code) = arguments.first, case .string(let message) = arguments.dropFirst().first {
          scope?.note(fault: HostError(code: code, message: message))
        }
        return .nil
      }),
  ]
}
