// SPDX-License-Identifier: Apache-2.0

/// Names a span within its trace: 8 bytes, never all zero. Source: W3C Trace Context, 3.2.2.4.
public struct SpanID: Sendable, Hashable, CustomStringConvertible {
  /// The bytes as a number, most significant first.
  public let value: UInt64

  /// - Returns: `nil` for zero, which is no id.
  public init?(_ value: UInt64) {
    if value == 0 { return nil }
    self.value = value
  }

  /// Reads 16 lower-case hexadecimal digits that are not all zero.
  public init?(hex: String) { self.init(hexDigits: hex.utf8) }

  init?(hexDigits digits: some Collection<UInt8>) {
    guard digits.count == 16, let value = UInt64(lowerHex: digits) else { return nil }
    self.init(value)
  }

  /// The span of what `key` names, the same in whichever process makes it.
  ///
  /// A run may be continued by another process; a child that it ends must still point at the parent that
  /// the first one had named. It is the SipHash-2-4 of the key's UTF-8 bytes; the key of the hash is the
  /// trace id, `high` first.
  ///
  /// - Parameter key: Names one thing of the trace, `run_1/turn/3` say; of any length.
  public init(of key: String, in trace: TraceID) {
    let hash = SipHash.hash64(key, key: (trace.high, trace.low))
    // One key in 2^64; a span must not be lost over it.
    value = hash == 0 ? 1 : hash
  }

  /// 16 lower-case hexadecimal digits.
  public var hex: String { String(lowerHex: value) }
  public var description: String { hex }
}
