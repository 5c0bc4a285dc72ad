// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// What happened in a run, as its journal tells it.
public struct RunTrace: Sendable {
  public struct Span: Sendable {
    public enum Status: String, Sendable {
      case ok, failed
      /// Begun, and nobody has seen it end.
      case open
    }

    /// As ``JournalEntry/key``.
    public var key: String
    public var name: String
    public var status: Status
    public var startedAt: Timestamp
    public var durationMilliseconds: Double
    public var arguments: RawJSON?
    public var result: RawJSON?
    public var failure: Failure?
    /// Of a model's call.
    public var usage: Usage?

    /// How many calls it lies within.
    public var depth: Int { key.utf8.count { $0 == UInt8(ascii: "/") } }
  }

  public var run: RunRecord
  /// In the order in which they began.
  public var spans: [Span]
  /// The latest first.
  public var feedback: [Feedback] = []

  public init(run: RunRecord, journal: [JournalEntry]) {
    self.run = run
    // Of those that began in the same millisecond, the one that was written first.
    spans = journal.filter { $0.name != JournalCall.acted }
      .sorted { ($0.startedAt, $0.number) < ($1.startedAt, $1.number) }.map(Span.init)
  }
}

extension RunTrace {
  /// Leaves what was called, when, and how it ended.
  public mutating func hideContent() {
    for index in spans.indices where !spans[index].isDecision { spans[index].hideContent() }
  }
}

extension RunTrace.Span {
  /// Whether guards decided something.
  fileprivate var isDecision: Bool { name == JournalCall.guardrail }

  fileprivate mutating func hideContent() {
    arguments = nil
    result = nil
    failure = failure.map { Failure($0.code, "\($0.code)", retryable: $0.retryable) }
  }

  init(_ entry: JournalEntry) {
    key = entry.key
    name = entry.name
    startedAt = entry.startedAt
    durationMilliseconds = entry.durationMilliseconds
    arguments = entry.arguments
    switch entry.outcome {
    case .result(let json):
      status = .ok
      // Of what guards decided it tells which rules it was, and nothing of what they saw.
      result = name == JournalCall.guardrail ? GuardedReading.removed(from: json) : json
    case .failed(let failure):
      status = .failed
      self.failure = failure
    case nil: status = .open
    }
    if name == "model", let reply = modelReply {
      name = "model \(reply.model)"
      usage = reply.usage
    }
  }

  /// What a model answered; `nil` = it is another call, or failed.
  public var modelReply: ModelReply? {
    name.hasPrefix("model") ? result.flatMap { try? $0.value() }.flatMap(ModelReply.init(json:)) : nil
  }
}
