// SPDX-License-Identifier: Apache-2.0

/// Place in a trace: what a caller sends along, and what its callee sends on.
///
/// Source: W3C Trace Context, level 1 (2021) and level 2. MCP carries the same texts in `_meta`.
public struct TraceContext: Sendable, Hashable {
  /// Of what is measured now, where that is recorded: histograms keep it as an example of theirs.
  @TaskLocal public static var measured: TraceContext?

  public var traceID: TraceID
  /// The span of whoever sends the context: the parent of what its receiver begins.
  public var spanID: SpanID
  public var flags: TraceFlags
  /// Up to 512 bytes of printable ASCII, passed on as they came; empty when there are none.
  public private(set) var traceState: String

  /// - Parameter traceState: A malformed list is dropped.
  public init(traceID: TraceID, spanID: SpanID, flags: TraceFlags = .sampled, traceState: String = "") {
    self.traceID = traceID
    self.spanID = spanID
    self.flags = flags.intersection(.known)
    self.traceState = TraceState.normalized(traceState) ?? ""
  }

  /// Reads what a caller has sent.
  ///
  /// Version 00 has 55 characters and not one more. A later version may go on after another `-`; of its
  /// flags only `sampled` counts, and it is sent on as version 00.
  ///
  /// - Parameters:
  ///   - traceparent: `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`.
  ///   - tracestate: `k=v,k2=v2`; several header lines are joined by commas first. A malformed list is
  ///     dropped, and the parent stays.
  /// - Returns: `nil` for anything else, all-zero ids and capital digits included: the trace then begins
  ///   here.
  public init?(traceparent: String, tracestate: String? = nil) {
    let bytes = traceparent.utf8
    guard (Self.length...Self.lengthMax).contains(bytes.count) else { return nil }
    let text = Array(bytes)
    let dash = UInt8(ascii: "-")
    guard text[2] == dash, text[35] == dash, text[52] == dash,
      let version = UInt64(lowerHex: text[0..<2]), version != 0xff,
      text.count == Self.length || (version > 0 && text[Self.length] == dash),
      let traceID = TraceID(hexDigits: text[3..<35]), let spanID = SpanID(hexDigits: text[36..<52]),
      let flags = UInt64(lowerHex: text[53..<55])
    else { return nil }
    let known: TraceFlags = version == 0 ? .known : .sampled
    self.init(
      traceID: traceID, spanID: spanID,
      flags: TraceFlags(rawValue: UInt8(truncatingIfNeeded: flags)).intersection(known),
      traceState: tracestate ?? "")
  }

  private static let length = 55
  /// Bytes of a later version that are looked at; who sends more is no tracing system.
  private static let lengthMax = 512

  /// Does something whose measurements this trace is an example of, if it is recorded.
  public func measuring<Value>(_ body: () throws -> Value) rethrows -> Value {
    isSampled ? try Self.$measured.withValue(self, operation: body) : try body()
  }

  public var isSampled: Bool { flags.contains(.sampled) }

  /// The header's value in version 00, 55 characters.
  public var traceparent: String {
    let flags = String(lowerHex: UInt64(flags.rawValue)).suffix(2)
    return "00-\(traceID.hex)-\(spanID.hex)-\(flags)"
  }

  /// The context that a span of this trace sends on.
  public func with(_ spanID: SpanID, isSampled: Bool) -> TraceContext {
    var context = self
    context.spanID = spanID
    context.flags.remove(.sampled)
    if isSampled { context.flags.insert(.sampled) }
    return context
  }
}
