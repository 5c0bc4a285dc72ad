// SPDX-License-Identifier: Apache-2.0
import Core
import GRDBSQLite
import Synchronization

/// What SQLite asks of us while it compiles and runs a statement: may it, and may it go on.
///
/// Belongs to one ``ScriptConnection`` and is touched on its thread only.
final class ScriptWatch {
  enum Stop {
    case time(Duration)
    case transactionTime(Duration)
    case cancelled
  }

  var policy = ScriptPolicy()
  var denial: String?
  var stop: Stop?
  /// From when on a statement is a long one.
  private var patience: ContinuousClock.Instant?
  private var deadline: ContinuousClock.Instant?
  private let onLong: () -> Void
  private var overrun = Stop.cancelled
  private var cancellation: CancellationFlag?

  private static let short = Duration.milliseconds(5)

  /// - Parameter onLong: Called by a statement that turns out to take long.
  init(onLong: @escaping () -> Void) { self.onLong = onLong }

  /// Starts the time of a statement, which ``end()`` follows.
  func begin(deadline: ContinuousClock.Instant, overrun: Stop, cancellation: CancellationFlag?) {
    self.deadline = deadline
    patience = .now + Self.short
    self.overrun = overrun
    self.cancellation = cancellation
  }

  func end() {
    deadline = nil
    patience = nil
    cancellation = nil
    denial = nil
    stop = nil
    policy.access = .host
    policy.isChangingSchema = false
  }

  /// Whether the statement has to end now.
  private func mustStop() -> Bool {
    guard policy.access != .host, let deadline else { return false }
    let now = ContinuousClock.now
    if let patience, now >= patience {
      self.patience = nil
      onLong()
    }
    if cancellation?.isSet ?? false {
      stop = .cancelled
    } else if now >= deadline {
      stop = overrun
    } else {
      return false
    }
    return true
  }

  /// Makes SQLite ask; the connection keeps the watch alive until it is closed.
  func install(on handle: OpaquePointer) {
    // SAFETY: the connection that owns the handle owns the watch too and closes the handle first.
    let context = Unmanaged.passUnretained(self).toOpaque()
    // About every 50 µs.
    sqlite3_progress_handler(handle, 1000, { ScriptWatch.from($0)?.mustStop() ?? true ? 1 : 0 }, context)
    sqlite3_set_authorizer(
      handle,
      { context, action, first, second, database, _ in
        guard let watch = ScriptWatch.from(context) else { return SQLITE_DENY }
        // A statement may be made to compile for longer than it runs.
        if watch.mustStop() { return SQLITE_DENY }
        let denial = watch.policy.denial(
          action: action, first.map(String.init(cString:)), second.map(String.init(cString:)),
          database: database.map(String.init(cString:)))
        guard let denial else { return SQLITE_OK }
        if watch.denial == nil { watch.denial = denial }
        return SQLITE_DENY
      }, context)
  }

  private static func from(_ context: UnsafeMutableRawPointer?) -> ScriptWatch? {
    // SAFETY: `context` is the pointer that `install` made.
    context.map { Unmanaged<ScriptWatch>.fromOpaque($0).takeUnretainedValue() }
  }
}

/// Set when the task that waits for a statement is cancelled.
final class CancellationFlag: Sendable {
  private let flag = Atomic(false)

  var isSet: Bool { flag.load(ordering: .relaxed) }
  func set() { flag.store(true, ordering: .relaxed) }
}
