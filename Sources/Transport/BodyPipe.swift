// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Body bytes between the loop thread and one reader, never many more than `bytesMax` of them.
final class BodyPipe: Sendable {
  /// Bytes that wait for the reader before the connection is paused.
  static let bytesMax = 64 << 10

  private enum End {
    case complete
    case failed(any Error)
  }

  private struct State {
    var bytes: [UInt8] = []
    var isPaused = false
    /// Nobody reads any more.
    var isDiscarding = false
    var end: End?
    var reader: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  /// Takes bytes for the reader; false when it has to catch up first, which ``take()`` then reports.
  func offer(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let (isTaken, reader) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
      if state.isDiscarding { return (true, nil) }
      guard state.bytes.isEmpty || state.bytes.count + bytes.count <= Self.bytesMax else {
        state.isPaused = true
        return (false, nil)
      }
      state.bytes.append(contentsOf: bytes)
      return (true, state.reader.take())
    }
    reader?.resume()
    return isTaken
  }

  var isDiscarding: Bool { state.withLock { $0.isDiscarding } }

  /// Throws away what is there and what comes; true when the connection was paused.
  func discard() -> Bool {
    state.withLock { state in
      state.isDiscarding = true
      state.bytes = []
      defer { state.isPaused = false }
      return state.isPaused
    }
  }

  /// Ends the body; the first end counts.
  func finish(_ failure: (any Error)?) {
    let reader = state.withLock { state in
      if state.end == nil { state.end = failure.map(End.failed) ?? .complete }
      return state.reader.take()
    }
    reader?.resume()
  }

  enum Piece {
    case bytes([UInt8], wasPaused: Bool)
    case end
    case nothingYet
  }

  /// Takes all that is there; a failure comes after the bytes that came before it.
  func take() throws -> Piece {
    try state.withLock { state in
      if !state.bytes.isEmpty {
        defer {
          state.bytes = []
          state.isPaused = false
        }
        return .bytes(state.bytes, wasPaused: state.isPaused)
      }
      switch state.end {
      case nil: return .nothingYet
      case .complete: return .end
      case .failed(let failure): throw failure
      }
    }
  }

  /// Returns once there may be something to take.
  func wait() async {
    await withCheckedContinuation { continuation in
      let isReady = state.withLock { state in
        guard state.bytes.isEmpty, state.end == nil else { return true }
        precondition(state.reader == nil, "a body has one reader")
        state.reader = continuation
        return false
      }
      if isReady { continuation.resume() }
    }
  }
}
