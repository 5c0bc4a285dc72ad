// SPDX-License-Identifier: Apache-2.0

/// The versions of one workspace's scripts, and which of them runs take.
public protocol ScriptVersions: Sendable {
  /// What new runs take.
  var deployment: Deployment { get }
  /// Why the folder as it is now did not come into force; empty = it did.
  var problems: [ScriptProblem] { get }
  /// Of all versions that runs are in.
  var usage: ScriptUsage { get }
  /// A version that runs began with, in force or not.
  ///
  /// - Throws: ``Failure`` or another error that says why it cannot be loaded.
  func host(ofVersion version: String) async throws -> any ScriptHost
  /// Tells when ``deployment`` or ``problems`` have changed.
  func changes() -> AsyncStream<Void>

  /// Brings a version that was kept into force, or makes it the candidate, until the folder changes.
  ///
  /// - Parameters:
  ///   - name: Its identifier, or the beginning of it.
  ///   - canaryPercent: Share of sessions that run it, 1 to 99; `nil` = all.
  /// - Throws: ``ScriptsRefused`` when it no longer loads; ``Failure`` `not_found`, `conflict`, `invalid_arguments`.
  func activate(_ name: String, canaryPercent: Int?, by actor: AuditEntry.Actor) async throws
}

/// The version in force and, while there is one, the candidate that some sessions try before it.
public final class Deployment: Sendable {
  public struct Candidate: Sendable {
    public let host: any ScriptHost
    /// Share of sessions that run it, 1 to 99.
    public let percent: Int

    public init(host: any ScriptHost, percent: Int) {
      self.host = host
      self.percent = percent
    }
  }

  public let active: any ScriptHost
  public let candidate: Candidate?

  public init(active: any ScriptHost, candidate: Candidate? = nil) {
    self.active = active
    self.candidate = candidate
  }

  /// The version that a session runs: always the same one while the candidate and its share stay.
  public func host(userID: String, sessionID: String) -> any ScriptHost {
    guard let candidate else { return active }
    let share = Self.share(userID, sessionID, candidate.host.version)
    return share < UInt64(candidate.percent) * 100 ? candidate.host : active
  }

  /// A number from 0 to 9,999 that depends on nothing but these; raising a percentage moves no session back.
  private static func share(_ words: String...) -> UInt64 {
    // FNV-1a, stirred by the end of MurmurHash3: not for secrets, and the same in every process.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for word in words {
      for byte in word.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
      hash = (hash ^ 0xFF) &* 0x100_0000_01B3
    }
    hash = (hash ^ hash >> 33) &* 0xFF51_AFD7_ED55_8CCD
    hash = (hash ^ hash >> 33) &* 0xC4CE_B9FE_1A85_EC53
    return (hash ^ hash >> 33) % 10_000
  }

  /// What a version is to this deployment; `nil` = a version of runs that began earlier.
  public func track(of version: String) -> Track? {
    if version == active.version { return .active }
    return version == candidate?.host.version ? .candidate : nil
  }

  public enum Track: String, Sendable, CaseIterable {
    case active, candidate
  }
}

/// One thing that is wrong with a workspace's scripts.
public struct ScriptProblem: Sendable, Hashable {
  public let file: String
  public let line: Int
  public let column: Int
  public let severity: String
  public let code: String
  public let message: String
  /// How to mend it.
  public let hint: String?
  /// All of it for people, with the source line and a caret.
  public let text: String

  public init(
    file: String, line: Int, column: Int, severity: String, code: String, message: String, hint: String?,
    text: String
  ) {
    self.file = file
    self.line = line
    self.column = column
    self.severity = severity
    self.code = code
    self.message = message
    self.hint = hint
    self.text = text
  }
}

/// Scripts that may not come into force, and why.
public struct ScriptsRefused: Error, Sendable, CustomStringConvertible {
  public let problems: [ScriptProblem]

  public init(problems: [ScriptProblem]) { self.problems = problems }

  /// Each problem with its source line, a caret and the way to mend it.
  public var description: String { problems.map(\.text).joined(separator: "\n") }
}
