// SPDX-License-Identifier: Apache-2.0

/// A text file that is made, not written by hand.
public struct GeneratedFile: Sendable, Hashable {
  /// Below the workspace.
  public let path: String
  public let contents: String

  public init(path: String, contents: String) {
    self.path = path
    self.contents = contents
  }
}

/// What editors need to complete and check scripts: type stubs and the settings of two linters.
public enum EditorFiles {
  public static let all: [GeneratedFile] =
    [GeneratedFile(path: "types/perigee.lua", contents: ScriptTypes.stub)]
    + HostModule.all.map { GeneratedFile(path: "types/\($0.name).lua", contents: $0.stub) }
    + [
      GeneratedFile(path: ".luarc.json", contents: luarc),
      GeneratedFile(path: ".luacheckrc", contents: luacheckrc),
    ]

  /// Source of the keys: https://luals.github.io/wiki/settings.
  private static let luarc = """
    {
      "runtime.version": "Lua 5.4",
      "runtime.pathStrict": true,
      "runtime.path": ["?.lua"],
      "runtime.builtin": { "io": "disable", "debug": "disable", "package": "disable" },
      "workspace.library": ["types"],
      "workspace.checkThirdParty": false
    }

    """

  /// Source of the options: https://luacheck.readthedocs.io/en/stable/config.html.
  private static let luacheckrc = """
    stds.perigee = {
      read_globals = {
    \(HostModule.globalNames.filter { !["print", "require"].contains($0) }.map { "    \"\($0)\"," }.joined(separator: "\n"))
      },
    }
    std = "lua54+perigee"
    not_globals = {
      "collectgarbage", "debug", "dofile", "io", "loadfile", "package", "warn",
    }
    self = false
    ignore = { "21./_.*" }
    max_line_length = 120
    exclude_files = { "types/" }

    """
}
