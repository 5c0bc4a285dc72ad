// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Transport

/// A failed attempt: what it means, and whether another one makes sense.
final class ProviderFailure: Error {
  let error: ModelError
  let mayRetry: Bool
  /// Wait that the server asks for.
  let serverDelay: Duration?
  /// What it had answered before, of which the rest failed; `nil` = nothing.
  let part: AnswerPart?

  /// Bytes of the provider's own words that are kept for the log.
  static let diagnosticBytesMax = 2048

  /// Reads a response that is no answer.
  ///
  /// - Parameters:
  ///   - status: The one of the response, or the one that its body names.
  ///   - fault: What the body says.
  ///   - now: To count a date in `retry-after` from.
  init(
    status: Int, fault: ReplyFault?, headers: HTTPHeaders, body: [UInt8], provider: Provider, now: Timestamp
  ) {
    let isQuota = fault?.isQuota ?? false && [402, 429].contains(status)
    let delay = Self.delay(headers, now: now)
    serverDelay = delay
    part = nil
    let isTransient = ([408, 409, 429].contains(status) || status >= 500) && !isQuota
    mayRetry =
      switch headers["x-should-retry"] {
      case _ where (delay ?? .zero) > RetryPolicy.serverDelayMax: false
      case "true": true
      case "false": false
      default: isTransient
      }
    let (kind, what): (ModelError.Kind, String) =
      switch status {
      case 401, 403: (.unauthorized, "refuses the key")
      case 404: (.notFound, "does not know the model")
      case 408: (.timeout, "took too long")
      case 402,
        429 where isQuota:
        (.quotaExceeded, "has no quota left for the key")
      case 429: (.rateLimited, "limits the rate of requests")
      case 500...: (.server, "failed with status \(status)")
      case 400...: (.badRequest, "refuses the request with status \(status)")
      default: (.badReply, "answered with status \(status)")
      }
    error = ModelError(
      kind, "\(provider.name) \(what)", status: status, retryAfterSeconds: delay.map(\.seconds),
      diagnostic: provider.diagnostic(body))
  }

  /// A failure that another attempt would not mend.
  init(_ error: ModelError) {
    self.error = error
    mayRetry = false
    serverDelay = nil
    part = nil
  }

  private init(_ failure: ProviderFailure, after part: AnswerPart) {
    error = failure.error
    mayRetry = failure.mayRetry
    serverDelay = failure.serverDelay
    self.part = part
  }

  /// The same failure, in the middle of an answer.
  func after(_ part: AnswerPart) -> ProviderFailure { ProviderFailure(self, after: part) }

  /// Whether another model could do better: one that says the request is wrong is believed.
  var allowsAnotherModel: Bool { mayRetry || error.kind != .badRequest }

  /// Reads a failure on the way.
  init(_ failure: TransportError, provider: Provider) {
    let (kind, what, mayRetry): (ModelError.Kind, String, Bool) =
      switch failure.kind {
      case .timeout: (.timeout, "took too long", true)
      case .connect: (.connection, "cannot be reached", true)
      case .broken: (.connection, "broke the connection", true)
      case .tls: (.connection, "has a certificate that is not trusted", false)
      case .tooLarge: (.badReply, "sent too large a reply", false)
      case .badURL, .badRequest, .denied, .unbound: (.notConfigured, "has a wrong base URL or header", false)
      case .tooManyRedirects: (.badReply, "redirects without end", false)
      case .closed: (.connection, "cannot be reached: the server shuts down", false)
      }
    self.mayRetry = mayRetry
    serverDelay = nil
    part = failure.mayHaveBeenSent ? AnswerPart() : nil
    let diagnostic = [failure.message, failure.diagnostic].compactMap(\.self).joined(separator: ": ")
    error = ModelError(kind, "\(provider.name) \(what)", diagnostic: provider.redact(diagnostic))
  }

  /// Source: the official client's order, `retry-after-ms`, then `retry-after` in seconds or as a date.
  private static func delay(_ headers: HTTPHeaders, now: Timestamp) -> Duration? {
    var seconds: Double?
    if let text = headers["retry-after-ms"], let milliseconds = Double(text) {
      seconds = milliseconds / 1000
    } else if let text = headers["retry-after"] {
      seconds =
        Double(text)
        ?? Timestamp(httpDate: text).map { Double($0.milliseconds - now.milliseconds) / 1000 }
    }
    guard let seconds, seconds.isFinite, seconds > 0 else { return nil }
    return .seconds(min(seconds, 1e9))
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
