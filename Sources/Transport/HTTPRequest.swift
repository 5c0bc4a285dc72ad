// SPDX-License-Identifier: Apache-2.0

/// One outbound HTTP request.
public struct HTTPRequest: Sendable {
  public var method: String
  /// Absolute, `http` or `https`, without user name and password.
  public var url: String
  /// Sent as they are; those that frame the message (`Host`, `Content-Length`, …) are the client's own.
  public var headers: [(name: String, value: String)]
  /// Sent only where they may go: to another place the whole request is refused, a redirect goes there without.
  public var boundHeaders: [BoundHeader] = []
  /// `nil` = none, which is not the same as one of no bytes.
  public var body: HTTPBody?
  /// Until the connection stands, name look-up and TLS included.
  public var connectTimeout: Duration
  /// For everything, redirects included.
  public var timeout: Duration
  /// Longest silence of a connection in use; whole seconds, `nil` = only `timeout` counts.
  public var idleTimeout: Duration?
  /// Bytes of body after which the response is refused.
  public var responseBytesMax: Int
  /// `nil` = the operator's own request: any address, and the environment's proxy.
  public var egress: EgressPolicy?
  /// Redirects that are followed; 0 = a redirect is a response like another.
  public var redirectsMax: Int
  /// Whether the request may be sent again on a new connection when a kept one turns out to be closed.
  ///
  /// `nil` = as its method says (RFC 9110, 9.2.2): a `POST` is sent once.
  public var isIdempotent: Bool?

  /// A header with a secret in it.
  public struct BoundHeader: Sendable {
    let name: String
    let value: String
    let allows: @Sendable (EgressPolicy.Destination) -> Bool

    public init(
      name: String, value: String, allows: @escaping @Sendable (EgressPolicy.Destination) -> Bool
    ) {
      self.name = name
      self.value = value
      self.allows = allows
    }
  }

  public init(
    method: String = "GET", url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
    connectTimeout: Duration = .seconds(10), timeout: Duration = .seconds(30), idleTimeout: Duration? = nil,
    responseBytesMax: Int = 10 << 20, egress: EgressPolicy? = nil, redirectsMax: Int = 0,
    isIdempotent: Bool? = nil
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body.map { HTTPBody($0) }
    self.connectTimeout = connectTimeout
    self.timeout = timeout
    self.idleTimeout = idleTimeout
    self.responseBytesMax = responseBytesMax
    self.egress = egress
    self.redirectsMax = redirectsMax
    self.isIdempotent = isIdempotent
  }
}

extension HTTPRequest {
  /// Whether sending it twice is the same as sending it once. Source: RFC 9110, 9.2.2.
  var mayRepeat: Bool {
    isIdempotent ?? ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"].contains(method)
  }

  /// Headers of which a caller's own version could split or disguise the message.
  private static let framing: Set<String> = [
    "host", "content-length", "transfer-encoding", "connection", "proxy-connection", "keep-alive", "upgrade",
    "expect", "te", "trailer", "http2-settings",
  ]

  /// Every header that goes out, those with secrets too.
  var sentHeaders: [(name: String, value: String)] {
    boundHeaders.isEmpty ? headers : headers + boundHeaders.map { ($0.name, $0.value) }
  }

  /// Refuses what could not be sent as one well-formed message.
  func check() throws(TransportError) {
    guard method.isToken else { throw TransportError(.badRequest, "the method is not a token") }
    for (name, value) in sentHeaders {
      guard name.isToken else { throw TransportError(.badRequest, "a header's name is not a token") }
      guard !value.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) else {
        throw TransportError(.badRequest, "the header '\(name)' has a control character")
      }
      guard !Self.framing.contains(name.lowercased()) else {
        throw TransportError(.badRequest, "the header '\(name)' is set by the client itself")
      }
    }
  }
}

extension String {
  /// Source: RFC 9110, 5.6.2.
  var isToken: Bool {
    !isEmpty
      && utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
          UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
          UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
          true
        default: false
        }
      }
  }
}
