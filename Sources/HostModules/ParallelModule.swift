// SPDX-License-Identifier: Apache-2.0

extension HostModule {
  /// `parallel` and its kin.
  static let parallel = HostModule(
    "parallel", "Runs functions beside each other; what they return stands where they stood.",
    types: """
      ---@class (exact) perigee.Settled
      ---@field ok boolean
      ---@field value any
      ---@field error any
      """,
    functions: [
      Function(
        "", "Waits for all; the first error cancels the rest and is raised.",
        [Parameter("branches", "table<any, fun(): any>", "a list, or by name")], returns: "table<any, any>",
        mayWait: true,
        example:
          #"local r = parallel{ title = function() return agents.run("market.title", text) end, price = … }"#),
      Function(
        "settle", "Waits for all, whatever becomes of each.",
        [Parameter("branches", "table<any, fun(): any>", "a list, or by name")],
        returns: "table<any, perigee.Settled>", mayWait: true),
      Function(
        "map", "Calls a function on each element of a list, so many at a time.",
        [
          Parameter("list", "any[]", "its elements"),
          Parameter("fn", "fun(element: any, index: integer): any", "called on each"),
          Parameter("opts", "{ limit: integer? }?", "`limit`: at once; 8 unless said"),
        ],
        returns: "any[]", mayWait: true,
        example:
          "local pages = parallel.map(urls, function(url) return http.get(url).body end, { limit = 4 })"),
      Function(
        "race", "Waits for the first that succeeds and cancels the rest; its value and its name.",
        [Parameter("branches", "table<any, fun(): any>", "a list, or by name")], returns: "any, any",
        mayWait: true),
    ])
}
