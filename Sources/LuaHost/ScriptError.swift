// SPDX-License-Identifier: Apache-2.0

/// Why a script could not be compiled, or a call into it did not end with a result.
public struct ScriptError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Kind: String, Sendable, Hashable {
    /// The source is no Lua, or no text.
    case syntax
    /// An error that nothing caught.
    case runtime
    /// The result cannot leave Lua, or is too large.
    case badResult
    case stackOverflow
    case memoryLimit
    /// The run has used up its ``RunBudget/cpu``.
    case timeLimit
    /// The run has been closed, or was killed before.
    case closed
    /// The cell has as many runs as its limits allow.
    case full
    /// The entry does not exist.
    case unknownEntry
  }

  public var kind: Kind
  /// One line, without the position.
  public var message: String
  /// The script's name, such as `agents/todo.lua`.
  public var script: String?
  /// Counted from 1.
  public var line: Int?
  public var traceback: String?
  /// Set when the error value was a table with a `code` and a `message`: one of the host's, or made like one.
  public var hostError: HostError?

  public init(
    _ kind: Kind, _ message: String, script: String? = nil, line: Int? = nil, traceback: String? = nil,
    hostError: HostError? = nil
  ) {
    self.kind = kind
    self.message = message
    self.script = script
    self.line = line
    self.traceback = traceback
    self.hostError = hostError
  }

  public var description: String {
    let text = hostError?.description ?? message
    guard let script else { return text }
    guard let line else { return "\(script): \(text)" }
    return "\(script):\(line): \(text)"
  }
}
