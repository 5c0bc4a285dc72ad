// SPDX-License-Identifier: Apache-2.0
import Core
import FoundationEssentials
import Identity
import Logging
import Server
import Settings
import Storage

extension Host {
  /// How callers prove who they are, as the configuration says.
  ///
  /// - Throws: ``CommandError`` for a secret that is missing or weak, and for a key that cannot be read.
  func authentication(environment: [String: String], logger: Logger) async throws -> Authentication {
    let mode = configuration.auth.mode
    guard mode != .none else { return .none }
    do {
      var tokens: TokenVerifier?
      if mode != .apiKey {
        let jwt = configuration.auth.jwt
        let published = jwt.publishedKeys(client).map { source in
          PublishedKeys(
            source, algorithms: jwt.algorithms, clock: time,
            report: { Self.log($0, from: source.address, logger) })
        }
        tokens = try TokenVerifier(
          keys: try await jwt.keys(environment: environment), published: published, policy: jwt.policy,
          clock: time)
        // A server that cannot reach them now can later; the log says that it could not.
        await published?.warmUp()
      }
      return Authentication(
        tokens: tokens,
        keys: mode == .jwt
          ? nil
          : APIKeyVerifier(
            store: store, hasTenants: configuration.auth.jwt.tenantClaim != nil, clock: time))
    } catch let error as IdentityError {
      throw CommandError(message: "auth: \(error.message)", hint: error.hint)
    }
  }

  private static func log(_ report: JWKSReport, from url: String, _ logger: Logger) {
    let metadata: Logger.Metadata = ["url": .string(url), "keys": .stringConvertible(report.keyCount)]
    if let failure = report.failure {
      logger.warning("public keys could not be fetched: \(failure)", metadata: metadata)
    } else {
      logger.info("public keys were fetched", metadata: metadata)
    }
    for skipped in report.skipped {
      logger.warning("a public key is left out: \(skipped)", metadata: metadata)
    }
  }
}

extension Configuration.JWT {
  var policy: TokenPolicy {
    TokenPolicy(
      algorithms: algorithms, issuer: issuer, audiences: audience.map { [$0] } ?? [], leeway: leeway,
      userClaim: userClaim, rolesClaim: rolesClaim, tenantClaim: tenantClaim)
  }

  /// The shared secret, where an HS algorithm is permitted.
  ///
  /// - Throws: ``CommandError`` when it is not set.
  func secret(environment: [String: String]) throws -> (bytes: [UInt8], algorithm: SignatureAlgorithm)? {
    guard let algorithm = algorithms.first(where: \.isSymmetric) else { return nil }
    guard let secret = try Configuration.secret(env: secretEnv, file: secretFile, environment: environment)
    else {
      throw CommandError(
        message: "auth.jwt: the secret of \(algorithm.rawValue) is not set",
        hint: "export \(secretEnv ?? "PERIGEE_JWT_SECRET")=$(openssl rand -base64 48)")
    }
    return (Array(secret.reveal().utf8), algorithm)
  }

  /// The keys that do not have to be fetched.
  func keys(environment: [String: String]) async throws -> VerificationKeys {
    var keys = VerificationKeys.none
    if let (secret, algorithm) = try secret(environment: environment) {
      keys = keys + (try await .secret(secret, algorithm: algorithm))
    }
    let published = algorithms.filter { !$0.isSymmetric }
    if let path = publicKeyFile {
      keys = keys + (try await .pem(Self.text(of: path), algorithms: published))
    }
    if let path = jwksFile {
      let found = try await VerificationKeys.jwks(Array(Self.text(of: path).utf8), algorithms: published)
      if found.isEmpty {
        throw CommandError(
          message: "auth.jwt.jwks_file: no key of \(path) can be used",
          hint: found.skipped.first.map { "\($0)" } ?? "it holds none")
      }
      keys = keys + found
    }
    return keys
  }

  private static func text(of path: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandError(
        message: "auth.jwt: \(path) cannot be read", hint: "is it there, and may you read it?")
    }
    return String(decoding: data, as: UTF8.self)
  }
}
