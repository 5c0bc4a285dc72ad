// SPDX-License-Identifier: Apache-2.0

extension HostModule {
  /// `json`, which the Lua host itself provides.
  static let json = HostModule(
    "json", "JSON text.",
    fields: [Parameter("null", "userdata", "JSON's null, where a field must say so: `nil` leaves it out")],
    functions: [
      Function(
        "encode", "Writes a value as JSON; the keys of objects are sorted.",
        [
          Parameter(
            "value", "any", "no functions, no cycles; an empty table is an object unless `json.array` made it"
          )
        ],
        returns: "string"),
      Function(
        "decode", "Reads JSON; null becomes `json.null`.", [Parameter("text", "string", "one value")],
        returns: "any"),
      Function(
        "array", "Marks a table as a list, so that it is one even when empty.",
        [Parameter("list", "any[]?", "a new one unless given")], returns: "any[]"),
    ])
}
