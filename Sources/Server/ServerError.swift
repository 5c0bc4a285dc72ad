// SPDX-License-Identifier: Apache-2.0

/// Why the server does not start.
public struct ServerError: Error, Sendable, Hashable, CustomStringConvertible {
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private enum Value: String {
      case publicWithoutAuthentication, addressInUse, addressNotAvailable, certificate, alias
    }

    private let value: Value

    public static let publicWithoutAuthentication = Code(value: .publicWithoutAuthentication)
    public static let addressInUse = Code(value: .addressInUse)
    public static let addressNotAvailable = Code(value: .addressNotAvailable)
    public static let certificate = Code(value: .certificate)
    public static let alias = Code(value: .alias)

    public var description: String { value.rawValue }
  }

  public let code: Code
  public let message: String
  /// What to do about it.
  public let hint: String

  init(_ code: Code, _ message: String, hint: String) {
    self.code = code
    self.message = message
    self.hint = hint
  }

  public var description: String { message }
}
