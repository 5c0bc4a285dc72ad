// SPDX-License-Identifier: Apache-2.0

/// What is known of a trace as a whole. Source: W3C Trace Context level 2, 3.2.2.5.
public struct TraceFlags: OptionSet, Sendable, Hashable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The caller may have recorded it, and so should the callee.
  public static let sampled = TraceFlags(rawValue: 1)
  /// The last 7 bytes of the trace id were chosen at random (level 2).
  public static let random = TraceFlags(rawValue: 2)

  /// Those that are defined; the others must be zero when sent.
  static let known: TraceFlags = [.sampled, .random]
}
