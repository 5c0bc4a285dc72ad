// SPDX-License-Identifier: Apache-2.0

extension HostModule {
  /// `reject(why)`.
  static let reject = HostModule(
    "reject", "The input guard's way to say no.",
    functions: [
      Function(
        "", "Ends the run; the caller gets the reason with code `rejected`.",
        [Parameter("why", "string", "shown to the caller")], returns: "never",
        example: #"if message:find("password") then reject("Please don't send passwords.") end"#)
    ])
}
