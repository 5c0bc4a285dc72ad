// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import JSONCodec
import JWTKit

extension VerificationKeys {
  /// Bytes of a document: bounds what an answer may cost.
  public static let documentBytesMax = 256 << 10
  /// Keys of a document that are looked at.
  public static let documentKeysMax = 100

  /// Reads a JWKS document; keys that cannot be used are skipped with a reason, as RFC 7517, 5 asks.
  ///
  /// - Parameters:
  ///   - algorithms: What is permitted. A key has the algorithm that its `alg` names or its curve implies; an
  ///     RSA key without `alg` is used with all permitted RS algorithms.
  ///   - secrets: Whether keys of type `oct` count: true only for the operator's own file, for a secret that
  ///     is published is none.
  /// - Throws: ``IdentityError`` when the document is not a JWKS, or no key of it can be used.
  public static func jwks(
    _ document: [UInt8], algorithms: [SignatureAlgorithm], secrets: Bool = false
  ) async throws(IdentityError) -> VerificationKeys {
    guard document.count <= documentBytesMax else {
      throw IdentityError("the JWKS document has more than \(documentBytesMax) bytes")
    }
    guard let entries = JSON.strictObject(document)?["keys"]?.array else {
      throw IdentityError(
        "the document is not a JWKS", hint: "a JSON object with the array 'keys' (RFC 7517)")
    }
    var keys: [VerificationKey] = []
    var skipped: [Skipped] = []
    for (index, entry) in entries.prefix(documentKeysMax).enumerated() {
      do {
        keys += try await WebKey(entry, secrets: secrets).verificationKeys(algorithms)
      } catch {
        skipped.append(Skipped(index: index, reason: error.message))
      }
    }
    if entries.count > documentKeysMax {
      skipped.append(Skipped(index: documentKeysMax, reason: "only \(documentKeysMax) keys are read"))
    }
    guard !keys.isEmpty else {
      let reasons = skipped.prefix(5).map(\.description).joined(separator: "; ")
      throw IdentityError(
        "the JWKS document has no key that can be used" + (reasons.isEmpty ? "" : ": \(reasons)"))
    }
    return VerificationKeys(keys: keys, skipped: skipped)
  }
}

/// One member of `keys`. Source: RFC 7517, 4; RFC 7518, 6; RFC 8037, 2.
private struct WebKey {
  enum Material {
    case secret([UInt8])
    case publicKey(PublicKey)
  }

  let kid: String?
  /// What `alg` says.
  let algorithm: SignatureAlgorithm?
  let material: Material

  init(_ json: JSON, secrets: Bool) throws(IdentityError) {
    guard let members = json.object else { throw IdentityError("not an object") }
    switch members["kid"] {
    case nil: kid = nil
    case .string(let text)? where text.utf8.count <= CompactToken.kidBytesMax: kid = text
    default: throw IdentityError("'kid' is not text of at most \(CompactToken.kidBytesMax) bytes")
    }
    if let use = members["use"], use.string != "sig" { throw IdentityError("'use' is not sig") }
    if let operations = members["key_ops"] {
      guard operations.array?.contains("verify") == true else {
        throw IdentityError("'key_ops' has no verify")
      }
    }
    switch members["alg"] {
    case nil: algorithm = nil
    case let name?:
      guard let known = name.string.flatMap(SignatureAlgorithm.init(rawValue:)) else {
        throw IdentityError("'alg' is not one that is known here")
      }
      algorithm = known
    }
    switch members["kty"]?.string {
    case "oct":
      guard secrets else { throw IdentityError("a published secret is not a secret") }
      material = .secret(try Self.bytes(members, "k"))
    case let type?:
      // A key whose private half is published can be used by everybody.
      if members["d"] != nil { throw IdentityError("the private half is published with it") }
      material = .publicKey(try Self.publicKey(type, members))
    case nil: throw IdentityError("without 'kty'")
    }
  }

  func verificationKeys(_ permitted: [SignatureAlgorithm]) async throws(IdentityError) -> [VerificationKey] {
    do {
      switch material {
      case .secret(let secret):
        let chosen = algorithm ?? .hs256
        guard permitted.contains(chosen) else { throw IdentityError("\(chosen.rawValue) is not permitted") }
        try SecretKey.check(secret, for: chosen)
        return [try await VerificationKey(secret: secret, algorithm: chosen, kid: kid)]
      case .publicKey(let key):
        let fitting = key.algorithms.filter { algorithm == nil || $0 == algorithm }
        if fitting.isEmpty { throw IdentityError("'alg' does not fit the key") }
        let usable = fitting.filter(permitted.contains)
        if usable.isEmpty { throw IdentityError("\(fitting[0].rawValue) is not permitted") }
        var keys: [VerificationKey] = []
        for algorithm in usable {
          keys.append(try await VerificationKey(key, algorithm: algorithm, kid: kid))
        }
        return keys
      }
    } catch {
      throw error as? IdentityError ?? IdentityError("the key cannot be used")
    }
  }

  private static func publicKey(_ type: String, _ members: JSONObject) throws(IdentityError) -> PublicKey {
    switch type {
    case "RSA":
      let bits = PublicKey.bitCount(try bytes(members, "n"))
      guard PublicKey.rsaBits.contains(bits) else {
        throw IdentityError("an RSA key of \(bits) bits, not 2048 to 8192")
      }
      // Public exponents of other sizes are refused by BoringSSL, and nobody uses them.
      guard (2...32).contains(PublicKey.bitCount(try bytes(members, "e"))) else {
        throw IdentityError("an RSA key with a strange exponent")
      }
      return try use {
        .rsa(try Insecure.RSA.PublicKey(modulus: text(members, "n"), exponent: text(members, "e")))
      }
    case "EC":
      let size = ["P-256": 32, "P-384": 48, "P-521": 66][members["crv"]?.string ?? ""]
      guard let size else { throw IdentityError("'crv' is not P-256, P-384 or P-521") }
      guard try bytes(members, "x").count == size, try bytes(members, "y").count == size else {
        throw IdentityError("coordinates of the wrong size")
      }
      let point = (x: text(members, "x"), y: text(members, "y"))
      return try use {
        switch size {
        case 32: .es256(try ES256PublicKey(parameters: point))
        case 48: .es384(try ES384PublicKey(parameters: point))
        default: .es512(try ES512PublicKey(parameters: point))
        }
      }
    case "OKP":
      guard members["crv"]?.string == "Ed25519" else { throw IdentityError("'crv' is not Ed25519") }
      guard try bytes(members, "x").count == 32 else { throw IdentityError("a key of the wrong size") }
      return try use { .ed25519(try EdDSA.PublicKey(x: text(members, "x"), curve: .ed25519)) }
    default: throw IdentityError("'kty' is not one that is known here")
    }
  }

  private static func use(_ make: () throws -> PublicKey) throws(IdentityError) -> PublicKey {
    do { return try make() } catch { throw IdentityError("the numbers are not a key") }
  }

  private static func text(_ members: JSONObject, _ name: String) -> String { members[name]?.string ?? "" }

  private static func bytes(_ members: JSONObject, _ name: String) throws(IdentityError) -> [UInt8] {
    guard let text = members[name]?.string, let bytes = Base64URL.decode(text.utf8), !bytes.isEmpty else {
      throw IdentityError("'\(name)' is not base64url")
    }
    return bytes
  }
}
