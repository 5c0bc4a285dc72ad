// SPDX-License-Identifier: Apache-2.0
import Core
import LuaHost

/// What loading made of one script, for as long as its text stays the same.
struct LoadedScript: Sendable {
  /// Of the text.
  let digest: [UInt8]
  let program: Program
  /// `nil` when there were problems: they are found again.
  var definition: Definition?

  /// What evaluating it gave.
  struct Definition: Sendable {
    /// Digests of the modules that were evaluated for it; `nil` = one that was not there.
    let required: [String: [UInt8]?]
    let content: Content
  }

  enum Content: Sendable {
    case agent(Agent)
    case tools([Tool], schema: String?)
    case module
  }
}
