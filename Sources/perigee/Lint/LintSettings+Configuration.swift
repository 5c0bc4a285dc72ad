// SPDX-License-Identifier: Apache-2.0
import Core
import Lint
import Settings

extension LintSettings {
  /// What of the configuration scripts depend on.
  init(_ configuration: Configuration) {
    self.init(
      hosts: configuration.http.allow.compactMap(HostPattern.init),
      secrets: Set(configuration.scripts.secrets.keys),
      environment: Set(configuration.scripts.env), pricedModels: Set(configuration.models.prices.keys),
      defaultModel: configuration.models.default, providers: Set(configuration.providers.keys),
      prefixesAreProviders: configuration.providers.count > 1
        && configuration.providers["openai"]?.isMaker == true)
  }

  /// Reads perigee.yaml; what is wrong with it becomes findings, and then nothing is known of it.
  ///
  /// - Parameter text: In place of what is in the file.
  static func read(_ file: String, text: String? = nil, environment: [String: String]) -> (
    settings: LintSettings, findings: [Diagnostic]
  ) {
    do {
      let configuration = try Configuration.load(file: file, text: text, environment: environment)
      return (LintSettings(try configuration.withPolicies()), [])
    } catch {
      return (LintSettings(), error.problems.compactMap(Diagnostic.init))
    }
  }
}

extension Diagnostic {
  /// A problem of the file; nil for one of the environment, which is another's.
  fileprivate init?(_ problem: ConfigurationError.Problem) {
    let start: Position
    switch problem.source {
    case .file(_, let line, let column): start = Position(offset: 0, line: line, column: column)
    case .default: start = .start
    case .environment, .flag: return nil
    }
    self.init(
      file: "perigee.yaml", range: SourceRange(start, start), severity: .error, code: Code(rawValue: "C101"),
      message: problem.message, hint: problem.hint)
  }
}
