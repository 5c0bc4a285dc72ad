// SPDX-License-Identifier: Apache-2.0

/// Remembers the versions of the scripts with their sources, and which one is in force.
///
/// Methods throw ``Failure``, as those of ``Store`` do.
public protocol VersionStore: Sendable {
  /// Keeps a version; one that is kept already stays as it is.
  func keepVersion(_ id: String, files: [ScriptFile], at: Timestamp) async throws
  /// Latest first.
  func versions(page: PageRequest) async throws -> Page<VersionRecord>
  /// - Parameter name: The identifier, with or without `sha256:`, or enough of its beginning to be the only one.
  func version(named name: String) async throws -> VersionRecord
  /// Its scripts by path.
  func sources(ofVersion id: String) async throws -> [String: [UInt8]]

  /// What was in force last; `nil` before anything was.
  func deployment() async throws -> DeploymentRecord?
  ///
  /// - Parameter actor: `nil` = the scripts changed in their folder.
  func setDeployment(_ deployment: DeploymentRecord, by actor: AuditEntry.Actor?) async throws
}

/// A script as a version keeps it.
public struct ScriptFile: Sendable {
  /// In the workspace: `agents/market/title.lua`.
  public let path: String
  /// SHA-256 of ``bytes``: the same text is kept once.
  public let digest: [UInt8]
  public let bytes: [UInt8]

  public init(path: String, digest: [UInt8], bytes: [UInt8]) {
    self.path = path
    self.digest = digest
    self.bytes = bytes
  }
}

/// A version that is kept.
public struct VersionRecord: Sendable {
  /// `sha256:` and the digest of all files.
  public let id: String
  public let loadedAt: Timestamp
  public let fileCount: Int
  /// Files that are not as they were in the version that was loaded before it.
  public let changedCount: Int
  public let runs: VersionRuns

  public init(id: String, loadedAt: Timestamp, fileCount: Int, changedCount: Int, runs: VersionRuns) {
    self.id = id
    self.loadedAt = loadedAt
    self.fileCount = fileCount
    self.changedCount = changedCount
    self.runs = runs
  }
}

/// What came of a version's runs; of those that are among the latest ``counted`` of all.
public struct VersionRuns: Sendable, Hashable {
  public static let counted = 100_000

  public var count: Int
  /// Of them; cancelled and interrupted ones are no failures.
  public var failed: Int
  public var usage: Usage
  /// Half of the finished runs took no longer; of those that are among the latest 2,000 of all.
  public var medianMilliseconds: Int?

  public init(count: Int = 0, failed: Int = 0, usage: Usage = Usage(), medianMilliseconds: Int? = nil) {
    self.count = count
    self.failed = failed
    self.usage = usage
    self.medianMilliseconds = medianMilliseconds
  }

  /// 0 to 1; 0 without runs.
  public var errorRate: Double { count == 0 ? 0 : Double(failed) / Double(count) }
}

/// Which versions are in force, as the store remembers it.
public struct DeploymentRecord: Sendable, Hashable {
  public struct Candidate: Sendable, Hashable {
    public var version: String
    /// 1 to 99.
    public var percent: Int

    public init(version: String, percent: Int) {
      self.version = version
      self.percent = percent
    }
  }

  public var version: String
  public var candidate: Candidate?
  /// The version of the workspace's folder when this was decided: once the folder has another, it counts again.
  public var folder: String
  public var at: Timestamp

  public init(version: String, candidate: Candidate? = nil, folder: String, at: Timestamp) {
    self.version = version
    self.candidate = candidate
    self.folder = folder
    self.at = at
  }
}
