// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Telemetry

@Suite("Exporter", .timeLimit(.minutes(1)))
struct ExporterTests {
  /// Runs the exporter while `body` does.
  private static func running(_ rig: Rig, _ body: () async throws -> Void) async rethrows {
    let task = Task { await rig.exporter.run() }
    do { try await body() } catch {
      task.cancel()
      throw error
    }
    task.cancel()
    await task.value
  }

  @Test("a full batch goes at once, the rest when the interval is over")
  func batching() async throws {
    let rig = try Rig(FakeCollector(.status(200)))
    await Self.running(rig) {
      await rig.sleeps(.seconds(5))
      rig.exporter.add(spans(0..<3))
      #expect(rig.collector.requestCount == 0)
      rig.exporter.add(spans(3..<10))
      await rig.settled(8)
      await rig.sleeps(.seconds(5))
      #expect(rig.exporter.queuedCount == 2)
      rig.clock.advance(by: .seconds(4))
      await rig.sleeps(.seconds(1))
      #expect(rig.collector.requestCount == 2)
      rig.clock.advance(by: .seconds(1))
      await rig.settled(10)
    }
    #expect(rig.collector.requests == [names(0..<4), names(4..<8), names(8..<10)])
    #expect(rig.exporter.counters == .init(exported: 10))
    #expect(rig.problems.isEmpty)
  }

  @Test("spans that came before the start are sent too")
  func early() async throws {
    let rig = try Rig(FakeCollector(.status(200)))
    rig.exporter.add(spans(0..<5))
    await Self.running(rig) { await rig.settled(4) }
    #expect(rig.collector.requests == [names(0..<4)])
  }

  @Test("nothing is sent when there is nothing")
  func idle() async throws {
    let rig = try Rig(FakeCollector(.status(200)))
    await Self.running(rig) {
      for _ in 0..<3 {
        await rig.sleeps(.seconds(5))
        rig.clock.advance(by: .seconds(5))
      }
      await rig.sleeps(.seconds(5))
    }
    #expect(await rig.exporter.finish(within: .seconds(1)) == 0)
    #expect(rig.collector.requestCount == 0)
  }

  @Test("the newest are dropped when the queue is full, and that is told")
  func full() async throws {
    let rig = try Rig(FakeCollector(.status(200)))
    rig.exporter.add(spans(0..<13))
    #expect(rig.exporter.counters == .init(droppedUnsent: 3))
    #expect(rig.exporter.queuedCount == 10)
    await Self.running(rig) {
      await rig.settled(11)
      await rig.sleeps(.seconds(5))
    }
    #expect(rig.collector.requests == [names(0..<4), names(4..<8)])
    #expect(rig.problems == ["the queue of spans was full; 3 spans found no room in the queue"])
  }

  @Test("a batch is sent again, ever later, until it is taken", arguments: [429, 502, 503, 504])
  func retries(_ status: Int) async throws {
    let rig = try Rig(FakeCollector(.status(status), .status(status), .status(status), .status(200)))
    await Self.running(rig) {
      rig.exporter.add(spans(0..<4))
      for delay in [0.5, 1, 2] {
        await rig.sleeps(.seconds(delay))
        rig.clock.advance(by: .seconds(delay))
      }
      await rig.settled(4)
      #expect(rig.exporter.counters == .init(exported: 4, failures: 3))
      #expect(rig.collector.requests == Array(repeating: names(0..<4), count: 4))
    }
    #expect(rig.problems == ["spans could not be sent, to be tried again: the collector answered \(status)"])
  }

  @Test("Retry-After is kept to")
  func retryAfter() async throws {
    let rig = try Rig(FakeCollector(.status(429, retryAfterSeconds: 37), .status(200)))
    await Self.running(rig) {
      rig.exporter.add(spans(0..<4))
      await rig.sleeps(.seconds(37))
      rig.clock.advance(by: .seconds(36))
      await rig.sleeps(.seconds(1))
      #expect(rig.collector.requestCount == 1)
      rig.clock.advance(by: .seconds(1))
      await rig.settled(4)
    }
    #expect(rig.exporter.counters == .init(exported: 4, failures: 1))
  }

  @Test("who is asked to stay away for too long gives the batch up, and stays away with the next")
  func longRetryAfter() async throws {
    let rig = try Rig(FakeCollector(.status(503, retryAfterSeconds: 10_000), .status(200)))
    await Self.running(rig) {
      rig.exporter.add(spans(0..<8))
      await rig.sleeps(.seconds(300))
      #expect(rig.exporter.counters == .init(droppedUndelivered: 4, failures: 1))
      rig.clock.advance(by: .seconds(300))
      await rig.settled(8)
    }
    #expect(rig.collector.requests == [names(0..<4), names(4..<8)])
    #expect(rig.problems == ["4 spans were given up after 1 attempts: the collector answered 503"])
  }

