// SPDX-License-Identifier: Apache-2.0

/// Decides which traces are recorded: as the caller did, if it is asked, and of the others a share.
///
/// The share goes by the trace id's last 7 bytes, so that every process of a trace decides alike, and
/// whoever records more records what others do too. Source: OpenTelemetry, "TraceState: Probability
/// Sampling" (R >= T).
public struct Sampler: Sendable, Hashable {
  /// Of 2^56 trace ids so many are left out.
  private let threshold: UInt64
  /// Whether what the caller decided counts.
  private let followsParent: Bool

  /// What the specification has where nothing is said: all, but for what the caller does not record.
  public static let standard = Sampler(share: 1)

  /// - Parameter share: 0 = none, 1 = all; what lies outside is drawn to the nearer, and NaN is 0.
  public init(share: Double, followsParent: Bool = true) {
    let share = share > 0 ? min(share, 1) : 0
    threshold = UInt64(((1 - share) * 0x1p56).rounded())
    self.followsParent = followsParent
  }

  /// Reads `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`.
  ///
  /// - Parameters:
  ///   - name: `nil` and empty = `parentbased_always_on`.
  ///   - argument: Of the ratios, 0 to 1; `nil` and empty = 1. The others have none, and it is not looked at.
  /// - Throws: ``TelemetryError`` for a sampler that there is not here, and for what is no share.
  ///
  /// Source: OpenTelemetry specification, "Environment Variable Specification"; it would have what is wrong
  /// ignored, but then more is recorded than was meant, or less.
  public init(named name: String?, argument: String?) throws(TelemetryError) {
    let name = name.flatMap { $0.isEmpty ? nil : $0 } ?? "parentbased_always_on"
    let parentBased = "parentbased_"
    let followsParent = name.hasPrefix(parentBased)
    switch followsParent ? name.dropFirst(parentBased.count) : name[...] {
    case "always_on": self.init(share: 1, followsParent: followsParent)
    case "always_off": self.init(share: 0, followsParent: followsParent)
    case "traceidratio":
      self.init(share: try Self.share(argument ?? ""), followsParent: followsParent)
    default:
      throw TelemetryError(
        "OTEL_TRACES_SAMPLER names no sampler that there is here",
        hint: "always_on, always_off, traceidratio, or one of these after parentbased_")
    }
  }

  private static func share(_ text: String) throws(TelemetryError) -> Double {
    if text.isEmpty { return 1 }
    guard let share = Double(text), (0...1).contains(share) else {
      throw TelemetryError("OTEL_TRACES_SAMPLER_ARG is not a share", hint: "write a number from 0 to 1")
    }
    return share
  }

  /// Whether the trace is recorded.
  ///
  /// - Parameter parent: What the caller sent.
  public func isSampled(_ trace: TraceID, parent: TraceContext? = nil) -> Bool {
    if followsParent, let parent { return parent.isSampled }
    return trace.low & 0x00ff_ffff_ffff_ffff >= threshold
  }
}
