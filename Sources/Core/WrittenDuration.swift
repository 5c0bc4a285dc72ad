// SPDX-License-Identifier: Apache-2.0

/// A time as scripts write it: `90s`, `15m`, `48h`, `7d`.
public struct WrittenDuration: Sendable, Hashable {
  /// A year.
  public static let secondsMax = 365 * 86_400.0

  public let duration: Duration

  /// `nil` when it is something else, nothing, or more than a year.
  public init?(_ text: String) {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    guard let unit = text.last.flatMap({ units[$0] }), let count = Double(text.dropLast()),
      text.dropLast().allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") })
    else { return nil }
    let seconds = count * unit
    guard seconds > 0, seconds <= Self.secondsMax else { return nil }
    duration = .seconds(seconds)
  }
}
