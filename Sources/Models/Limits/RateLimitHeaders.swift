// SPDX-License-Identifier: Apache-2.0
import Core
import Transport

/// What a response says about how much more may be asked.
///
/// Source: OpenAI guide, rate limits (`x-ratelimit-…`, durations); Anthropic API reference, rate limits
/// (`anthropic-ratelimit-…`, times).
struct RateLimitHeaders: Sendable, Hashable {
  struct Window: Sendable, Hashable {
    var limit: Int?
    var remaining: Int
    /// Until there is as much as at the beginning again.
    var reset: Duration
  }

  var requests: Window?
  var tokens: Window?

  /// - Returns: `nil` when nothing usable is said.
  init?(_ headers: HTTPHeaders, now: Timestamp) {
    requests =
      Window(headers, "x-ratelimit-", "requests", isSuffix: true, now)
      ?? Window(headers, "anthropic-ratelimit-", "requests", isSuffix: false, now)
    tokens =
      Window(headers, "x-ratelimit-", "tokens", isSuffix: true, now)
      ?? Window(headers, "anthropic-ratelimit-", "tokens", isSuffix: false, now)
    if requests == nil, tokens == nil { return nil }
  }
}

extension RateLimitHeaders.Window {
  fileprivate init?(
    _ headers: HTTPHeaders, _ prefix: String, _ what: String, isSuffix: Bool, _ now: Timestamp
  ) {
    func value(_ field: String) -> String? {
      headers[isSuffix ? "\(prefix)\(field)-\(what)" : "\(prefix)\(what)-\(field)"]
    }
    guard let text = value("remaining"), let remaining = Int(text), remaining >= 0 else { return nil }
    let reset =
      value("reset").flatMap { text in
        Duration(rateLimitReset: text)
          ?? Timestamp(parsing: text).map { .milliseconds($0.milliseconds - now.milliseconds) }
      } ?? .zero
    // Nothing left and no time at which there will be: some servers send that, and it means nothing.
    guard reset > .zero else { return nil }
    // -1 stands for no limit.
    self.init(
      limit: value("limit").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }, remaining: remaining,
      reset: reset)
  }
}

extension Duration {
  /// Reads `12ms`, `1s`, `6m0s`, `1h2m3.5s`, or a number of seconds; `nil` for everything else and beyond a week.
  init?(rateLimitReset text: String) {
    var rest = text[...]
    var seconds = 0.0
    repeat {
      let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
      guard let number = Double(digits) else { return nil }
      rest = rest.dropFirst(digits.count)
      let unit = rest.prefix { $0.isASCII && $0.isLetter }
      rest = rest.dropFirst(unit.count)
      switch unit {
      case "ms": seconds += number / 1000
      case "s": seconds += number
      case "m": seconds += number * 60
      case "h": seconds += number * 3600
      case "d": seconds += number * 86_400
      case "" where digits.count == text.count: seconds = number
      default: return nil
      }
    } while !rest.isEmpty
    guard seconds <= 604_800 else { return nil }
    self = .seconds(seconds)
  }
}
