// SPDX-License-Identifier: Apache-2.0

extension HostModule {
  /// `guard`: checks on what parallel branches did.
  static let guardModule = HostModule(
    "guard", "Checks that parallel branches worked on the same thing.",
    functions: [
      Function(
        "same", "Raises `conflict` unless every result names the same value; the value.",
        [
          Parameter("field", "string", "`listing_id`"),
          Parameter("results", "table<any, table>", "what `parallel` returned"),
        ],
        returns: "any", example: #"guard.same("listing_id", parallel{ title = …, price = … })"#)
    ])
}
