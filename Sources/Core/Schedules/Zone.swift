// SPDX-License-Identifier: Apache-2.0

/// A time zone: what its clocks show.
public struct Zone: Sendable, Hashable {
  public static let utc = Zone(name: "UTC") { _ in 0 }

  /// As in the IANA time zone database, `Europe/Zurich`.
  public let name: String
  /// Seconds by which its clocks are ahead of UTC.
  private let offset: @Sendable (Timestamp) -> Int64

  public init(name: String, offset: @escaping @Sendable (Timestamp) -> Int64) {
    self.name = name
    self.offset = offset
  }

  public static func == (left: Zone, right: Zone) -> Bool { left.name == right.name }
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }

  /// Seconds by which its clocks are ahead of UTC at a moment, in seconds since 1970.
  func offset(at seconds: Int64) -> Int64 { offset(Timestamp(milliseconds: seconds * 1000)) }

  /// When its clocks show a time, given in seconds since 1970 as if they showed UTC: of two such moments the first. A
  /// time that they skip is as much later as they are put forward.
  func moment(showing local: Int64) -> Int64 {
    let before = offset(at: local - 86_400)
    let after = offset(at: local + 86_400)
    for offset in before > after ? [before, after] : [after, before]
    where self.offset(at: local - offset) == offset { return local - offset }
    return local - before
  }
}
