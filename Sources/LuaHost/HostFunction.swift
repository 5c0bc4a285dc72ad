// SPDX-License-Identifier: Apache-2.0

/// A function of the host that scripts may call.
public struct HostFunction<Context: Sendable>: Sendable {
  public enum Body: Sendable {
    /// Answers at once, on the cell's actor: must neither block nor take long.
    case immediate(@Sendable (_ arguments: [LuaValue], _ context: Context) throws -> LuaValue)
    /// May wait; other runs of the cell go on meanwhile.
    case suspending(@Sendable (_ arguments: [LuaValue], _ context: Context) async throws -> LuaValue)
  }

  /// `db.query` is the function `query` of the read-only table `db`, `uuid` a plain global. A name that
  /// starts with `_` is for preludes only.
  public let name: String
  public let body: Body

  /// - Parameter body: What it throws becomes an error in the script: ``HostError`` as it is,
  ///   `CancellationError` the end of the call when its task is cancelled, everything else code `internal`.
  public init(_ name: String, _ body: Body) {
    self.name = name
    self.body = body
  }
}
