// SPDX-License-Identifier: Apache-2.0
public import Core
public import HostModules
import Synchronization

/// The workspace folder of a server, and the version of its scripts that new runs take.
public final class Workspace: Sendable {
  public let directory: String
  private let resources: ScriptResources
  private let settings: LuaScriptHost.Settings
  private let defaults: RunLimits
  private let active: Mutex<LuaScriptHost>

  /// Loads the folder.
  ///
  /// - Throws: ``WorkspaceError`` when a script is wrong, ``Failure`` when a tools file's `schema` is.
  public init(
    directory: String, resources: ScriptResources, settings: LuaScriptHost.Settings, defaults: RunLimits
  ) async throws {
    self.directory = directory
    self.resources = resources
    self.settings = settings
    self.defaults = defaults
    active = Mutex(
      try await Workspace.host(directory, resources: resources, settings: settings, defaults: defaults))
  }

  /// What a new run takes.
  public var host: LuaScriptHost { active.withLock { $0 } }

  /// Loads the folder again; new runs take it, runs under way keep what they began with.
  ///
  /// - Returns: The version that is now in force.
  /// - Throws: As ``init(directory:resources:settings:defaults:)``; the version before stays.
  public func reload() async throws -> String {
    let next = try await Workspace.host(
      directory, resources: resources, settings: settings, defaults: defaults)
    return active.withLock { active in
      if next.version != active.version { active = next }
      return active.version
    }
  }

  private static func host(
    _ directory: String, resources: ScriptResources, settings: LuaScriptHost.Settings, defaults: RunLimits
  ) async throws -> LuaScriptHost {
    let bundle = try await ScriptBundle.load(directory: directory, defaults: defaults)
    return try await LuaScriptHost(bundle, resources: resources, settings: settings)
  }
}
