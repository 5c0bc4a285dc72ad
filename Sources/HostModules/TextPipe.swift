// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Pieces of an answer on their way from a model to a script, one at a time: whoever offers the next one waits until
/// the one before was taken.
final class TextPipe: Sendable {
  private enum State {
    case empty
    case reading(CheckedContinuation<String?, Never>)
    case full(String, CheckedContinuation<Void, Never>)
    case over
  }

  private let state = Mutex(State.empty)

  /// Hands a piece over; returns when it was taken, or when nobody will take it any more.
  func offer(_ piece: String) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let reader = state.withLock { state -> CheckedContinuation<String?, Never>? in
          switch state {
          case .empty:
            state = .full(piece, continuation)
            return nil
          case .reading(let reader):
            state = .empty
            continuation.resume()
            return reader
          case .full, .over:
            continuation.resume()
            return nil
          }
        }
        reader?.resume(returning: piece)
      }
    } onCancel: {
      finish()
    }
  }

  /// Waits for the next piece; `nil` after the last one, or when the task is cancelled.
  func next() async -> String? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        state.withLock { state in
          switch state {
          case .empty: state = .reading(continuation)
          case .full(let piece, let writer):
            state = .empty
            writer.resume()
            continuation.resume(returning: piece)
          case .reading, .over: continuation.resume(returning: nil)
          }
        }
      }
    } onCancel: {
      finish()
    }
  }

  /// Says that no further piece comes, or that none is wanted.
  func finish() {
    state.withLock { state in
      switch state {
      case .empty, .over: break
      case .reading(let reader): reader.resume(returning: nil)
      case .full(_, let writer): writer.resume()
      }
      state = .over
    }
  }
}
