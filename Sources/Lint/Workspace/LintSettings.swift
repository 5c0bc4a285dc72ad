// SPDX-License-Identifier: Apache-2.0
public import Core

/// What of the configuration scripts depend on; nothing is known unless it is said.
public struct LintSettings: Sendable, Hashable {
  /// `http.allow`; empty = does not narrow.
  public var hosts: [HostPattern]
  /// Names in `scripts.secrets`.
  public var secrets: Set<String>?
  /// Names in `scripts.env`.
  public var environment: Set<String>?
  /// Models with a price.
  public var pricedModels: Set<String>?
  /// What an agent without `model` asks.
  public var defaultModel: String?
  /// Names in `providers`.
  public var providers: Set<String>?
  /// Whether `name/model` can only name a provider: there are several, and the first, which is asked for all
  /// other names, has none with a slash.
  public var prefixesAreProviders: Bool

  public init(
    hosts: [HostPattern] = [], secrets: Set<String>? = nil, environment: Set<String>? = nil,
    pricedModels: Set<String>? = nil, defaultModel: String? = nil, providers: Set<String>? = nil,
    prefixesAreProviders: Bool = false
  ) {
    self.hosts = hosts
    self.secrets = secrets
    self.environment = environment
    self.pricedModels = pricedModels
    self.defaultModel = defaultModel
    self.providers = providers
    self.prefixesAreProviders = prefixesAreProviders
  }
}
