// SPDX-License-Identifier: Apache-2.0
public import JSONCodec
import Synchronization

/// Doing things once.
extension Journal {
  /// Does what may be done again, or hands back what came of it before.
  ///
  /// - Throws: What `perform` throws or threw; ``Failure`` `conflict`, see ``recall(_:)``.
  public func observe(_ call: JournalCall, _ perform: () async throws -> RawJSON) async throws -> RawJSON {
    if case .ended(let outcome) = try recall(call) { return try outcome.get() }
    let (startedAt, start) = (time.now, time.elapsed)
    let outcome = try await JournalEntry.Outcome(perform)
    keep(call, outcome, startedAt: startedAt, milliseconds: (time.elapsed - start) / .milliseconds(1))
    // Whoever brings more than the disk takes waits for it.
    if outcome.bytes > Self.unwrittenBytesMax { try await flush() }
    return try outcome.get()
  }

  /// Does what must not be done twice, or hands back what came of it before.
  ///
  /// - Parameters:
  ///   - unknown: Asked when nobody knows whether it was done: the result it had, or `nil` = do it (again). It gets
  ///     the entry that has no end.
  /// - Throws: What `perform` throws or threw; ``Failure`` `conflict`, see ``recall(_:)``.
  public func perform(
    _ call: JournalCall, unknown: (JournalEntry) async throws -> RawJSON?,
    _ perform: () async throws -> RawJSON
  ) async throws -> RawJSON {
    let entry: JournalEntry
    switch try recall(call) {
    case .ended(let outcome):
      acted(call.key)
      return try outcome.get()
    case .begun(let begun) where waitedInside(begun):
      acted(call.key)
      entry = begun
    case .begun(let begun):
      acted(call.key)
      if let result = try await unknown(begun) {
        end(begun, .result(result), milliseconds: 0)
        return result
      }
      // Anew: what was decided about this attempt says nothing of the next.
      entry = try await begin(call)
    case nil: entry = try await begin(call)
    }
    let start = time.elapsed
    let outcome = try await JournalEntry.Outcome(perform)
    end(entry, outcome, milliseconds: (time.elapsed - start) / .milliseconds(1))
    return try outcome.get()
  }

  /// Whether a call without an end was left because something within it had to wait: then it goes on.
  private func waitedInside(_ entry: JournalEntry) -> Bool {
    isFromWaiting
      && state.withLock { state in
        !state.recorded.keys.contains {
          $0 == entry.unknownOutcomeKey || $0.hasPrefix("\(entry.unknownOutcomeKey):")
        }
          && state.recorded.keys.contains { $0.hasPrefix("\(entry.key)#") }
      }
  }

  /// Waits for something that may take days, or hands back what came of it.
  ///
  /// - Parameters:
  ///   - approval: The question that is asked; `nil` = none.
  ///   - wait: Waits for the outcome; it gets the entry.
  func await(
    _ call: JournalCall, asking approval: Approval? = nil, _ wait: (JournalEntry) async throws -> RawJSON
  ) async throws -> RawJSON {
    let entry: JournalEntry
    switch try recall(call) {
    case .ended(let outcome): return try outcome.get()
    case .begun(let begun): entry = begun
    case nil:
      entry = try state.withLock { state throws(Failure) in
        guard state.interiorBytes <= Self.interiorBytesMax else {
          throw Failure(.limit, "the tool did too much before it had to wait; ask before that")
        }
        state.addInterior()
        let entry = JournalEntry(
          number: state.count, key: call.key, name: call.name, digest: call.digest,
          arguments: call.arguments, startedAt: time.now)
        state.add(entry)
        state.count += 1
        return entry
      }
      try await flush(asking: approval.map { [$0] } ?? [])
    }
    if let approval { waits.asked(approval) }
    // Who brings an answer writes it down as well; of a sleep that is over nobody else does.
    let result = try await wait(entry)
    end(
      entry, .result(result), milliseconds: Double(time.now.milliseconds - entry.startedAt.milliseconds))
    return result
  }
}

