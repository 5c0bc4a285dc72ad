// SPDX-License-Identifier: Apache-2.0

/// A function of the host that scripts may call.
public struct HostFunction<Context: Sendable>: Sendable {
  public enum Body: Sendable {
    /// Answers at once, on the cell's actor: must neither block nor take long.
    case immediate(
      @Sendable (_ arguments: [LuaValue], _ context: Context, _ site: CallSite) throws -> LuaValue)
    /// May wait; other runs of the cell go on meanwhile.
    case suspending(
      @Sendable (_ arguments: [LuaValue], _ context: Context, _ site: CallSite) async throws -> LuaValue)
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

/// What the host makes of parallel branches.
///
/// It remembers which branch decided a spawn, where that depends on which came first: the one that failed of those of
/// which all were wanted, the one that succeeded of those in a race.
public struct Branching<Context: Sendable>: Sendable {
  /// The branch that decided this spawn when the script was here before; `nil` = it was not, or none did.
  let recall: @Sendable (_ context: Context, _ spawn: CallSite) -> UInt32?
  let keep: @Sendable (_ context: Context, _ spawn: CallSite, _ branch: UInt32) -> Void
  /// Told by how many the lines of execution have become more, or fewer: a fiber that waits for branches
  /// is none, and goes on with the line of the one that ended.
  let count: @Sendable (_ context: Context, _ lines: Int) -> Void

  public init(
    recall: @escaping @Sendable (_ context: Context, _ spawn: CallSite) -> UInt32?,
    keep: @escaping @Sendable (_ context: Context, _ spawn: CallSite, _ branch: UInt32) -> Void,
    count: @escaping @Sendable (_ context: Context, _ lines: Int) -> Void
  ) {
    self.recall = recall
    self.keep = keep
    self.count = count
  }
}

/// Where in a call of an entry a host function was called: the same whenever the same script does the same again,
/// whatever its branches' neighbours do meanwhile.
public struct CallSite: Sendable, Hashable, CustomStringConvertible {
  /// The branches that lead to it, `1.0/2.3/`: which spawn of the fiber (from 1), which branch of it (from 0).
  public let fiber: String
  /// Which host call of the fiber, from 1.
  public let number: UInt32

  public init(fiber: String, number: UInt32) {
    self.fiber = fiber
    self.number = number
  }

  public var description: String { "\(fiber)\(number)" }
}
