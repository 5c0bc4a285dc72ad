// SPDX-License-Identifier: Apache-2.0
import Core
import Crypto
import JSONCodec

/// How entries of the audit trail vouch for one another: each one's hash is that of its fields and of the hash before.
///
/// Who it was enters by a digest with a salt of its own, so that name and address can be forgotten without breaking
/// the chain, and are not to be guessed from what is left.
enum AuditChain {
  static let start = [UInt8](repeating: 0, count: SHA256.byteCount)

  static func digest(of actor: AuditEntry.Actor, salt: [UInt8]) -> [UInt8] {
    var bytes = salt
    bytes.append(field: actor.userID)
    bytes.append(field: actor.address)
    bytes.append(field: actor.keyID)
    return Array(SHA256.hash(data: bytes))
  }

  /// - Parameter actor: Its digest; `nil` = the server itself.
  static func hash(after previous: [UInt8], _ number: Int64, _ entry: AuditEntry, actor: [UInt8]?) -> [UInt8]
  {
    var bytes = previous
    bytes.reserveCapacity(512)
    bytes.append(bigEndian: number)
    bytes.append(bigEndian: entry.at.milliseconds)
    bytes.append(field: entry.action.rawValue)
    bytes.append(field: actor)
    bytes.append(field: entry.target)
    bytes.append(field: entry.runID)
    bytes.append(field: entry.agent)
    bytes.append(field: entry.version)
    bytes.append(field: entry.detail?.bytes)
    return Array(SHA256.hash(data: bytes))
  }

  static func newSalt() -> [UInt8] { random(16) }

  /// For ``text(_:by:)``.
  static func newKey() -> [UInt8] { random(SHA256.byteCount) }

  private static func random(_ count: Int) -> [UInt8] {
    var random = SystemRandomNumberGenerator()
    return (0..<count).map { _ in random.next() }
  }

  /// Equal for equal values, and without the key nobody can tell which they are.
  ///
  /// - Parameter code: With the key, and nothing else yet.
  static func text(_ digest: AuditEntry.Digest, by code: HMAC<SHA256>) -> String {
    var code = code
    withUnsafeBytes(of: digest.value.bigEndian) { code.update(data: $0) }
    return text(Array(code.finalize()).prefix(8))
  }

  /// In hexadecimal digits.
  static func text(_ hash: some Collection<UInt8>) -> String {
    String(unsafeUninitializedCapacity: hash.count * 2) { digits in
      var index = 0
      for byte in hash {
        digits[index] = digit(byte >> 4)
        digits[index + 1] = digit(byte & 15)
        index += 2
      }
      return index
    }
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }
}

extension [UInt8] {
  fileprivate mutating func append(bigEndian number: Int64) {
    Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
  }

  /// With its length before it, so that no two lists of fields look alike; -1 = there is none.
  fileprivate mutating func append(field: [UInt8]?) {
    append(bigEndian: Int64(field?.count ?? -1))
    if let field { append(contentsOf: field) }
  }

  fileprivate mutating func append(field: String?) {
    append(bigEndian: Int64(field?.utf8.count ?? -1))
    if let field { append(contentsOf: field.utf8) }
  }
}
