// SPDX-License-Identifier: Apache-2.0

/// What may be asked of a provider in any 60 seconds, and what is promised to those that wait.
///
/// Whoever comes is given a time: the first at which what was spent and promised before leaves room. Times never go
/// back while somebody waits, so nobody is overtaken. Counts by the second, so a promise is up to a second late.
struct MinuteBudget: Sendable {
  struct Amount: Sendable, Hashable {
    var requests = 0
    var tokens = 0

    static func + (left: Amount, right: Amount) -> Amount {
      Amount(requests: left.requests + right.requests, tokens: left.tokens + right.tokens)
    }
    static func - (left: Amount, right: Amount) -> Amount {
      Amount(requests: left.requests - right.requests, tokens: left.tokens - right.tokens)
    }
  }

  /// A place in the budget.
  struct Booking: Sendable, Hashable {
    let second: Int64
    let amount: Amount
    /// When the request may go.
    let at: Duration
    fileprivate let isWaiting: Bool
  }

  private struct Slot: Sendable {
    let second: Int64
    var used = Amount()
    /// Bookings here that are still waited for.
    var waiting = 0
  }

  /// 0 = no limit.
  let limit: Amount
  /// In the order of time; none without a use.
  private var slots: [Slot] = []

  init(limit: Amount) { self.limit = limit }

  /// Gives the first time at which there is room.
  ///
  /// What is more than the whole limit is given a minute of its own: no waiting would make room for it.
  /// - Parameter end: A place after this is not taken.
  /// - Returns: The place, or how long it would have taken.
  /// - Complexity: O(1) amortized: a minute has 60 slots.
  mutating func book(
    _ wanted: Amount, at now: Duration, before end: Duration
  ) -> Result<Booking, TooLate> {
    let second = Self.second(of: now)
    slots.removeAll { $0.second <= second - 61 && $0.waiting == 0 }
    let amount = Amount(
      requests: wanted.requests, tokens: limit.tokens > 0 ? min(wanted.tokens, limit.tokens) : wanted.tokens)
    // Behind everybody who waits.
    var at = max(second, slots.last { $0.waiting > 0 }?.second ?? second)
    while !hasRoom(for: amount, in: at) {
      // The next time at which something is a minute old.
      guard let oldest = slots.first(where: { $0.second > at - 61 && $0.used != Amount() }) else { break }
      at = oldest.second + 61
    }
    let time = at == second ? now : Duration.seconds(at)
    guard time < end || time == now else { return .failure(TooLate(wait: time - now)) }
    let index = index(of: at)
    slots[index].used = slots[index].used + amount
    if time > now { slots[index].waiting += 1 }
    return .success(Booking(second: at, amount: amount, at: time, isWaiting: time > now))
  }

  struct TooLate: Error, Hashable {
    let wait: Duration
  }

  /// The wait is over.
  mutating func start(_ booking: Booking) {
    guard booking.isWaiting else { return }
    if let index = slots.firstIndex(where: { $0.second == booking.second }) { slots[index].waiting -= 1 }
  }

  /// Nobody waits any more, and nothing is sent.
  mutating func cancel(_ booking: Booking) {
    start(booking)
    change(booking, by: Amount() - booking.amount)
  }

  /// The request took so many tokens, not those that were booked.
  mutating func settle(_ booking: Booking, tokens: Int) {
    change(booking, by: Amount(tokens: tokens - booking.amount.tokens))
  }

  private mutating func change(_ booking: Booking, by amount: Amount) {
    guard let index = slots.firstIndex(where: { $0.second == booking.second }) else { return }
    slots[index].used = slots[index].used + amount
  }

  /// Whether the minute that ends with this second has room.
  private func hasRoom(for amount: Amount, in second: Int64) -> Bool {
    let used = slots.lazy.filter { $0.second > second - 61 && $0.second <= second }.map(\.used)
      .reduce(Amount(), +)
    return (limit.requests == 0 || used.requests + amount.requests <= limit.requests)
      && (limit.tokens == 0 || used.tokens + amount.tokens <= limit.tokens || used.tokens <= 0)
  }

  private mutating func index(of second: Int64) -> Int {
    let index = slots.firstIndex { $0.second >= second } ?? slots.endIndex
    if index == slots.endIndex || slots[index].second != second {
      slots.insert(Slot(second: second), at: index)
    }
    return index
  }

  private static func second(of time: Duration) -> Int64 { time.components.seconds }
}
