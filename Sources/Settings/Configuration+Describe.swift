// SPDX-License-Identifier: Apache-2.0

extension Configuration {
  /// One key in force.
  public struct Setting: Sendable, Hashable {
    public let path: String
    /// YAML text; of a key that names a secret only whether there is one.
    public let value: String
    public let source: Source
  }

  /// Lists every key in force and where it came from, secrets hidden.
  ///
  /// - Parameter environment: Variables in which secrets are looked for; only their presence is told.
  public func describe(environment: [String: String]) -> [Setting] {
    Self.keys.flatMap { key in
      key.values(self, key.path).map { shown in
        Setting(
          path: shown.path, value: text(of: shown, environment),
          source: source(of: shown.path))
      }
    }
  }

  private func text(of shown: ShownValue, _ environment: [String: String]) -> String {
    switch shown.secrecy {
    case .open, .guarded: return shown.value
    case .variable, .file:
      guard shown.value != "null", !shown.value.isEmpty else { return "not set" }
      let secret: Secret?? =
        if shown.secrecy == .variable {
          try? Self.secret(env: shown.value, environment: environment)
        } else {
          try? Self.secret(env: nil, file: shown.value, environment: environment)
        }
      return secret.flatMap { $0 } == nil ? "not set (\(shown.value))" : "set (from \(shown.value))"
    }
  }
}
