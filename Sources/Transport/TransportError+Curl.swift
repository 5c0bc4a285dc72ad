// SPDX-License-Identifier: Apache-2.0
import CCurl

extension TransportError {
  /// Translates how libcurl ended a transfer.
  init(_ code: CURLcode, _ handle: EasyHandle) {
    if let refusal = handle.transfer?.refusal {
      self = refusal
      return
    }
    let (kind, message): (Kind, String) =
      switch code {
      case CURLE_COULDNT_RESOLVE_HOST: (.connect, "the host's name is unknown")
      case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_PROXY, CURLE_INTERFACE_FAILED:
        (.connect, "the host cannot be reached")
      case CURLE_OPERATION_TIMEDOUT: (.timeout, "no answer came in time")
      case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
        CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS,
        CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        (.tls, "the host's certificate is not trusted or TLS failed")
      case CURLE_URL_MALFORMAT: (.badURL, "the URL is not valid")
      default: (.broken, "the connection broke")
      }
    self.init(
      kind, message, mayHaveBeenSent: handle.transfer?.isSent ?? false, diagnostic: handle.diagnostic(code))
  }
}
