// SPDX-License-Identifier: Apache-2.0

/// What the operator has to mend: a key that cannot be used, a rule that contradicts itself.
public struct IdentityError: Error, Sendable, Hashable, CustomStringConvertible {
  /// One line without key material.
  public let message: String
  /// How to mend it.
  public let hint: String?

  init(_ message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
  }

  static let noTenants = IdentityError(
    "there are no tenants here", hint: "set auth.jwt.tenant_claim to the claim that names a token's")

  public var description: String { message }
}
