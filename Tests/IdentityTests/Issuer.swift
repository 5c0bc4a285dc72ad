// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Synchronization

@testable import Identity

/// An issuer's JWKS URL in the hand of a test: what it answers, how often it was asked, and when it answers.
final class Issuer: JWKSSource {
  struct Down: Error {}

  private struct State {
    var answer: Result<(document: [UInt8], maxAge: Duration?), Down>
    var loads = 0
    var isHeld = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Mutex<State>
  let reports = Mutex<[JWKSReport]>([])

  init(_ keys: [JSON], maxAge: Duration? = nil) {
    state = Mutex(State(answer: .success((jwks(keys), maxAge))))
  }

  var loads: Int { state.withLock(\.loads) }

  func publish(_ keys: [JSON], maxAge: Duration? = nil) {
    state.withLock { $0.answer = .success((jwks(keys), maxAge)) }
  }

  func publish(text: String) { state.withLock { $0.answer = .success((Array(text.utf8), nil)) } }

  func fail() { state.withLock { $0.answer = .failure(Down()) } }

  /// Answers nobody until ``release()``.
  func hold() { state.withLock { $0.isHeld = true } }

  func release() {
    let waiting = state.withLock { state in
      state.isHeld = false
      defer { state.waiting = [] }
      return state.waiting
    }
    for one in waiting { one.resume() }
  }

  func load() async throws -> (document: [UInt8], maxAge: Duration?) {
    state.withLock { $0.loads += 1 }
    await withCheckedContinuation { continuation in
      let goesOn = state.withLock { state in
        if state.isHeld { state.waiting.append(continuation) }
        return !state.isHeld
      }
      if goesOn { continuation.resume() }
    }
    return try state.withLock(\.answer).get()
  }

  func keys(
    _ clock: ManualTime, algorithms: [SignatureAlgorithm] = SignatureAlgorithm.allCases
  ) -> PublishedKeys {
    PublishedKeys(self, algorithms: algorithms, clock: clock) { [self] report in
      reports.withLock { $0.append(report) }
    }
  }
}
