// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Models

@Suite struct MinuteBudgetTests {
  typealias Amount = MinuteBudget.Amount

  static func book(
    _ budget: inout MinuteBudget, tokens: Int = 0, at now: Double = 0, before end: Double = 10_000
  ) -> Double {
    switch budget.book(Amount(requests: 1, tokens: tokens), at: .seconds(now), before: .seconds(end)) {
    case .success(let booking): booking.at / .seconds(1)
    case .failure(let late): -(late.wait / .seconds(1))
    }
  }

  @Test("as many go at once as the minute has, the next when the first are a minute old")
  func requests() {
    var budget = MinuteBudget(limit: Amount(requests: 2))
    #expect((1...5).map { _ in Self.book(&budget) } == [0, 0, 61, 61, 122])
  }

  @Test("in no minute are there more than the limit")
  func anyMinute() {
    var budget = MinuteBudget(limit: Amount(requests: 7))
    var times: [Double] = []
    for step in 0..<400 { times.append(Self.book(&budget, at: Double(step) * 1.7, before: 1e6)) }
    for time in times { #expect(times.filter { $0 >= time && $0 < time + 60 }.count <= 7) }
    #expect(times == times.sorted())
  }

  @Test("tokens count beside requests, and nobody overtakes one who needs more of them")
  func tokens() {
    var budget = MinuteBudget(limit: Amount(requests: 100, tokens: 1000))
    #expect(Self.book(&budget, tokens: 900) == 0)
    #expect(Self.book(&budget, tokens: 200) == 61)
    #expect(Self.book(&budget, tokens: 10) == 61)
  }

  @Test("more than the whole limit goes alone")
  func tooMuch() {
    var budget = MinuteBudget(limit: Amount(tokens: 1000))
    #expect(Self.book(&budget, tokens: 5000) == 0)
    #expect(Self.book(&budget, tokens: 1) == 61)
  }

  @Test("what would come too late is not begun, and takes nobody's place")
  func tooLate() {
    var budget = MinuteBudget(limit: Amount(requests: 1))
    #expect(Self.book(&budget) == 0)
    #expect(Self.book(&budget, before: 30) == -61)
    #expect(Self.book(&budget, before: 62) == 61)
  }

  @Test("who gives up makes room")
  func cancel() throws {
    var budget = MinuteBudget(limit: Amount(requests: 1))
    _ = Self.book(&budget)
    var bookings: [MinuteBudget.Booking] = []
    for _ in 0..<3 {
      bookings.append(
        try budget.book(Amount(requests: 1), at: .zero, before: .seconds(1000)).get())
    }
    #expect(bookings.map(\.at) == [61, 122, 183].map { .seconds($0) })
    for booking in bookings { budget.cancel(booking) }
    #expect(Self.book(&budget, at: 1) == 61)
  }

  @Test("what was not needed of a guess is there for others")
  func settle() throws {
    var budget = MinuteBudget(limit: Amount(tokens: 1000))
    let booking = try budget.book(Amount(requests: 1, tokens: 900), at: .zero, before: .seconds(1)).get()
    budget.settle(booking, tokens: 100)
    #expect(Self.book(&budget, tokens: 900) == 0)
    #expect(Self.book(&budget, tokens: 1) == 61)
  }
}
