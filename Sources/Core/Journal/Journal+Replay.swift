// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Synchronization

/// Journals that are only read.
extension Journal {
  /// A journal that is only read: a call that is not in it ends the run.
  convenience init(
    replaying recorded: [JournalEntry], runID: String, seed: UInt64, time: any TimeSource,
    deadlines: DeadlineQueue
  ) {
    self.init(
      runID: runID, seed: seed, recorded: recorded, isFromWaiting: true, isReplay: true, store: Nowhere(),
      time: time, deadlines: deadlines)
  }

  /// Where nothing is kept.
  private struct Nowhere: JournalStore {
    func writeJournal(_ batch: JournalBatch, runID: String, done: @escaping @Sendable (Failure?) -> Void) {
      done(nil)
    }
    func journal(ofRun id: String) async throws -> [JournalEntry] { [] }
  }

  /// What the run did otherwise than before; `nil` = nothing so far.
  var divergence: Failure? {
    state.withLock { $0.refusal }.flatMap {
      ["divergence", "open"].contains($0.detail?["reason"]) ? $0 : nil
    }
  }

  /// Calls that were not made again, those of branches apart that are not run again.
  var unread: [(key: String, name: String)] {
    state.withLock { state in
      state.recorded.values.sorted { $0.number < $1.number }.filter { entry in
        !state.skipped.contains { skipped in
          entry.key.hasPrefix(skipped.prefix) && skipped.except.map(entry.key.hasPrefix) != true
        }
      }.map { ($0.key, $0.name) }
    }
  }

  /// Says that of the branches whose keys begin with `prefix` only the one is run again that begins with `except`.
  public func skip(branches prefix: String, except: String) {
    if isReplay { state.withLock { $0.skipped.append((prefix, except)) } }
  }

  /// Says that what was done under a prefix is not done again.
  func skip(under prefix: String) { state.withLock { $0.skipped.append((prefix, nil)) } }
}

extension JournalEntry {
  /// Those that are to be handed back by themselves: what lies within a call that has ended is handed back with it.
  ///
  /// - Returns: By their keys; and what the others took.
  static func withoutInner(_ entries: [JournalEntry]) -> (open: [String: JournalEntry], inherited: Usage) {
    let ended = Set(entries.lazy.filter { $0.outcome != nil }.map(\.key))
    var open: [String: JournalEntry] = [:]
    var inherited = Usage()
    for entry in entries {
      if entry.key.outerCalls.contains(where: ended.contains) {
        if let usage = entry.usage { inherited += usage }
      } else {
        // What was begun anew stands in place of what it was before.
        let earlier = open.updateValue(entry, forKey: entry.key)
        if let usage = earlier?.usage { inherited += usage }
      }
    }
    return (open, inherited)
  }

  /// What a call of a model took; `nil` for any other.
  var usage: Usage? {
    switch (name, outcome) {
    case ("model", .result(let json)), ("llm.embed", .result(let json)):
      (try? json.value()["usage"]).map { Usage(json: $0) }
    case ("model", .failed(let failure)): ModelError(recorded: failure)?.usage
    default: nil
    }
  }
}

extension String {
  /// Keys of the calls in which the call of this key may lie: `run:3` for `run:3/model.1`, `tool.0.1` for
  /// `tool.0.1#1:2`.
  fileprivate var outerCalls: some Sequence<String> {
    indices.lazy.filter { self[$0] == "/" || self[$0] == "#" }.map { String(self[..<$0]) }
  }
}

extension Failure {
  /// A script that does something on replay that it did not do before.
  static func divergence(_ call: JournalCall) -> Failure {
    Failure(
      .conflict, "the script calls \(call.name), which the run did not do there",
      detail: ["reason": "divergence", "at": .string(call.key), "before": .null, "now": .string(call.name)],
      diagnostic: "at \(call.key): \(call.name) \(call.arguments?.text.prefix(500) ?? "")")
  }

  /// A script that does something else on replay than it did before.
  static func divergence(_ call: JournalCall, from entry: JournalEntry) -> Failure {
    let what =
      entry.name == call.name
      ? "\(call.name) got other arguments than before"
      : "\(call.name) was called where it was \(entry.name) before"
    return Failure(
      .conflict, "the run cannot go on, because its script did something else than the first time: \(what)",
      detail: [
        "reason": "divergence", "at": .string(call.key), "before": .string(entry.name),
        "now": .string(call.name),
      ],
      diagnostic: "at \(call.key): \(what)"
        + (entry.arguments.map { "; before: \($0.text.prefix(500))" } ?? "")
        + (call.arguments.map { "; now: \($0.text.prefix(500))" } ?? ""))
  }

  /// A replay has come to where the run has no more to tell.
  static func open(_ entry: JournalEntry) -> Failure {
    Failure(
      .conflict, "the run has not seen the end of \(entry.name): a replay can come no further",
      detail: ["reason": "open", "at": .string(entry.key), "before": .string(entry.name), "now": .null],
      diagnostic: "at \(entry.key): \(entry.name) has no outcome")
  }
}
