// SPDX-License-Identifier: Apache-2.0

/// Where requests on behalf of somebody else may go; asked for every hop and every address connected to.
public struct EgressPolicy: Sendable {
  /// What a URL names, before any name is looked up.
  public struct Destination: Sendable, Hashable {
    /// `http` or `https`.
    public let scheme: String
    /// Lower case; an IPv6 address in brackets, an IPv4 address with dots however it was written.
    public let host: String
    /// The scheme's own when the URL names none.
    public let port: Int

    public init(scheme: String, host: String, port: Int) {
      self.scheme = scheme
      self.host = host
      self.port = port
    }
  }

  /// False = only addresses of the public internet, whatever names lead to them.
  public let allowsPrivateAddresses: Bool
  private let allows: @Sendable (_ method: String, Destination) -> Bool

  /// - Parameter allows: Asked for the method and URL of the request and of every redirect; must not block.
  public init(
    allowsPrivateAddresses: Bool = false,
    allows: @escaping @Sendable (_ method: String, Destination) -> Bool = { _, _ in true }
  ) {
    self.allowsPrivateAddresses = allowsPrivateAddresses
    self.allows = allows
  }

  func check(_ method: String, _ destination: Destination) throws(TransportError) {
    guard allows(method, destination) else {
      throw TransportError(
        .denied, "\(method) to \(destination.host):\(destination.port) is not on the list of what is allowed")
    }
  }

  func allows(_ address: IPAddress?) -> Bool {
    allowsPrivateAddresses || (address?.isPublic ?? false)
  }
}