// MARK: Inside a transaction, which is kept as a whole

/// A call of a tool or an agent in a transaction that is open.
struct EnclosedCall: Sendable {
  /// Of the keys of what is done in it.
  let prefix: String
  /// The transaction's key.
  let transaction: String
  /// The transaction did not come to its end before: what was done is handed back where it still fits, and done anew
  /// where not.
  let isTolerated: Bool
}

extension Journal {
  /// Says that what is done under a prefix is done in a transaction.
  func enclose(_ prefix: String, in transaction: any OpenTransaction) {
    state.withLock { state in
      guard !state.recorded.isEmpty else { return }
      state.enclosed.append(
        EnclosedCall(
          prefix: prefix, transaction: transaction.key, isTolerated: !transaction.isReplayed))
    }
  }

  /// Lets go of what was done in a transaction that has ended, and not done again.
  public func settle(transaction: String) {
    state.withLock { state in
      guard !state.enclosed.isEmpty else { return }
      let prefixes = state.enclosed.filter { $0.transaction == transaction }.map(\.prefix)
      state.enclosed.removeAll { $0.transaction == transaction }
      for (key, entry) in state.recorded where prefixes.contains(where: key.hasPrefix) {
        state.recorded[key] = nil
        state.dropped += entry.usage ?? Usage()
      }
    }
  }
}

// MARK: Inside a tool's call, which is kept as a whole

/// What a tool under way has done, or seen, as long as the tool has not ended.
struct InteriorCall: Sendable {
  let key: String
  /// About.
  let bytes: Int
  /// Made only where it is needed: most tools end without.
  let entry: @Sendable () -> JournalEntry
}

extension Journal {
  /// Keeps what a call inside a tool came to, should the tool have to wait.
  ///
  /// - Parameter bytes: What the entry will take, about.
  public func keepInside(_ key: String, bytes: Int, _ entry: @escaping @Sendable () -> JournalEntry) {
    state.withLock { state in
      // Only a tool that has to wait needs it, and one that did so much may not.
      guard state.interiorBytes <= Self.interiorBytesMax else { return }
      state.interiorBytes += bytes + key.utf8.count + 160
      if state.interiorBytes > Self.interiorBytesMax {
        state.interior = []
      } else {
        state.interior.append(InteriorCall(key: key, bytes: bytes + key.utf8.count + 160, entry: entry))
      }
    }
  }

  /// Lets go of what happened inside a tool's call that has ended.
  func forgetInside(_ key: String) {
    state.withLock { state in
      guard state.interiorBytes > 0 else { return }
      state.interior.removeAll { $0.key.hasPrefix("\(key)#") }
      state.interiorBytes = state.interior.reduce(0) { $0 + $1.bytes }
    }
  }
}

// MARK: Names and numbers

extension Journal {
  /// A name that is the run's alone and the same in each of its lives, as a UUID (RFC 9562, version 8).
  public func identifier(for key: String) -> String {
    var hash = StableHash()
    hash.combine(seed)
    hash.combine(runID)
    hash.combine(key)
    let high = hash.value
    hash.combine(high)
    return Identifier.uuid(high: high, low: hash.value)
  }

  /// Of which the random numbers of what happens under a key come.
  public func seed(for key: String) -> UInt64 {
    var hash = StableHash()
    hash.combine(seed)
    hash.combine(key)
    return hash.value
  }
}

extension JournalEntry.Outcome {
  /// What came of `body`; only cancellation goes further: nobody knows what became of it then.
  fileprivate init(_ body: () async throws -> RawJSON) async throws {
    do {
      self = .result(try await body())
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      try Task.checkCancellation()
      self = .failed(Failure(error))
    }
  }

  public func get() throws(Failure) -> RawJSON {
    switch self {
    case .result(let result): return result
    case .failed(let failure): throw failure
    }
  }
}
