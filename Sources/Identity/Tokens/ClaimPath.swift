// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// Where a claim stands: `roles`, `realm_access.roles`, `https://example.com/roles`.
struct ClaimPath: Sendable {
  let name: String

  init(_ name: String) { self.name = name }

  /// The claim of that very name, else the one that the dots lead to: names that are URLs have dots of their
  /// own.
  func value(in claims: JSONObject) -> JSON? {
    if let value = claims[name] { return value }
    guard let dot = name.firstIndex(of: ".") else { return nil }
    guard case .object(let inner)? = claims[String(name[..<dot])] else { return nil }
    return ClaimPath(String(name[name.index(after: dot)...])).value(in: inner)
  }

  /// Writes the claim where ``value(in:)`` reads it; false when something else stands in its way.
  func write(_ value: JSON, into claims: inout JSONObject) -> Bool {
    guard let dot = name.firstIndex(of: "."), !name.contains("/") else {
      if claims[name] != nil { return false }
      claims.append(name, value)
      return true
    }
    let head = String(name[..<dot])
    var inner = JSONObject()
    switch claims[head] {
    case nil: break
    case .object(let object)?: inner = object
    default: return false
    }
    guard ClaimPath(String(name[name.index(after: dot)...])).write(value, into: &inner) else { return false }
    claims[head] = .object(inner)
    return true
  }
}
