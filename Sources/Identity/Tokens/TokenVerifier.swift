// SPDX-License-Identifier: Apache-2.0
public import Core
import Synchronization

/// Tells whom a bearer token names, once its signature and claims hold.
///
/// What jwt-kit leaves open is done here: it takes any key whose name the header gives and never compares
/// `alg` with it, falls back to a default key, decodes lenient base64 and ignores `crit`. Here the algorithm
/// is the key's. Source: RFC 7515, 5.2; RFC 7519, 7.2; RFC 8725.
public final class TokenVerifier: Sendable {
  private let configured: VerificationKeys
  private let configuredFingerprints: Set<Fingerprint>
  private let published: PublishedKeys?
  private let policy: TokenPolicy
  private let clock: any TimeSource
  private let verified: Mutex<VerifiedTokens>

  /// - Parameters:
  ///   - keys: Keys from the configuration.
  ///   - published: Keys from a URL.
  ///   - remembersMax: Verified tokens that are remembered, about 1 KB each and their claims; 0 = none.
  /// - Throws: ``IdentityError`` when no token could ever be accepted, or a key's algorithm is not permitted.
  public init(
    keys: VerificationKeys = .none, published: PublishedKeys? = nil, policy: TokenPolicy,
    clock: any TimeSource, remembersMax: Int = 10_000
  ) throws(IdentityError) {
    if keys.isEmpty, published == nil {
      throw IdentityError(
        "there is no key to verify tokens with",
        hint: "set secret_env, public_key_file or jwks_url of auth.jwt")
    }
    if let stranger = keys.keys.first(where: { !policy.algorithms.contains($0.algorithm) }) {
      throw IdentityError(
        "a key is for \(stranger.algorithm.rawValue), which is not permitted",
        hint: "add it to auth.jwt.algorithms")
    }
    if published != nil, policy.algorithms.allSatisfy(\.isSymmetric) {
      throw IdentityError(
        "published keys verify none of the permitted algorithms", hint: "add RS256 to auth.jwt.algorithms")
    }
    guard (.zero...TokenPolicy.leewayMax).contains(policy.leeway) else {
      throw IdentityError("the leeway is not between 0 and 10 minutes")
    }
    configured = keys
    configuredFingerprints = keys.fingerprints
    self.published = published
    self.policy = policy
    self.clock = clock
    verified = Mutex(VerifiedTokens(countMax: remembersMax))
  }

  /// Whom a token names that was verified before and still counts; `nil` says nothing but that ``verify(_:)``
  /// must.
  ///
  /// - Complexity: One hash and one look-up; never suspends.
  public func remembered(_ token: String) -> Principal? {
    token.utf8.count <= CompactToken.bytesMax ? remembered(Fingerprint(of: token)) : nil
  }

  /// Verifies a compact JWS.
  ///
  /// Suspends only where published keys must be fetched first; what configured secrets sign never waits.
  ///
  /// - Parameter token: Without the scheme; longer than 16 KB is refused.
  /// - Throws: ``TokenRefusal``.
  public func verify(_ token: String) async throws(TokenRefusal) -> Principal {
    guard token.utf8.count <= CompactToken.bytesMax else {
      throw CompactToken.malformed("is longer than \(CompactToken.bytesMax) bytes")
    }
    let fingerprint = Fingerprint(of: token)
    if let principal = remembered(fingerprint) { return principal }

    let parsed = try CompactToken(parsing: token)
    let algorithm = SignatureAlgorithm.allCases.first { $0.rawValue.hasSameBytes(as: parsed.algorithmName) }
    guard let algorithm, policy.algorithms.contains(algorithm) else {
      throw TokenRefusal(.algorithm, "the token is signed with an algorithm that is not permitted")
    }
    let (key, snapshot) = try await signer(of: parsed, algorithm)
    let (principal, lifetime) = try policy.admit(try parsed.claims(), at: now)
    let publishedKey = configuredFingerprints.contains(key.fingerprint) ? nil : key.fingerprint
    verified.withLock {
      if let snapshot { $0.adopt(generation: snapshot.generation, keys: snapshot.keys.fingerprints) }
      $0.remember(
        fingerprint, principal, lifetime, publishedKey: publishedKey, generation: snapshot?.generation ?? 0)
    }
    return principal
  }

  private var now: Double { Double(clock.now.milliseconds) / 1000 }

  private func remembered(_ token: Fingerprint) -> Principal? {
    // `nil` also while they must be waited for: then only what configured keys signed counts.
    let snapshot = published?.current()
    let now = now
    return verified.withLock {
      if let snapshot { $0.adopt(generation: snapshot.generation, keys: snapshot.keys.fingerprints) }
      return $0.principal(for: token, at: now, published: snapshot != nil)
    }
  }
}

extension TokenVerifier {
  /// The key by which the token is signed, and the published keys that were looked at.
  private func signer(
    of token: CompactToken, _ algorithm: SignatureAlgorithm
  ) async throws(TokenRefusal) -> (VerificationKey, PublishedKeys.Snapshot?) {
    guard let published, !algorithm.isSymmetric else {
      return (try check(token, algorithm, configured).get(), nil)
    }
    var snapshot = await published.settled()
    var outcome = check(token, algorithm, configured + snapshot.keys)
    // A key that the header names is the right one; without a name, or with a new one, there may be others by
    // now.
    if case .failure = outcome, !(configured + snapshot.keys).isNamed(token.kid) {
      if let fresh = await published.refreshed() {
        snapshot = fresh
        outcome = check(token, algorithm, configured + snapshot.keys)
      }
      if case .failure = outcome, snapshot.keys.isEmpty {
        throw TokenRefusal(.unavailable, "the keys that verify tokens cannot be fetched now")
      }
    }
    return (try outcome.get(), snapshot)
  }

  /// The key by which the token is signed.
  private func check(
    _ token: CompactToken, _ algorithm: SignatureAlgorithm, _ keys: VerificationKeys
  ) -> Result<VerificationKey, TokenRefusal> {
    switch keys.select(kid: token.kid, algorithm: algorithm) {
    case .keys(let keys):
      let signer = keys.first { $0.signed(token.signedText, signature: token.signature) }
      return signer.map(Result.success)
        ?? .failure(TokenRefusal(.signature, "the token's signature does not hold"))
    case .otherAlgorithm:
      return .failure(TokenRefusal(.algorithm, "the token's key is for another algorithm"))
    case .unknown:
      return .failure(TokenRefusal(.unknownKey, "the token is signed with a key that is not known"))
    }
  }
}
