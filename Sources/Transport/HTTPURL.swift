// SPDX-License-Identifier: Apache-2.0
import CCurl

/// A URL as libcurl itself reads it, so that what is checked is what is connected to.
struct HTTPURL {
  let text: String
  let destination: EgressPolicy.Destination

  /// Reads an absolute URL, or one relative to `base`.
  ///
  /// - Throws: ``TransportError`` `badURL` for other schemes than http and https, and for credentials.
  init(_ text: String, relativeTo base: HTTPURL? = nil) throws(TransportError) {
    guard !text.utf8.contains(0), let handle = curl_url() else {
      throw TransportError(.badURL, "the URL is not valid")
    }
    defer { curl_url_cleanup(handle) }
    var code = CURLUE_OK
    if let base { code = curl_url_set(handle, CURLUPART_URL, base.text, 0) }
    if code == CURLUE_OK {
      // Servers send spaces and UTF-8 in `Location`; a caller's own URL has to be right.
      let flags = CURLU_DISALLOW_USER | (base == nil ? 0 : CURLU_URLENCODE)
      code = curl_url_set(handle, CURLUPART_URL, text, UInt32(flags))
    }
    switch code {
    case CURLUE_OK: break
    case CURLUE_USER_NOT_ALLOWED: throw TransportError(.badURL, "the URL has a user name or a password")
    case CURLUE_UNSUPPORTED_SCHEME: throw TransportError(.badURL, "the URL is not http or https")
    default: throw TransportError(.badURL, "the URL is not valid")
    }
    guard let scheme = Self.part(CURLUPART_SCHEME, of: handle)?.lowercased(),
      let host = Self.part(CURLUPART_HOST, of: handle)?.lowercased(), !host.isEmpty,
      let port = Self.part(CURLUPART_PORT, of: handle, UInt32(CURLU_DEFAULT_PORT)).flatMap({ Int($0) }),
      let whole = Self.part(CURLUPART_URL, of: handle)
    else { throw TransportError(.badURL, "the URL is not valid") }
    guard scheme == "http" || scheme == "https" else {
      throw TransportError(.badURL, "the URL is not http or https")
    }
    self.text = whole
    destination = EgressPolicy.Destination(scheme: scheme, host: host, port: port)
  }

  private static func part(_ part: CURLUPart, of handle: OpaquePointer, _ flags: UInt32 = 0) -> String? {
    var text: UnsafeMutablePointer<CChar>?
    guard curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text else { return nil }
    defer { curl_free(text) }
    return String(cString: text)
  }
}
