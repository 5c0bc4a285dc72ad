// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Identity

@Suite("When published keys are fetched")
struct RefreshScheduleTests {
  private func loaded(maxAge: Duration?) -> RefreshSchedule {
    var schedule = RefreshSchedule()
    schedule.began(at: .zero)
    schedule.succeeded(began: .zero, maxAge: maxAge)
    return schedule
  }

  @Test(
    "after four fifths of max-age, which is kept between a minute and a day",
    arguments: [
      (nil, 480), (.seconds(100), 80), (.zero, 48), (.seconds(-5), 48), (.seconds(1), 48),
      (.seconds(365 * 86_400), 69_120), (.seconds(86_400), 69_120),
    ] as [(Duration?, Int)])
  func due(_ maxAge: Duration?, _ seconds: Int) {
    let schedule = loaded(maxAge: maxAge)
    #expect(!schedule.isDue(at: .seconds(seconds) - .milliseconds(1)))
    #expect(schedule.isDue(at: .seconds(seconds)) && !schedule.isOverdue(at: .seconds(seconds)))
  }

  @Test("twice the age is too old to let anybody in before a try, unless one has failed since")
  func overdue() {
    var schedule = loaded(maxAge: nil)
    #expect(!schedule.isOverdue(at: .seconds(1199)) && schedule.isOverdue(at: .seconds(1200)))
    schedule.began(at: .seconds(1200))
    // While it is under way, whoever comes waits for it too.
    #expect(!schedule.isDue(at: .seconds(1201)) && schedule.isOverdue(at: .seconds(1201)))
    schedule.failed()
    #expect(!schedule.isDue(at: .seconds(1229)) && !schedule.isOverdue(at: .seconds(1229)))
    #expect(schedule.isDue(at: .seconds(1230)))
    schedule.began(at: .seconds(1230))
    schedule.succeeded(began: .seconds(1230), maxAge: nil)
    #expect(!schedule.isDue(at: .seconds(1231)) && !schedule.isOverdue(at: .seconds(1231)))
  }

  @Test("at once without keys, then each 5 seconds")
  func none() {
    var schedule = RefreshSchedule()
    #expect(!schedule.isUsable(at: .zero) && schedule.isDue(at: .zero) && schedule.isOverdue(at: .zero))
    schedule.began(at: .zero)
    schedule.failed()
    #expect(!schedule.isDue(at: .seconds(4)) && !schedule.admitsEarlyFetch(at: .seconds(4)))
    #expect(schedule.isDue(at: .seconds(5)) && schedule.admitsEarlyFetch(at: .seconds(5)))
    #expect(schedule.isOverdue(at: .seconds(5)))
  }

  @Test("keys last a day without a good fetch")
  func aged() {
    var schedule = loaded(maxAge: .seconds(86_400))
    schedule.began(at: .seconds(86_399))
    schedule.failed()
    #expect(schedule.isUsable(at: .seconds(86_399)))
    #expect(!schedule.isUsable(at: .seconds(86_400)) && schedule.isOverdue(at: .seconds(86_400)))
    #expect(schedule.isDue(at: .seconds(86_404)))
  }

  @Test("for an unknown key after 30 seconds since the last attempt")
  func early() {
    var schedule = loaded(maxAge: nil)
    #expect(!schedule.admitsEarlyFetch(at: .seconds(29)))
    #expect(schedule.admitsEarlyFetch(at: .seconds(30)))
    schedule.began(at: .seconds(30))
    schedule.failed()
    #expect(!schedule.admitsEarlyFetch(at: .seconds(59)))
  }
}