  @Test("a batch is given up after its last attempt, and delays go on with the next one")
  func exhausted() async throws {
    let rig = try Rig(FakeCollector(.failure(SpanExporter.SendFailure("no route")))) {
      $0.retry.attemptsMax = 3
    }
    await Self.running(rig) {
      rig.exporter.add(spans(0..<8))
      for delay in [0.5, 1, 2, 4, 8] {
        await rig.sleeps(.seconds(delay))
        rig.clock.advance(by: .seconds(delay))
      }
      await rig.settled(8)
      #expect(rig.exporter.counters == .init(droppedUndelivered: 8, failures: 6))
    }
    #expect(rig.problems == ["spans could not be sent, to be tried again: no route"])
  }

  @Test("a batch is given up when it is too old")
  func tooOld() async throws {
    let rig = try Rig(FakeCollector(.status(503))) { $0.retry.ageMax = .seconds(1) }
    await Self.running(rig) {
      rig.exporter.add(spans(0..<4))
      await rig.sleeps(.seconds(0.5))
      rig.clock.advance(by: .seconds(0.5))
      await rig.settled(4)
    }
    #expect(rig.collector.requestCount == 2)
    #expect(rig.exporter.counters == .init(droppedUndelivered: 4, failures: 2))
  }

  @Test("other answers are not tried again", arguments: [301, 400, 401, 404, 413, 500])
  func refused(_ status: Int) async throws {
    let rig = try Rig(FakeCollector(.status(status, body: "secret"), .status(200)))
    await Self.running(rig) {
      rig.exporter.add(spans(0..<8))
      await rig.settled(8)
    }
    #expect(rig.collector.requests == [names(0..<4), names(4..<8)])
    #expect(rig.exporter.counters == .init(exported: 4, droppedUndelivered: 4, failures: 1))
    #expect(rig.problems == ["4 spans were given up: the collector answered \(status)"])
  }

  @Test("a failed connection is tried again, one that is forbidden is not, and unknown words are not shown")
  func connection() async throws {
    struct Unknown: Error, CustomStringConvertible { var description: String { "https://u:p@host" } }
    let forbidden = SpanExporter.SendFailure("not allowed", isRetryable: false)
    let rig = try Rig(FakeCollector(.failure(Unknown()), .failure(forbidden), .status(200)))
    await Self.running(rig) {
      rig.exporter.add(spans(0..<8))
      await rig.sleeps(.seconds(0.5))
      #expect(rig.problems == ["spans could not be sent, to be tried again: no answer (Unknown)"])
      rig.clock.advance(by: .seconds(0.5))
      await rig.settled(8)
    }
    #expect(rig.collector.requests == [names(0..<4), names(0..<4), names(4..<8)])
    #expect(rig.exporter.counters == .init(exported: 4, droppedUndelivered: 4, failures: 2))
  }

  @Test("rejected spans are counted and told, and not sent again")
  func partial() async throws {
    let body = #"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}"#
    let rig = try Rig(FakeCollector(.status(200, body: body)))
    await Self.running(rig) {
      rig.exporter.add(spans(0..<4))
      await rig.settled(4)
      await until { !rig.problems.isEmpty }
    }
    #expect(rig.exporter.counters == .init(exported: 1, rejected: 3))
    #expect(rig.exporter.counters.dropped == 3)
    #expect(rig.problems == ["the collector rejected 3 of 4 spans: too old"])
    #expect(rig.collector.requestCount == 1)
  }

