// SPDX-License-Identifier: Apache-2.0

/// Names a trace: 16 bytes, never all zero. Source: W3C Trace Context, 3.2.2.3.
public struct TraceID: Sendable, Hashable, CustomStringConvertible {
  /// The first 8 bytes as a number, most significant first.
  public let high: UInt64
  public let low: UInt64

  /// - Returns: `nil` for zero, which is no id.
  public init?(high: UInt64, low: UInt64) {
    if high == 0 && low == 0 { return nil }
    self.high = high
    self.low = low
  }

  /// Reads 32 lower-case hexadecimal digits that are not all zero.
  public init?(hex: String) { self.init(hexDigits: hex.utf8) }

  init?(hexDigits digits: some Collection<UInt8>) {
    guard digits.count == 32, let high = UInt64(lowerHex: digits.prefix(16)),
      let low = UInt64(lowerHex: digits.dropFirst(16))
    else { return nil }
    self.init(high: high, low: low)
  }

  /// The trace of a run that no caller has put into a trace of its own.
  ///
  /// Derived, not drawn: whichever process goes on with the run after a crash finds the same trace, and no
  /// state need be kept. It is the 128-bit SipHash-2-4 of the run's id under a fixed key; it is as hard to
  /// guess as the run's id.
  public init(ofRun runID: String) {
    let (high, low) = SipHash.hash128(runID, key: Self.key)
    self.high = high
    // One text in 2^128; a trace must not be lost over it.
    self.low = high == 0 && low == 0 ? 1 : low
  }

  /// `perigee/trace-id` as two numbers, each least significant byte first.
  private static let key: (UInt64, UInt64) = (0x2f65_6567_6972_6570, 0x6469_2d65_6361_7274)

  /// 32 lower-case hexadecimal digits.
  public var hex: String { String(lowerHex: high, low) }
  public var description: String { hex }
}
