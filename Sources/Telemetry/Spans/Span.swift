// SPDX-License-Identifier: Apache-2.0

/// Something that was done, when it began and when it ended.
///
/// Times are nanoseconds since 1970 UTC, on the wall clock; after a step of the clock the end may lie
/// before the start.
public struct Span: Sendable, Hashable {
  /// Source: opentelemetry-proto, `Span.SpanKind`.
  public enum Kind: Int, Sendable, Hashable, CaseIterable {
    case `internal` = 1
    case server = 2
    case client = 3
    case producer = 4
    case consumer = 5
  }

  public enum Status: Sendable, Hashable {
    case unset
    case ok
    case error(String)
  }

  public var traceID: TraceID
  public var spanID: SpanID
  /// `nil` for the one at the root.
  public var parentID: SpanID?
  /// Whether the parent is another process's, which has sent its context.
  public var isParentRemote = false
  public var flags = TraceFlags.sampled
  public var traceState = ""
  /// Of low cardinality: `chat gpt-5`, not the prompt.
  public var name: String
  public var kind: Kind
  public var startUnixNanoseconds: Int64
  public var endUnixNanoseconds: Int64
  public var attributes: Attributes
  public var status = Status.unset

  public init(
    _ name: String, kind: Kind = .internal, traceID: TraceID, spanID: SpanID, parentID: SpanID? = nil,
    start startUnixNanoseconds: Int64, end endUnixNanoseconds: Int64, attributes: Attributes = [:]
  ) {
    self.name = name
    self.kind = kind
    self.traceID = traceID
    self.spanID = spanID
    self.parentID = parentID
    self.startUnixNanoseconds = startUnixNanoseconds
    self.endUnixNanoseconds = endUnixNanoseconds
    self.attributes = attributes
  }

  /// The context of this span, for what is called on its behalf.
  public var context: TraceContext {
    TraceContext(traceID: traceID, spanID: spanID, flags: flags, traceState: traceState)
  }
}
