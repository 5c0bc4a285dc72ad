// SPDX-License-Identifier: Apache-2.0
import Settings

extension Configuration {
  /// A setting that asks for what is not there yet may not be silently ignored.
  ///
  /// - Throws: ``ConfigurationError`` that names every such key.
  func refuseUnavailable() throws {
    let configuration = self
    func isAsked(_ path: String) -> Bool { source(of: path) != .default }
    let missing: [(isAsked: Bool, key: String)] = [
      (configuration.data.store != nil, "data.store"),
      (configuration.data.cache != nil, "data.cache"),
    ]
    let problems = missing.filter(\.isAsked).map { problem in
      ConfigurationError.Problem(
        source: place(of: problem.key), message: "\(problem.key) is not available yet", hint: "leave it out")
    }
    if !problems.isEmpty { throw ConfigurationError(problems: problems) }
  }

  /// Where a key, or the first one below it, was set.
  private func place(of key: String) -> Source {
    let prefix = key.split(separator: "*").first.map(String.init) ?? key
    let below = sources.filter { $0.key.hasPrefix(prefix) && $0.value != .default }
    return below.min { $0.key < $1.key }?.value ?? source(of: key)
  }
}