  @Test("problems are told once a minute, with what was withheld")
  func quiet() async throws {
    let rig = try Rig(FakeCollector(.status(400)))
    await Self.running(rig) {
      rig.exporter.add(spans(0..<8))
      await rig.settled(8)
      await rig.sleeps(.seconds(5))
      #expect(rig.problems.count == 1)
      for _ in 0..<12 {
        rig.clock.advance(by: .seconds(5))
        await rig.sleeps(.seconds(5))
      }
      rig.exporter.add(spans(8..<12))
      await until { rig.problems.count == 2 }
    }
    #expect(
      rig.problems.last
        == "4 spans were given up: the collector answered 400; 1 more problems since the last message")
  }

  @Test("at a cancelled request nothing is lost: the end sends it again")
  func cancelled() async throws {
    let rig = try Rig(FakeCollector(.hangs, .status(200)))
    await Self.running(rig) {
      rig.exporter.add(spans(0..<6))
      await rig.requests(1)
    }
    #expect(rig.exporter.queuedCount == 6)
    #expect(rig.exporter.counters == .init())
    #expect(await rig.exporter.finish(within: .seconds(5)) == 0)
    #expect(rig.collector.requests == [names(0..<4), names(0..<4), names(4..<6)])
    #expect(rig.exporter.counters == .init(exported: 6))
    #expect(rig.problems.isEmpty && rig.clock.sleeps.isEmpty)
  }

  @Test("a cancelled run ends while it sleeps, between batches and attempts, and can begin again")
  func again() async throws {
    let rig = try Rig(FakeCollector(.status(503), .status(200)))
    await Self.running(rig) { await rig.sleeps(.seconds(5)) }
    await Self.running(rig) {
      rig.exporter.add(spans(0..<4))
      await rig.sleeps(.seconds(0.5))
    }
    #expect(rig.exporter.queuedCount == 4 && rig.clock.sleeps.isEmpty)
    await Self.running(rig) {
      await rig.sleeps(.seconds(0.5))
      rig.clock.advance(by: .seconds(1))
      await rig.settled(4)
    }
    #expect(rig.exporter.counters == .init(exported: 4, failures: 1))
  }

  @Test("the end comes by itself to a run that is under way, and takes the queue along")
  func finish() async throws {
    let rig = try Rig(FakeCollector(.hangs, .status(200)))
    let run = Task { await rig.exporter.run() }
    rig.exporter.add(spans(0..<7))
    await rig.requests(1)
    #expect(await rig.exporter.finish(within: .seconds(5)) == 0)
    await run.value
    #expect(rig.collector.requests == [names(0..<4), names(0..<4), names(4..<7)])
    #expect(rig.collector.mostAtOnce == 1)
    rig.exporter.add(spans(7..<8))
    #expect(rig.exporter.counters == .init(exported: 7, droppedUnsent: 1))
    // Neither a second end nor another run finds anything to do.
    #expect(await rig.exporter.finish(within: .seconds(5)) == 0)
    await rig.exporter.run()
    #expect(rig.collector.requestCount == 3)
  }

  @Test("at the end a batch is tried again while there is time")
  func finishRetries() async throws {
    let rig = try Rig(FakeCollector(.status(503), .status(200)))
    rig.exporter.add(spans(0..<2))
    let end = Task { await rig.exporter.finish(within: .seconds(5)) }
    await rig.sleeps(.seconds(0.5), .seconds(5))
    rig.clock.advance(by: .seconds(0.5))
    #expect(await end.value == 0)
    #expect(rig.exporter.counters == .init(exported: 2, failures: 1))
  }

  @Test("what is not sent when the time is over is dropped and told")
  func finishTooLate() async throws {
    let rig = try Rig(FakeCollector(.status(200), .hangs))
    rig.exporter.add(spans(0..<9))
    let end = Task { await rig.exporter.finish(within: .seconds(5)) }
    await rig.requests(2)
    await rig.sleeps(.seconds(5))
    rig.clock.advance(by: .seconds(5))
    #expect(await end.value == 5)
    #expect(rig.exporter.counters == .init(exported: 4, droppedUndelivered: 5))
    #expect(rig.problems == ["5 spans could not be sent before the end"])
    #expect(rig.clock.sleeps.isEmpty && rig.exporter.queuedCount == 0)
  }

  @Test("a cancelled end drops the rest at once")
  func finishCancelled() async throws {
    let rig = try Rig(FakeCollector(.hangs))
    rig.exporter.add(spans(0..<2))
    let end = Task { await rig.exporter.finish(within: .seconds(5)) }
    await rig.requests(1)
    end.cancel()
    #expect(await end.value == 2)
    #expect(rig.exporter.counters == .init(droppedUndelivered: 2))
  }

  @Test("nothing is lost or counted twice when many add at once")
  func concurrent() async throws {
    let rig = try Rig(FakeCollector(.status(200), .status(503), .status(200))) {
      $0.batchSpansMax = 16
      $0.spansMax = 64
      $0.retry.delayFirst = .zero
    }
    await Self.running(rig) {
      await withTaskGroup { group in
        for task in 0..<8 {
          group.addTask {
            for number in 0..<500 {
              rig.exporter.add([span("\(task)/\(number)"), span("\(task)/\(number)/x")])
              if number % 50 == 0 { await Task.yield() }
            }
          }
        }
      }
    }
    #expect(await rig.exporter.finish(within: .seconds(5)) == 0)
    let counters = rig.exporter.counters
    #expect(counters.exported + counters.droppedUnsent == 8000)
    #expect(counters.exported >= 64 && counters.droppedUndelivered == 0)
    let requests = rig.collector.requests
    #expect(requests.allSatisfy { (1...16).contains($0.count) })
    #expect(Set(requests.joined()).count == counters.exported)
    // Each task's spans come in its own order.
    var sent: [String] = []
    var seen: Set<String> = []
    for name in requests.joined() where name.hasPrefix("3/") && seen.insert(name).inserted {
      sent.append(name)
    }
    let order = sent.compactMap { Int($0.split(separator: "/")[1]) }
    #expect(order == order.sorted())
  }
}
