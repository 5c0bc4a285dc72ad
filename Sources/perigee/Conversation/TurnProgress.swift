// SPDX-License-Identifier: Apache-2.0
import Core
import Transport

/// What a client knows of a turn: where it stands in the run's events, and what of them it has shown.
///
/// A connection may be lost anywhere, so a message may be sent again. It is answered with the whole answer once more,
/// or the server does it anew; what was shown already is not shown twice.
struct TurnProgress {
  enum Request: Sendable, Hashable {
    /// Send the message, again or for the first time.
    case message
    case events(runID: String, after: Int)
  }

  enum Step: Sendable {
    case show(RunEvent)
    /// What comes is not what was shown before: the server began anew.
    case beganAnew
    case answered(usingStub: Bool)
    case failed(Failure)
  }

  private(set) var runID: String?
  private(set) var sessionID: String?
  /// Number of the last event that was read.
  private var last = 0
  /// Whether an earlier sending may have begun a run, so that events have the numbers of a repetition.
  private var isRepetition = false
  private var mayHaveBegun = false
  private var areEventsGone = false
  /// Text that was shown since the last tool event.
  private var shown = ""
  private var shownCalls: Set<String> = []
  private var repeated = RepeatedText()

  /// What to ask next, now that there is no connection.
  mutating func nextRequest() -> Request {
    if let runID, !isRepetition, !areEventsGone { return .events(runID: runID, after: last) }
    if mayHaveBegun {
      isRepetition = true
      repeated = RepeatedText(expecting: shown)
    }
    last = 0
    return .message
  }

  /// The message was sent, or may have been.
  mutating func sent() { mayHaveBegun = true }

  /// The server keeps the run's events no longer.
  mutating func loseEvents() { areEventsGone = true }

  /// Takes an event and says what is to be done about it.
  mutating func take(_ event: ServerSentEvents.Event) -> [Step] {
    if let number = event.id.flatMap({ Int($0) }) {
      guard number > last else { return [] }
      last = number
    }
    guard let event = RemoteEvent(event) else { return [] }
    if case .completed(let answer) = event { return complete(answer) }
    if isRepetition, case .text(let text) = event { return steps(repeated.take(text)) }
    // What was held back comes first.
    return steps(repeated.release()) + take(event)
  }

  private mutating func take(_ event: RemoteEvent) -> [Step] {
    switch event {
    case .started(let runID, let sessionID):
      self.runID = runID
      self.sessionID = sessionID
      return [.show(.started(runID: runID, sessionID: sessionID))]
    case .text(let text):
      shown += text
      return [.show(.text(text))]
    case .toolStarted(let id, let name, let arguments):
      endText()
      return [.show(.toolStarted(id: id, name: name, arguments: arguments))]
    case .toolFinished(let call):
      endText()
      shownCalls.insert(call.id)
      return [.show(.toolFinished(call))]
    case .approvalRequested(let id, let title):
      return [.show(.approvalRequested(.shown(id: id, title: title)))]
    case .completed(let answer): return complete(answer)
    case .failed(let failure): return [.failed(failure)]
    }
  }

  private mutating func endText() {
    shown = ""
    repeated = RepeatedText()
  }

  private mutating func complete(_ answer: RemoteEvent.Answer) -> [Step] {
    var steps: [Step] = []
    if isRepetition {
      let unseen = answer.calls.filter { !shownCalls.contains($0.id) }
      for call in unseen { steps.append(.show(.toolFinished(call))) }
      if unseen.isEmpty || !repeated.isHolding {
        steps += self.steps(repeated.release())
      } else {
        // What was shown was said on the way to these calls.
        shown = ""
      }
      if !answer.text.isEmpty, !shown.utf8.elementsEqual(answer.text.utf8) {
        if !shown.isEmpty { steps.append(.beganAnew) }
        steps.append(.show(.text(answer.text)))
      }
    }
    return steps + [.answered(usingStub: answer.usingStub)]
  }

  private mutating func steps(_ outcome: RepeatedText.Outcome) -> [Step] {
    switch outcome {
    case .nothing: return []
    case .more(let text):
      shown += text
      return [.show(.text(text))]
    case .other(let text):
      shown = text
      return [.beganAnew, .show(.text(text))]
    }
  }
}

/// Text that comes once more, compared with what was shown of it.
private struct RepeatedText {
  enum Outcome {
    case nothing
    /// What follows on what was shown.
    case more(String)
    /// Something else, from its beginning on.
    case other(String)
  }

  private let expected: [UInt8]
  /// As much of ``expected`` as came again.
  private var matched = 0
  /// The first piece is held until the next event: only that tells a whole answer from one that is made anew.
  private var held: String?
  private var holdsFirst: Bool

  var isHolding: Bool { held != nil }

  /// Expects nothing and holds nothing back.
  init() {
    expected = []
    holdsFirst = false
  }

  init(expecting text: String) {
    expected = Array(text.utf8)
    holdsFirst = true
  }

  mutating func take(_ text: String) -> Outcome {
    if holdsFirst {
      holdsFirst = false
      held = text
      return .nothing
    }
    return compare((held.take() ?? "") + text)
  }

  /// Hands out what was held back.
  mutating func release() -> Outcome { held.take().map { compare($0) } ?? .nothing }

  private mutating func compare(_ text: String) -> Outcome {
    guard matched < expected.count else { return text.isEmpty ? .nothing : .more(text) }
    let rest = expected[matched...]
    let common = min(rest.count, text.utf8.count)
    guard rest.prefix(common).elementsEqual(text.utf8.prefix(common)) else {
      let whole = String(decoding: expected[..<matched], as: UTF8.self) + text
      matched = expected.count
      return .other(whole)
    }
    matched += common
    let more = text.utf8.dropFirst(common)
    return more.isEmpty ? .nothing : .more(String(decoding: more, as: UTF8.self))
  }
}
