// SPDX-License-Identifier: Apache-2.0

/// Keys that tokens may be signed with.
public struct VerificationKeys: Sendable {
  /// A key of a JWKS document that is left out.
  public struct Skipped: Sendable, Hashable, CustomStringConvertible {
    /// Its place in the document, from 0.
    public let index: Int
    /// One line for the log, without key material.
    public let reason: String

    public var description: String { "key \(index): \(reason)" }
  }

  let keys: [VerificationKey]
  /// In the order of the document.
  public let skipped: [Skipped]

  /// Keys that a token without a usable `kid` may cost, so that a long document does not multiply the work.
  static let triesMax = 8

  public static let none = VerificationKeys(keys: [])

  init(keys: [VerificationKey], skipped: [Skipped] = []) {
    self.keys = keys
    self.skipped = skipped
  }

  public static func + (left: VerificationKeys, right: VerificationKeys) -> VerificationKeys {
    VerificationKeys(keys: left.keys + right.keys, skipped: left.skipped + right.skipped)
  }

  public var isEmpty: Bool { keys.isEmpty }
  public var count: Int { keys.count }
  public var algorithms: Set<SignatureAlgorithm> { Set(keys.map(\.algorithm)) }
}

extension VerificationKeys {
  /// Takes a shared secret.
  ///
  /// - Parameters:
  ///   - secret: At least 32, 48 or 64 bytes for HS256, HS384, HS512.
  ///   - kid: The name that tokens may ask for; `nil` = every name.
  /// - Throws: ``IdentityError`` for a secret that is too weak, or that is a public key's text.
  public static func secret(
    _ secret: [UInt8], algorithm: SignatureAlgorithm = .hs256, kid: String? = nil
  ) async throws(IdentityError) -> VerificationKeys {
    try SecretKey.check(secret, for: algorithm)
    do {
      return VerificationKeys(keys: [
        try await VerificationKey(secret: secret, algorithm: algorithm, kid: kid)
      ])
    } catch {
      throw IdentityError("the secret cannot be used")
    }
  }

  /// Reads a PEM file with one public key (RSA of 2048 to 8192 bits, P-256, P-384, P-521, Ed25519) or one
  /// certificate (not of Ed25519).
  ///
  /// - Parameters:
  ///   - algorithms: What is permitted; an RSA key is used with all RS algorithms among them.
  ///   - kid: The name that tokens may ask for; `nil` = every name.
  /// - Throws: ``IdentityError`` for everything else, private keys included, and for a key of which no
  ///   algorithm is permitted.
  public static func pem(
    _ pem: String, algorithms: [SignatureAlgorithm], kid: String? = nil
  ) async throws(IdentityError) -> VerificationKeys {
    let key = try PublicKey(pem: pem)
    let usable = key.algorithms.filter(algorithms.contains)
    guard !usable.isEmpty else {
      throw IdentityError(
        "the public key is for \(key.algorithms[0].rawValue), which is not permitted",
        hint: "add it to auth.jwt.algorithms")
    }
    do {
      var keys: [VerificationKey] = []
      for algorithm in usable { keys.append(try await VerificationKey(key, algorithm: algorithm, kid: kid)) }
      return VerificationKeys(keys: keys)
    } catch {
      throw IdentityError("the public key cannot be used")
    }
  }
}

extension VerificationKeys {
  /// Which keys a header may mean.
  enum Selection {
    case keys([VerificationKey])
    /// There is a key of that name, for another algorithm.
    case otherAlgorithm
    case unknown
  }

  /// Finds the keys of that name, else those without a name; without a `kid`, all of the algorithm.
  func select(kid: String?, algorithm: SignatureAlgorithm) -> Selection {
    let named = kid.map { kid in keys.filter { $0.kid == kid } } ?? []
    let meant = !named.isEmpty ? named : kid == nil ? keys : keys.filter { $0.kid == nil }
    let usable = meant.filter { $0.algorithm == algorithm }
    if !usable.isEmpty { return .keys(Array(usable.prefix(Self.triesMax))) }
    return named.isEmpty ? .unknown : .otherAlgorithm
  }

  func isNamed(_ kid: String?) -> Bool { kid != nil && keys.contains { $0.kid == kid } }

  var fingerprints: Set<Fingerprint> { Set(keys.map(\.fingerprint)) }
}
