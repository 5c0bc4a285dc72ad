// SPDX-License-Identifier: Apache-2.0

/// Lets one complaint through a minute; a value that is told the time.
struct Complaints: Sendable, Hashable {
  static let interval = Duration.seconds(60)

  private var toldAt: Duration?
  private var withheld = 0

  /// - Returns: How many were withheld since the last one; `nil` when this one is withheld too.
  mutating func admit(at now: Duration) -> Int? {
    if let toldAt, now - toldAt < Self.interval {
      withheld += 1
      return nil
    }
    toldAt = now
    defer { withheld = 0 }
    return withheld
  }
}
