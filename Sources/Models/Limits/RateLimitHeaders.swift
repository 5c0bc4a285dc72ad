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

  /// What the headers are called.
  struct Names: Sendable {
    fileprivate let requests: Fields
    fileprivate let tokens: Fields

    fileprivate struct Fields: Sendable {
      let limit: String
      let remaining: String
      let reset: String
    }

    /// `name` gives a header's name for a field of a count.
    private init(_ name: (_ field: String, _ count: String) -> String) {
      func fields(_ count: String) -> Fields {
        Fields(limit: name("limit", count), remaining: name("remaining", count), reset: name("reset", count))
      }
      requests = fields("requests")
      tokens = fields("tokens")
    }

    static let openAI = Names { "x-ratelimit-\($0)-\($1)" }
    static let anthropic = Names { "anthropic-ratelimit-\($1)-\($0)" }
  }

  var requests: Window?
  var tokens: Window?

  /// - Returns: `nil` when nothing usable is said.
  init?(_ headers: HTTPHeaders, _ names: Names, now: Timestamp) {
    requests = Window(headers, names.requests, now)
    tokens = Window(headers, names.tokens, now)
    if requests == nil, tokens == nil { return nil }
  }
}

extension RateLimitHeaders.Window {
  fileprivate init?(_ headers: HTTPHeaders, _ names: RateLimitHeaders.Names.Fields, _ now: Timestamp) {
    guard let text = headers[names.remaining], let remaining = Int(text), remaining >= 0 else { return nil }
    let reset =
      headers[names.reset].flatMap { text in
        Duration(rateLimitReset: text)
          ?? Timestamp(parsing: text).map { .milliseconds($0.milliseconds - now.milliseconds) }
      } ?? .zero
    // Nothing left and no time at which there will be: some servers send that, and it means nothing.
    guard reset > .zero else { return nil }
    // -1 stands for no limit.
    self.init(
      limit: headers[names.limit].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }, remaining: remaining,
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
