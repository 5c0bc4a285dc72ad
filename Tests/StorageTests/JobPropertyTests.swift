// SPDX-License-Identifier: Apache-2.0
import Core
import Storage
import TestSupport
import Testing

/// What a queue must keep, whatever comes in whatever order.
@Suite("Jobs, in any order")
struct JobPropertyTests {
  /// What the test knows of the queue.
  private struct Model {
    var published: [Job] = []
    /// Under way, with the end of their leases.
    var held: [(taken: TakenJob, until: Timestamp)] = []
    /// Workers that were too slow.
    var lost: [TakenJob] = []
    var ended: Set<String> = []

    func isHeld(_ id: String, at now: Timestamp) -> Bool {
      held.contains { $0.taken.job.id == id && $0.until > now }
    }

    /// An earlier job of its key that has not ended.
    func holds(_ job: Job) -> Job? {
      guard let key = job.key else { return nil }
      return published.prefix { $0.id != job.id }.first {
        $0.key == key && $0.user.id == job.user.id && !ended.contains($0.id)
      }
    }
  }

  @Test("none is lost, none is done twice at once, and keys keep their order", arguments: 1...25)
  func holds(seed: Int) async throws {
    try await JobScene.with { scene in
      var random = SplitMix64(seed: UInt64(seed))
      var model = Model()
      for step in 0..<250 {
        try await move(scene, &model, &random, step)
      }
      // Everything that is left comes to its end.
      for _ in 0..<2000 where model.ended.count < model.published.count {
        scene.time.advance(by: .seconds(31))
        while let taken = try await take(scene, &model) {
          #expect(try await scene.end(taken))
          end(taken, &model)
        }
      }
      #expect(model.ended.count == model.published.count, "seed \(seed)")
      #expect(try await scene.store.jobCounts().queued == 0)
    }
  }

  private func move(
    _ scene: JobScene, _ model: inout Model, _ random: inout SplitMix64, _ step: Int
  ) async throws {
    switch random.next(upTo: 10) {
    case 0...2:
      let job = scene.job(
        "j\(step)", user: "u\(random.next(upTo: 3))",
        key: random.next(upTo: 2) == 0 ? "k\(random.next(upTo: 2))" : nil,
        priority: Int(random.next(upTo: 5)) - 2, delay: .seconds(random.next(upTo: 3) == 0 ? 15 : 0))
      // As if the call that publishes it were made again.
      for _ in 0...random.next(upTo: 2) { try await scene.store.publish([job]) }
      model.published.append(job)
    case 3...5: _ = try await take(scene, &model)
    case 6:
      scene.time.advance(by: .seconds(Int64(random.next(upTo: 20))))
      let late = model.held.filter { $0.until <= scene.time.now }
      model.lost += late.map(\.taken)
    case 7:
      // Whoever was too slow says so too late, unless nobody has noticed.
      guard let taken = model.lost.popLast() else { return }
      if try await scene.end(taken) { end(taken, &model) }
    default:
      guard let (taken, until) = model.held.randomElement(using: &random), until > scene.time.now else {
        return
      }
      switch random.next(upTo: 4) {
      case 0: try await scene.fail(taken, again: .seconds(Int64(random.next(upTo: 10))))
      case 1: try await scene.end(taken, .released)
      default:
        #expect(try await scene.end(taken, random.next(upTo: 3) == 0 ? .dead(Failure(.denied, "no")) : .done))
        end(taken, &model)
      }
      model.held.removeAll { $0.taken.runID == taken.runID }
    }
  }

  private func take(_ scene: JobScene, _ model: inout Model) async throws -> TakenJob? {
    guard let taken = try await scene.take() else { return nil }
    let now = scene.time.now
    #expect(!model.isHeld(taken.job.id, at: now), "\(taken.job.id) is done twice at once")
    #expect(!model.ended.contains(taken.job.id), "\(taken.job.id) has ended")
    #expect(taken.job.dueAt <= now)
    if let earlier = model.holds(taken.job) {
      Issue.record("\(taken.job.id) overtakes \(earlier.id)")
    }
    model.held.removeAll { $0.taken.job.id == taken.job.id }
    model.held.append((taken, now + .seconds(30)))
    return taken
  }

  private func end(_ taken: TakenJob, _ model: inout Model) {
    #expect(model.ended.insert(taken.job.id).inserted)
    model.held.removeAll { $0.taken.job.id == taken.job.id }
  }

}

extension SplitMix64 {
  fileprivate mutating func next(upTo bound: UInt64) -> UInt64 { next() % bound }
}
