// SPDX-License-Identifier: Apache-2.0
import Core
import Testing
import Transport

@testable import perigee

@Suite("A turn over several connections")
struct TurnProgressTests {
  private static let started = (name: "run.started", data: #"{"run_id":"r","session_id":"s"}"#)
  private static func text(_ text: String) -> (name: String, data: String) {
    ("message.delta", "{\"text\":\"\(text)\"}")
  }
  private static func tool(_ id: String) -> (name: String, data: String) {
    ("tool.finished", "{\"id\":\"\(id)\",\"name\":\"\(id)\",\"arguments\":{},\"result\":1,\"error\":null}")
  }
  private static func answer(_ text: String, _ calls: String...) -> (name: String, data: String) {
    let calls = calls.map { tool($0).data }.joined(separator: ",")
    return ("message.completed", "{\"response\":\"\(text)\",\"using_stub\":false,\"tool_calls\":[\(calls)]}")
  }

  /// What was shown, a word for each step: `+text`, `(call)`, `!anew`, `.`
  private final class Screen {
    var progress = TurnProgress()
    var shown: [String] = []

    func send() -> TurnProgress.Request {
      defer { progress.sent() }
      return progress.nextRequest()
    }

    func take(_ events: (name: String, data: String)..., from number: Int = 1) {
      for (event, number) in zip(events, number...) {
        let steps = progress.take(
          ServerSentEvents.Event(name: event.name, id: "\(number)", data: Array(event.data.utf8)))
        for step in steps {
          switch step {
          case .show(.text(let text)): shown.append("+" + text)
          case .show(.toolFinished(let call)): shown.append("(\(call.name))")
          case .show: break
          case .beganAnew: shown.append("!anew")
          case .answered: shown.append(".")
          case .failed(let failure): shown.append("!\(failure.code)")
          }
        }
      }
    }
  }

  @Test("before it began it is sent again; after that its events are asked for, and none is taken twice")
  func resumes() {
    let screen = Screen()
    #expect(screen.send() == .message)
    #expect(screen.progress.nextRequest() == .message)
    let followed = Screen()
    #expect(followed.send() == .message)
    followed.take(Self.started, Self.text("a"))
    #expect(followed.progress.nextRequest() == .events(runID: "r", after: 2))
    followed.take(Self.text("a"), Self.text("b"), Self.answer("ab"), from: 2)
    #expect(followed.shown == ["+a", "+b", "."])
  }

  @Test("a message that never reached the server is no repetition")
  func neverSent() {
    let screen = Screen()
    #expect(screen.progress.nextRequest() == .message)
    #expect(screen.send() == .message)
    screen.take(Self.started, Self.text("a"))
    #expect(screen.progress.nextRequest() == .events(runID: "r", after: 2))
  }

  @Test("the numbers of a repetition are not the run's: lost again, the message is sent again")
  func repeatedTwice() {
    let screen = Screen()
    _ = screen.send()
    _ = screen.send()
    screen.take(Self.started, Self.text("ab"))
    #expect(screen.send() == .message)
    screen.take(Self.started, Self.text("ab"), Self.answer("ab"))
    #expect(screen.shown == ["+ab", "."])
  }

  @Test(
    "of an answer that comes once more the rest is shown",
    arguments: [
      (["a"], ["+a", "+bc"]), (["a", "b"], ["+a", "+b", "+c"]), (["a", "b", "c"], ["+a", "+b", "+c"]),
      (["x"], ["+x", "!anew", "+abc"]), (["abcd"], ["+abcd", "!anew", "+abc"]), ([], ["+abc"]),
    ])
  func replay(pieces: [String], shown: [String]) {
    let screen = Screen()
    _ = screen.send()
    screen.take(Self.started)
    for (index, piece) in pieces.enumerated() { screen.take(Self.text(piece), from: index + 2) }
    screen.progress.loseEvents()
    #expect(screen.send() == .message)
    screen.take(Self.started, Self.text("abc"), Self.answer("abc"))
    #expect(screen.shown == shown + ["."])
  }

  @Test("calls that were missed are shown before the whole answer, those that were seen are not shown again")
  func missedCalls() {
    let screen = Screen()
    _ = screen.send()
    screen.take(Self.started, Self.text("Let me see"), Self.tool("one"), Self.text("Now"))
    screen.progress.loseEvents()
    _ = screen.send()
    screen.take(Self.started, Self.text("Nowhere"), Self.answer("Nowhere", "one", "two"))
    #expect(screen.shown == ["+Let me see", "(one)", "+Now", "(two)", "+Nowhere", "."])
  }

  @Test(
    "a turn that is done anew goes on where it says the same, piece by piece, and says so where it does not")
  func anew() {
    let same = Screen()
    _ = same.send()
    same.take(Self.started, Self.text("on"), Self.text("e t"))
    same.progress.loseEvents()
    _ = same.send()
    same.take(Self.started, Self.text("one"), Self.text(" "), Self.text("two"), Self.answer("one two"))
    #expect(same.shown == ["+on", "+e t", "+wo", "."])
    let other = Screen()
    _ = other.send()
    other.take(Self.started, Self.text("one t"))
    other.progress.loseEvents()
    _ = other.send()
    other.take(Self.started, Self.text("one"), Self.text(" four"), Self.answer("one four"))
    #expect(other.shown == ["+one t", "!anew", "+one four", "."])
  }

  @Test("a failure ends it, and what is no event of ours is passed over")
  func failure() {
    let screen = Screen()
    _ = screen.send()
    screen.take(
      Self.started, ("later.event", "{}"), ("message.delta", "{"),
      ("error", #"{"code":"rejected","detail":"no"}"#))
    #expect(screen.shown == ["!rejected"])
  }

  @Test("waits grow to five seconds, and end with what is left of the time")
  func backoff() {
    var backoff = Backoff(limit: .seconds(12))
    var now = Duration.seconds(100)
    var waits: [Duration] = []
    while let wait = backoff.wait(now: now, random: 1) {
      waits.append(wait)
      now += wait
    }
    #expect(waits == [250, 500, 1000, 2000, 4000, 4250].map { .milliseconds($0) })
    backoff.reset()
    #expect(backoff.wait(now: now, random: 0) == .milliseconds(125))
    var long = Backoff(limit: .seconds(1000))
    for _ in 0..<9 { _ = long.wait(now: .zero, random: 1) }
    #expect(long.wait(now: .zero, random: 1) == .seconds(5))
    var none = Backoff(limit: .zero)
    #expect(none.wait(now: now, random: 1) == nil)
  }

  @Test("controls become pictures of themselves; line feed, tab and everything else stay")
  func controls() {
    let text = "a\u{0}\u{1B}[2J\r\n\t\u{7F}\u{85}\u{9B}ü🙂\u{A0}"
    #expect(text.hasControls && !"a\n\tü🙂\u{A0}".hasControls)
    #expect(text.withoutControls == "a␀␛[2J␍\n\t␡\u{FFFD}\u{FFFD}ü🙂\u{A0}")
  }
}
