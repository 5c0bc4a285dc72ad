// SPDX-License-Identifier: Apache-2.0

/// One request of a chain of redirects: checked, and with what is left of the time.
final class Hop: Sendable {
  let request: HTTPRequest
  let url: HTTPURL
  private let deadline: ContinuousClock.Instant?
  private let redirectsLeft: Int

  /// - Throws: ``TransportError`` `badRequest` or `denied`.
  @inline(never) convenience init(_ request: HTTPRequest, to url: HTTPURL) throws(TransportError) {
    try request.check()
    try self.init(
      request, url, redirectsLeft: request.redirectsMax,
      deadline: request.redirectsMax > 0 ? .now + request.timeout : nil)
  }

  private init(
    _ request: HTTPRequest, _ url: HTTPURL, redirectsLeft: Int, deadline: ContinuousClock.Instant?
  ) throws(TransportError) {
    try request.egress?.check(request.method, url.destination)
    if let header = request.boundHeaders.first(where: { !$0.allows(url.destination) }) {
      throw TransportError(.unbound, "the secret in the header '\(header.name)' is not bound to this host")
    }
    self.request = request
    self.url = url
    self.redirectsLeft = redirectsLeft
    self.deadline = deadline
  }

  /// Headers that any host may see; every other one may hold a secret that was meant for the first host.
  private static let openHeaders: Set<String> = [
    "accept", "accept-language", "content-type", "content-language", "user-agent", "range",
  ]

  /// The request that a response sends us to; `nil` when it is the answer itself.
  ///
  /// - Throws: ``TransportError`` `tooManyRedirects`, `timeout`, or as ``init(_:to:)`` for the new place.
  @inline(never) func redirected(by status: Int, _ headers: HTTPHeaders) throws(TransportError) -> Hop? {
    guard request.redirectsMax > 0, [301, 302, 303, 307, 308].contains(status),
      let place = headers["location"]
    else { return nil }
    guard redirectsLeft > 0 else {
      throw TransportError(
        .tooManyRedirects, "more than \(request.redirectsMax) redirects", mayHaveBeenSent: true)
    }
    let url = try HTTPURL(place, relativeTo: self.url)
    var request = request
    // Source: RFC 9110, 15.4: 303 asks for a GET, and everybody reads 301 and 302 after a POST that way.
    if status == 303 && request.method != "HEAD"
      || (status == 301 || status == 302) && request.method == "POST"
    {
      request.method = "GET"
      request.body = nil
      request.isIdempotent = nil
      request.headers.removeAll { ["content-type", "content-language"].contains($0.name.lowercased()) }
    }
    if url.destination != self.url.destination {
      request.headers.removeAll { !Self.openHeaders.contains($0.name.lowercased()) }
      request.boundHeaders = []
    }
    if let deadline {
      request.timeout = deadline - .now
      guard request.timeout > .zero else {
        throw TransportError(.timeout, "no answer came in time", mayHaveBeenSent: true)
      }
    }
    return try Hop(request, url, redirectsLeft: redirectsLeft - 1, deadline: deadline)
  }
}
