// SPDX-License-Identifier: Apache-2.0

/// Everything an operator may set, with the defaults that run when nothing is set.
///
/// A value is built by ``load(file:text:environment:flags:)``; each stored property below is one key
/// of `perigee.yaml`, and its initial value is that key's default.
public struct Configuration: Sendable, Hashable {
  public var server = Server()
  public var data = Data()
  public var auth = Auth()
  public var limits = Limits()
  /// Model providers by name; `openai` is always there.
  public var providers: [String: Provider] = ["openai": Provider(apiKeyEnv: "OPENAI_API_KEY")]
  public var models = Models()
  public var scripts = Scripts()
  public var http = HTTP()
  /// Free-form: an empty map when nothing is set; read by the guardrails themselves.
  public var guardrails = Tree.empty
  /// Of the sections of ``guardrails``; see ``withPolicies()``.
  public internal(set) var policies = Policies()
  public var routes: [Route] = []
  public var channels = Channels()
  public var queue = Queue()
  public var events = Events()
  public var reload = Reload()
  public var log = Log()
  public var telemetry = Telemetry()
  public var retention = Retention()

  /// Where each value in force came from, by key path (`server.port`, `providers.openai.base_url`,
  /// `routes.1.path`); a path that is absent has its default.
  public internal(set) var sources: [String: Source] = [:]

  /// Makes a configuration in which every key has its default.
  public init() {}

  /// Where the value of one key came from; ``Source/default`` when nobody set it.
  public func source(of path: String) -> Source { sources[path] ?? .default }
}

extension Configuration: CustomStringConvertible {
  /// Keys that differ from their defaults, one a line, secrets hidden.
  public var description: String {
    describe(environment: [:]).filter { $0.source != .default }
      .map { "\($0.path): \($0.value)" }.joined(separator: "\n")
  }
}
