// SPDX-License-Identifier: Apache-2.0
import Core
import Crypto
import CryptoExtras
import FoundationEssentials
import JSONCodec
import Synchronization

@testable import Identity

/// A clock that a test turns by hand; nobody sleeps on it.
final class ManualTime: TimeSource {
  private let moment: Mutex<(seconds: Double, elapsed: Duration)>

  init(seconds: Double = 1_800_000_000) { moment = Mutex((seconds, .seconds(1000))) }

  var now: Timestamp { Timestamp(milliseconds: Int64(moment.withLock(\.seconds) * 1000)) }
  var elapsed: Duration { moment.withLock(\.elapsed) }
  var seconds: Int64 { now.milliseconds / 1000 }
  func sleep(for duration: Duration) async throws { throw CancellationError() }

  func advance(by seconds: Double) {
    moment.withLock {
      $0.seconds += seconds
      $0.elapsed += .milliseconds(Int64(seconds * 1000))
    }
  }
}

/// One key pair of each kind, made when the tests begin.
enum TestKeys {
  static let secret = Array("vEiUJv0D3aB9mK4pXy7rWq2sTz6cHf8L-the-secret-of-tests-0123456789ab".utf8)
  static let rsa = try! _RSA.Signing.PrivateKey(keySize: .bits2048)
  static let p256 = P256.Signing.PrivateKey()
  static let p384 = P384.Signing.PrivateKey()
  static let p521 = P521.Signing.PrivateKey()
  static let ed25519 = Curve25519.Signing.PrivateKey()

  static func privatePEM(_ algorithm: SignatureAlgorithm) -> String {
    switch algorithm {
    case .rs256, .rs384, .rs512: rsa.pemRepresentation
    case .es256: p256.pemRepresentation
    case .es384: p384.pemRepresentation
    case .es512: p521.pemRepresentation
    case .edDSA: ed25519.pemRepresentation
    case .hs256, .hs384, .hs512: ""
    }
  }

  static func publicPEM(_ algorithm: SignatureAlgorithm) -> String {
    switch algorithm {
    case .rs256, .rs384, .rs512: rsa.publicKey.pemRepresentation
    case .es256: p256.publicKey.pemRepresentation
    case .es384: p384.publicKey.pemRepresentation
    case .es512: p521.publicKey.pemRepresentation
    case .edDSA: ed25519.publicKey.pemRepresentation
    case .hs256, .hs384, .hs512: ""
    }
  }

  static func signer(_ algorithm: SignatureAlgorithm, kid: String? = nil) async throws -> TokenSigner {
    algorithm.isSymmetric
      ? try await .secret(secret, algorithm: algorithm, kid: kid)
      : try await .privateKey(pem: privatePEM(algorithm), rsa: algorithm, kid: kid)
  }

  /// A JWK with `alg`, unless `members` says otherwise; a member that is null is left out.
  static func jwk(_ algorithm: SignatureAlgorithm, kid: String? = nil, _ members: [String: JSON] = [:])
    -> JSON
  {
    var key = JSONObject()
    switch algorithm {
    case .hs256, .hs384, .hs512:
      key["kty"] = "oct"
      key["k"] = .string(Base64URL.encode(secret))
    case .rs256, .rs384, .rs512:
      let numbers = try! rsa.publicKey.getKeyPrimitives()
      key["kty"] = "RSA"
      key["n"] = .string(Base64URL.encode(numbers.modulus))
      key["e"] = .string(Base64URL.encode(numbers.publicExponent))
    case .es256: point(p256.publicKey.rawRepresentation, "P-256", into: &key)
    case .es384: point(p384.publicKey.rawRepresentation, "P-384", into: &key)
    case .es512: point(p521.publicKey.rawRepresentation, "P-521", into: &key)
    case .edDSA:
      key["kty"] = "OKP"
      key["crv"] = "Ed25519"
      key["x"] = .string(Base64URL.encode(ed25519.publicKey.rawRepresentation))
    }
    key["alg"] = .string(algorithm.rawValue)
    if let kid { key["kid"] = .string(kid) }
    for (name, value) in members { key[name] = value.isNull ? JSON?.none : value }
    return .object(key)
  }

  /// The public half of a P-256 key that is not one of the above.
  static func jwk(_ key: P256.Signing.PrivateKey, kid: String) -> JSON {
    var members = JSONObject()
    point(key.publicKey.rawRepresentation, "P-256", into: &members)
    members["kid"] = .string(kid)
    return .object(members)
  }

  private static func point(_ raw: Data, _ curve: String, into key: inout JSONObject) {
    key["kty"] = "EC"
    key["crv"] = .string(curve)
    key["x"] = .string(Base64URL.encode(raw.prefix(raw.count / 2)))
    key["y"] = .string(Base64URL.encode(raw.suffix(raw.count / 2)))
  }
}

func jwks(_ keys: [JSON]) -> [UInt8] {
  RawJSON(.object(JSONObject([("keys", .array(keys))]))).bytes
}

/// A token of any two texts, signed by whatever `sign` does to them.
func forge(
  header: String, payload: String, sign: ([UInt8]) throws -> some Collection<UInt8>
) rethrows -> String {
  let text = Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array(payload.utf8))
  return text + "." + Base64URL.encode(try sign(Array(text.utf8)))
}

func hmac(_ text: [UInt8], key: [UInt8] = TestKeys.secret) -> [UInt8] {
  Array(HMAC<SHA256>.authenticationCode(for: text, using: SymmetricKey(data: key)))
}

/// A token that a verifier with the secret accepts, unless its claims are wrong.
func token(_ claims: String) -> String {
  forge(header: #"{"alg":"HS256","typ":"JWT"}"#, payload: claims) { hmac($0) }
}

extension TokenVerifier {
  /// The refusal's code; `nil` when the token was accepted.
  func refusal(_ token: String) async -> TokenRefusal.Code? {
    do {
      _ = try await verify(token)
      return nil
    } catch {
      return error.code
    }
  }
}

func secretVerifier(
  _ clock: ManualTime = ManualTime(), policy: TokenPolicy = TokenPolicy(), remembersMax: Int = 100
) async throws -> TokenVerifier {
  try TokenVerifier(
    keys: try await .secret(TestKeys.secret), policy: policy, clock: clock, remembersMax: remembersMax)
}
