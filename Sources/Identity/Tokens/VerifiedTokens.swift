// SPDX-License-Identifier: Apache-2.0
import Core

/// Tokens whose signature was found good, by their hash: a token is never kept.
///
/// Refusals are not remembered. Whoever sends bad tokens can send a different one each time, so that they
/// would only push good ones out; and the same text may become good, when its key is published or its time
/// has come.
struct VerifiedTokens: Sendable {
  private struct Entry: Sendable {
    let principal: Principal
    let lifetime: TokenLifetime
    /// The published key that signed it; `nil` = a configured one, which does not go.
    let publishedKey: Fingerprint?
  }

  private var entries: BoundedCache<Fingerprint, Entry>
  /// Of the published keys by which the entries are good.
  private var generation = 0

  init(countMax: Int) { entries = BoundedCache(countMax: countMax) }

  var count: Int { entries.count }

  /// - Parameters:
  ///   - now: Seconds since 1970.
  ///   - published: Whether published keys count now.
  mutating func principal(for token: Fingerprint, at now: Double, published: Bool) -> Principal? {
    guard let entry = entries.value(for: token), published || entry.publishedKey == nil else { return nil }
    if entry.lifetime.contains(now) { return entry.principal }
    entries.remove(token)
    return nil
  }

  /// Drops what was signed by published keys that are gone.
  mutating func adopt(generation: Int, keys: @autoclosure () -> Set<Fingerprint>) {
    guard generation > self.generation else { return }
    self.generation = generation
    let keys = keys()
    entries.removeAll { $0.publishedKey.map { !keys.contains($0) } ?? false }
  }

  /// - Parameters:
  ///   - publishedKey: The published key that signed it; `nil` = a configured one.
  ///   - generation: Of the published keys that the token was checked with: older ones say nothing any more.
  mutating func remember(
    _ token: Fingerprint, _ principal: Principal, _ lifetime: TokenLifetime, publishedKey: Fingerprint?,
    generation: Int
  ) {
    guard publishedKey == nil || generation == self.generation else { return }
    entries.insert(Entry(principal: principal, lifetime: lifetime, publishedKey: publishedKey), for: token)
  }
}
