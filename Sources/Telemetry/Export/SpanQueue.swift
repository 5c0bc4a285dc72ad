// SPDX-License-Identifier: Apache-2.0

/// Spans that wait to be sent, those under way included, in the order in which they came.
struct SpanQueue: Sendable {
  private struct Entry {
    let span: Span
    let bytes: Int
  }

  private let options: SpanExporter.Options
  private var entries: [Entry] = []
  private(set) var bytes = 0

  init(_ options: SpanExporter.Options) { self.options = options }

  var count: Int { entries.count }
  var isEmpty: Bool { entries.isEmpty }

  /// Whether there is as much as one request takes.
  var hasBatch: Bool { count >= options.batchSpansMax || bytes >= options.batchBytesMax }

  /// Takes the span in, if there is room.
  ///
  /// - Parameter bytes: ``Span/approximateBytes``, counted outside of the lock.
  /// - Returns: Whether there was.
  mutating func append(_ span: Span, bytes: Int) -> Bool {
    guard count < options.spansMax, self.bytes + bytes <= options.bytesMax else { return false }
    entries.append(Entry(span: span, bytes: bytes))
    self.bytes += bytes
    return true
  }

  /// The oldest, as many as one request takes: one at least. They stay here until ``remove(_:)``.
  func batch() -> [Span] {
    var bytes = 0
    var spans: [Span] = []
    for entry in entries.prefix(options.batchSpansMax) {
      bytes += entry.bytes
      if bytes > options.batchBytesMax && !spans.isEmpty { break }
      spans.append(entry.span)
    }
    return spans
  }

  /// Complexity: O(``count``), once a request.
  mutating func remove(_ count: Int) {
    for entry in entries.prefix(count) { bytes -= entry.bytes }
    entries.removeFirst(min(count, entries.count))
  }
}
