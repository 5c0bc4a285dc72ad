// SPDX-License-Identifier: Apache-2.0

/// How one model of a provider has fared lately.
public struct ModelHealth: Sendable, Hashable {
  public enum State: String, Sendable, Hashable, CaseIterable {
    /// It is asked.
    case closed
    /// One request goes out to see whether it works again.
    case probing
    /// It failed too often, and is left alone.
    case open
  }

  public var provider: String
  /// The provider's own name of it.
  public var model: String
  public var state: State
  /// Until it may be asked again; `nil` while it may.
  public var retryAfterSeconds: Double?
  public var hedges: Hedges

  /// Requests that were made a second time because the first was slow, by whether the second answered.
  public struct Hedges: Sendable, Hashable {
    public var won = 0
    public var lost = 0

    public init() {}
  }

  public init(
    provider: String, model: String, state: State, retryAfterSeconds: Double? = nil, hedges: Hedges = Hedges()
  ) {
    self.provider = provider
    self.model = model
    self.state = state
    self.retryAfterSeconds = retryAfterSeconds
    self.hedges = hedges
  }
}
