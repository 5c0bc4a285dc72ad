// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Telemetry

@Suite("What an answer means", .timeLimit(.minutes(1)))
struct ReplyTests {
  private static func reply(_ status: Int, _ body: String = "", retryAfter: Int? = nil) -> OTLPReply {
    OTLPReply(
      .init(status: status, retryAfterSeconds: retryAfter, body: Array(body.utf8)), spanCount: 10)
  }

  @Test("some failures are worth another attempt, others are not")
  func statuses() {
    for status in [429, 502, 503, 504] {
      #expect(Self.reply(status, retryAfter: 7) == .tryAgain(afterSeconds: 7))
      #expect(Self.reply(status) == .tryAgain(afterSeconds: nil))
    }
    for status in [0, 100, 301, 400, 401, 404, 413, 500, 501, 505] { #expect(Self.reply(status) == .refused) }
    for status in [200, 202, 204] { #expect(Self.reply(status) == .accepted(rejected: 0, note: nil)) }
  }

  @Test(
    "a partial success is read, be the number a text or a number",
    arguments: [
      (#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no"}}"#, 3, "no"),
      (#"{"partialSuccess":{"rejectedSpans":3}}"#, 3, nil),
      (#"{"partialSuccess":{"errorMessage":"slow"}}"#, 0, "slow"),
      (#"{"partialSuccess":{"rejectedSpans":"99"}}"#, 10, nil),
      (#"{"partialSuccess":{"rejectedSpans":-1}}"#, 0, nil),
      (#"{"partialSuccess":{"rejectedSpans":"x","errorMessage":""}}"#, 0, nil),
      (#"{"partialSuccess":{}}"#, 0, nil),
      (#"{"partialSuccess":null}"#, 0, nil), ("{}", 0, nil), ("", 0, nil), ("\u{12}\u{0}", 0, nil),
      ("[1]", 0, nil),
      (#"{"partialSuccess":{"errorMessage":"a\nb\u001b[31m\u202e"}}"#, 0, "a b [31m "),
    ] as [(String, Int, String?)])
  func partial(_ body: String, _ rejected: Int, _ note: String?) {
    #expect(Self.reply(200, body) == .accepted(rejected: rejected, note: note))
  }

  @Test("a long note is cut and a huge body not read")
  func bounds() {
    let note = String(repeating: "n", count: 1000)
    let body = #"{"partialSuccess":{"errorMessage":"\#(note)"}}"#
    #expect(Self.reply(200, body) == .accepted(rejected: 0, note: String(note.prefix(200))))
    #expect(
      Self.reply(200, body + String(repeating: " ", count: 65_536)) == .accepted(rejected: 0, note: nil))
  }
}

@Suite("Delays between attempts", .timeLimit(.minutes(1)))
struct RetryPolicyTests {
  private let policy = RetryPolicy()

  @Test("they double up to a maximum, between half of it and all of it")
  func doubling() {
    func delays(_ random: Double) -> [Duration] {
      [0, 1, 2, 3, 5, 6, 7, 1000, .max].map {
        policy.delay(afterFailures: $0, retryAfterSeconds: nil, random: random)
      }
    }
    #expect(delays(0) == [0.5, 0.5, 1, 2, 8, 15, 15, 15, 15].map { .seconds($0) })
    #expect(delays(1) == [1, 1, 2, 4, 16, 30, 30, 30, 30].map { .seconds($0) })
  }

  @Test("Retry-After is kept to, up to a maximum, and nothing else counts")
  func retryAfter() {
    func delay(_ seconds: Int, _ random: Double = 0) -> Duration {
      policy.delay(afterFailures: 3, retryAfterSeconds: seconds, random: random)
    }
    #expect(delay(7) == .seconds(7))
    #expect((.seconds(109)...Duration.seconds(110)).contains(delay(100, 0.99)))
    #expect(delay(.max) == .seconds(300))
    #expect(delay(0) == .seconds(2))
    #expect(delay(-1) == .seconds(2))
  }

  @Test("a batch is given up after so many attempts, or when it is too old")
  func exhaustion() {
    #expect(!policy.isExhausted(attempts: 5, age: .seconds(120)))
    #expect(policy.isExhausted(attempts: 6, age: .zero))
    #expect(policy.isExhausted(attempts: 1, age: .seconds(121)))
  }
}

@Suite("Complaints", .timeLimit(.minutes(1)))
struct ComplaintsTests {
  @Test("one a minute comes through, and says how many did not")
  func rate() {
    var complaints = Complaints()
    let admitted = [0, 1, 59, 60, 61, 200].map { complaints.admit(at: .seconds($0)) }
    #expect(admitted == [0, nil, nil, 2, nil, 1])
  }
}

@Suite("Queue of spans", .timeLimit(.minutes(1)))
struct SpanQueueTests {
  private static func options(_ change: (inout SpanExporter.Options) -> Void) -> SpanExporter.Options {
    var options = SpanExporter.Options()
    change(&options)
    return options
  }

  @Test("it takes so many spans, and the newest find no room")
  func count() {
    var queue = SpanQueue(Self.options { $0.spansMax = 2 })
    let taken = spans(0..<3).map { queue.append($0, bytes: 1) }
    #expect(taken == [true, true, false])
    #expect(queue.batch().map(\.name) == ["s0", "s1"] && queue.count == 2)
    queue.remove(1)
    let hasRoom = queue.append(span("new"), bytes: 1)
    #expect(hasRoom)
    #expect(queue.batch().map(\.name) == ["s1", "new"])
    queue.remove(9)
    #expect(queue.isEmpty && queue.bytes == 0)
  }

  @Test("it takes so many bytes")
  func bytes() {
    var queue = SpanQueue(Self.options { $0.bytesMax = 100 })
    let taken = [60, 41, 40].map { queue.append(span("a"), bytes: $0) }
    #expect(taken == [true, false, true])
    queue.remove(1)
    #expect(queue.bytes == 40)
  }

  @Test("a batch has so many spans and so many bytes, and one span at least")
  func batch() {
    var queue = SpanQueue(
      Self.options {
        $0.batchSpansMax = 3
        $0.batchBytesMax = 100
      })
    #expect(queue.batch().isEmpty && !queue.hasBatch)
    for (place, bytes) in [200, 60, 40, 1, 1, 1].enumerated() {
      _ = queue.append(span("s\(place)"), bytes: bytes)
    }
    #expect(queue.hasBatch)
    var batches: [[String]] = []
    while !queue.isEmpty {
      batches.append(queue.batch().map(\.name))
      queue.remove(batches.last?.count ?? 0)
    }
    #expect(batches == [["s0"], ["s1", "s2"], ["s3", "s4", "s5"]])
  }
}

@Suite("Gate", .timeLimit(.minutes(1)))
struct GateTests {
  @Test("all who wait go on, and who comes later does not wait")
  func opens() async {
    let gate = Gate()
    await withTaskGroup { group in
      for _ in 0..<100 { group.addTask { await gate.wait() } }
      group.addTask { gate.open() }
    }
    await gate.wait()
    gate.open()
  }

  @Test("a cancelled task does not wait")
  func cancelled() async {
    for _ in 0..<200 {
      let gate = Gate()
      let task = Task { await gate.wait() }
      if Bool.random() { await Task.yield() }
      task.cancel()
      await task.value
    }
  }
}
