// SPDX-License-Identifier: Apache-2.0

/// Decides which traces are recorded: as the caller did, and of the others a share.
///
/// The share goes by the trace id's last 7 bytes, so that every process of a trace decides alike, and
/// whoever records more records what others do too. Source: OpenTelemetry, "TraceState: Probability
/// Sampling" (R >= T).
public struct Sampler: Sendable, Hashable {
  /// Of 2^56 trace ids so many are left out.
  private let threshold: UInt64

  public static let always = ratio(1)
  public static let never = ratio(0)

  /// - Parameter share: 0 = none, 1 = all; what lies outside is drawn to the nearer, and NaN is 0.
  public static func ratio(_ share: Double) -> Sampler {
    let share = share > 0 ? min(share, 1) : 0
    return Sampler(threshold: UInt64(((1 - share) * 0x1p56).rounded()))
  }

  /// Whether the trace is recorded.
  ///
  /// - Parameter parent: What the caller sent; it has decided already.
  public func isSampled(_ trace: TraceID, parent: TraceContext? = nil) -> Bool {
    parent?.isSampled ?? (trace.low & 0x00ff_ffff_ffff_ffff >= threshold)
  }
}
