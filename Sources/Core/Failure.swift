// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// What went wrong, in the words that scripts, models and callers share.
public struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
  public struct Code: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    public static let notFound = Code(rawValue: "not_found")
    public static let invalidArguments = Code(rawValue: "invalid_arguments")
    public static let denied = Code(rawValue: "denied")
    public static let timeout = Code(rawValue: "timeout")
    public static let cancelled = Code(rawValue: "cancelled")
    public static let rateLimited = Code(rawValue: "rate_limited")
    public static let upstream = Code(rawValue: "upstream")
    public static let conflict = Code(rawValue: "conflict")
    public static let limit = Code(rawValue: "limit")
    public static let idempotencyKeyReused = Code(rawValue: "idempotency_key_reused")
    public static let rejected = Code(rawValue: "rejected")
    public static let `internal` = Code(rawValue: "internal")
  }

  public var code: Code { content.fields.code }
  /// One line that is safe to show to the caller: no secrets, prompts or tracebacks.
  public var message: String { content.fields.message }
  public var retryable: Bool { content.fields.retryable }
  public var detail: JSON? { content.fields.detail }
  /// Seconds after which a retry is worth it, where the cause named them.
  public var retryAfterSeconds: Double? { content.fields.retryAfterSeconds }
  /// File, line and traceback, or the provider's own words: for the log and the trace only.
  public var diagnostic: String? { content.fields.diagnostic }

  private struct Fields: Sendable, Hashable {
    let code: Code
    let message: String
    let retryable: Bool
    let detail: JSON?
    let retryAfterSeconds: Double?
    let diagnostic: String?
  }

  private final class Content: Sendable {
    let fields: Fields
    init(_ fields: Fields) { self.fields = fields }
  }

  // One reference wide: every call that may fail has room for a failure in its frame, and so has one that waits.
  private let content: Content

  public init(
    _ code: Code, _ message: String, retryable: Bool = false, detail: JSON? = nil,
    retryAfterSeconds: Double? = nil, diagnostic: String? = nil
  ) {
    content = Content(
      Fields(
        code: code, message: message, retryable: retryable, detail: detail,
        retryAfterSeconds: retryAfterSeconds, diagnostic: diagnostic))
  }

  public static func == (left: Failure, right: Failure) -> Bool {
    left.content.fields == right.content.fields
  }
  public func hash(into hasher: inout Hasher) { hasher.combine(content.fields) }

  public var description: String { "\(code): \(message)" }
}

extension Failure {
  /// The failure that stands for any error: itself, a cancellation, or ours.
  public init(_ error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case is CancellationError: self.init(.cancelled, "the run was cancelled")
    default: self.init(.internal, "something went wrong in the server", diagnostic: String(reflecting: error))
    }
  }
}

extension Failure.Code {
  private static let known: Set<Failure.Code> = [
    .notFound, .invalidArguments, .denied, .timeout, .cancelled, .rateLimited, .upstream, .conflict, .limit,
    .rejected, .internal,
  ]

  /// Whether the code is one of ours, not one that a script made up.
  public var isKnown: Bool { Self.known.contains(self) }

  /// The code, or `script` for one that a script made up: what counts or is shown elsewhere needs few values.
  public var metricLabel: String { isKnown ? rawValue : "script" }
}
