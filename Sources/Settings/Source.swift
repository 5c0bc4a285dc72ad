// SPDX-License-Identifier: Apache-2.0

extension Configuration {
  /// Who set a value.
  public enum Source: Sendable, Hashable, CustomStringConvertible {
    case `default`
    /// 1-based line and column, columns in Unicode scalars.
    case file(String, line: Int, column: Int)
    /// Name of the environment variable.
    case environment(String)
    /// Key path that a command-line flag stands for.
    case flag(String)

    /// What `perigee doctor` prints: `default`, `perigee.yaml:3`, `environment PERIGEE_SERVER_PORT`, `flag`.
    public var description: String {
      switch self {
      case .default: "default"
      case .file(let name, let line, _): "\(name):\(line)"
      case .environment(let name): "environment \(name)"
      case .flag: "flag"
      }
    }

    /// What stands in front of a problem's message.
    var label: String {
      switch self {
      case .default: "configuration"
      case .file(let name, let line, let column): "\(name):\(line):\(column)"
      case .environment(let name): name
      case .flag(let path): "flag for \(path)"
      }
    }
  }
}
