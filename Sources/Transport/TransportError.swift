// SPDX-License-Identifier: Apache-2.0

/// Why a request brought no response.
public struct TransportError: Error, Sendable, CustomStringConvertible {
  public enum Kind: String, Sendable, Hashable {
    /// No connection: the name is unknown, or nobody answers there.
    case connect
    case timeout
    /// The body or the headers are larger than allowed.
    case tooLarge = "too_large"
    /// The egress policy refuses the host or its address.
    case denied
    /// A header of the request may not go there.
    case unbound
    /// The certificate is not trusted, or the TLS handshake failed.
    case tls
    case badURL = "bad_url"
    /// A method or header that cannot be sent.
    case badRequest = "bad_request"
    /// The connection broke, or what came is not HTTP.
    case broken
    case tooManyRedirects = "too_many_redirects"
    /// The client was shut down.
    case closed
  }

  public let kind: Kind
  /// One line without URL, address or headers.
  public let message: String
  /// False when nothing of the request can have reached the server: a retry cannot repeat an effect.
  public let mayHaveBeenSent: Bool
  /// What libcurl says, with host and address: for the log only.
  public let diagnostic: String?

  public init(_ kind: Kind, _ message: String, mayHaveBeenSent: Bool = false, diagnostic: String? = nil) {
    self.kind = kind
    self.message = message
    self.mayHaveBeenSent = mayHaveBeenSent
    self.diagnostic = diagnostic
  }

  public var description: String { message }
}
