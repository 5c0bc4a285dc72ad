// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// The messages that the latest turns of sessions read and wrote, so that the next turn does not read them again.
///
/// What was used longest ago goes first: once the newer half is full the older one is dropped and the newer takes its
/// place.
struct HistoryCache {
  /// Which messages of a session a turn may read.
  struct Window: Hashable {
    /// Key of the oldest.
    let first: Int64
    /// Messages at most; of whole turns.
    let count: Int
  }

  private struct Entry {
    let window: Window
    var history: TurnHistory
    /// Rows of the session, an open turn's question apart.
    var messageCount: Int64
    /// Of the turn that has begun and not ended.
    var question: Message?
    var bytes: Int
  }

  private let bytesMax: Int
  private var newer: [Int64: Entry] = [:]
  private var older: [Int64: Entry] = [:]
  private var newerBytes = 0

  /// - Parameter bytesMax: That both halves together may take, about: a few hundred conversations. Of eight times as much
  ///   nothing is gained any more, as what is read has left the processor's own caches.
  init(bytesMax: Int = 4 << 20) { self.bytesMax = bytesMax }

  /// What a turn of the session reads; `nil` = not known.
  ///
  /// - Parameter messageCount: Rows of the session now.
  func history(of session: Int64, in window: Window, messageCount: Int64) -> TurnHistory? {
    guard let entry = newer[session] ?? older[session], entry.window == window, entry.question == nil,
      entry.messageCount == messageCount
    else { return nil }
    return entry.history
  }

  /// A turn has begun, which reads `history`; it is kept where the rows after it say all that the next turn reads.
  ///
  /// - Parameter messageCount: Rows of the session without the turn's own.
  mutating func begin(
    _ question: Message, after history: TurnHistory, in window: Window, of session: Int64, messageCount: Int64
  ) {
    var entry: Entry
    if let known = remove(session), known.window == window, known.messageCount == messageCount {
      entry = known
    } else {
      guard history.isPlain else { return }
      entry = Entry(
        window: window, history: history, messageCount: messageCount,
        bytes: history.messages.reduce(Self.entryBytes) { $0 + $1.cachedBytes })
    }
    entry.question = question
    insert(entry, of: session)
  }

  /// The turn that began last has ended.
  ///
  /// - Parameter messageCount: Rows of the session without the answer.
  mutating func end(with answer: Message, of session: Int64, messageCount: Int64) {
    guard var entry = remove(session), let question = entry.question, question.runID == answer.runID,
      entry.messageCount + 1 == messageCount
    else { return }
    entry.question = nil
    entry.messageCount += 2
    entry.bytes += question.cachedBytes + answer.cachedBytes
    for message in entry.history.append(question, answer, keeping: entry.window.count) {
      entry.bytes -= message.cachedBytes
    }
    insert(entry, of: session)
  }

  mutating func forget(_ session: Int64) { remove(session) }

  mutating func removeAll() {
    if newer.isEmpty, older.isEmpty { return }
    self = HistoryCache(bytesMax: bytesMax)
  }

  @discardableResult private mutating func remove(_ session: Int64) -> Entry? {
    guard let entry = newer.removeValue(forKey: session) else { return older.removeValue(forKey: session) }
    newerBytes -= entry.bytes
    return entry
  }

  private mutating func insert(_ entry: Entry, of session: Int64) {
    // One that is larger than a half has no place in either.
    guard entry.bytes <= bytesMax / 2 else { return }
    if newerBytes + entry.bytes > bytesMax / 2 {
      older = newer
      newer = [:]
      newerBytes = 0
    }
    newer[session] = entry
    newerBytes += entry.bytes
  }

  /// Of a session, beside its messages.
  private static let entryBytes = 256
}

extension Message {
  /// What it takes in memory, about: texts as they are, as the model reads them and as JSON, and the objects around them.
  fileprivate var cachedBytes: Int {
    let steps = steps.reduce(0) { sum, step in
      step.calls.reduce(sum + 3 * step.text.utf8.count) { sum, call in
        let read = call.arguments.bytes.count + call.modelBytes
        return sum + call.keptBytes + 3 * read + 512
      }
    }
    return 3 * text.utf8.count + steps + 512
  }
}

extension ToolCall {
  /// Of its outcome, all of it.
  fileprivate var keptBytes: Int {
    switch outcome {
    case .result(let json): json.bytes.count
    case .failed(let failure): failure.message.utf8.count
    }
  }
}
