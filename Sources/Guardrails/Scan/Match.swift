// SPDX-License-Identifier: Apache-2.0

/// What a matcher found.
struct Match: Sendable {
  /// The matcher may have begun before: a password's name is no part of the finding.
  var start: Int
  var end: Int
  /// What the finding also covers, however long, when it was too long to be read to its end.
  var tail: Tail?

  init(_ start: Int, _ end: Int, tail: Tail? = nil) {
    self.start = start
    self.end = end
    self.tail = tail
  }
}

/// How a finding goes on after it was decided upon.
enum Tail: Sendable {
  case bytes(ByteSet)
  case invisible

  /// The end of the finding, as far as the bytes go.
  func end(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    var index = start
    switch self {
    case .bytes(let set):
      while index < bytes.count, set.contains(bytes[index]) { index += 1 }
    case .invisible:
      // Whole scalars arrive, so that what stands at the end is not half of one.
      var reader = Reader(bytes, isWhole: true)
      while let length = Invisible.length(in: &reader, at: index) { index += length }
    }
    return index
  }
}
