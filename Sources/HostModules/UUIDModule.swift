// SPDX-License-Identifier: Apache-2.0
import Core
import LuaHost

extension HostModule {
  /// `uuid()`.
  static let uuid = HostModule(
    "uuid", "Unique names.",
    functions: [
      Function(
        "", "Makes a random UUID (version 4).", returns: "string",
        body: .answers({ _, _ in .string(Identifier.randomUUID()) }, named: "uuid", recorded: true))
    ])
}
