// SPDX-License-Identifier: Apache-2.0

/// Bytes that are appended to, without the checks that an array makes for each of them.
struct OutputBuffer: ~Copyable {
  private(set) var count = 0
  private var capacity: Int
  private var start: UnsafeMutablePointer<UInt8>

  init(capacity: Int) {
    self.capacity = max(capacity, 64)
    start = .allocate(capacity: self.capacity)
  }

  deinit { start.deallocate() }

  var bytes: [UInt8] { Array(UnsafeBufferPointer(start: start, count: count)) }

  func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
    body(UnsafeRawBufferPointer(start: start, count: count))
  }

  /// Makes room for `extra` more bytes.
  ///
  /// - Returns: Where they begin; valid until the next call.
  @inline(__always) mutating func reserve(_ extra: Int) -> UnsafeMutablePointer<UInt8> {
    if capacity - count < extra { grow(extra) }
    return start + count
  }

  /// Counts bytes that were written where ``reserve(_:)`` made room for as many.
  @inline(__always) mutating func commit(_ written: Int) { count += written }

  @inline(__always) mutating func append(_ byte: UInt8) {
    reserve(1).pointee = byte
    commit(1)
  }

  @inline(__always) mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let source = bytes.baseAddress else { return }
    reserve(bytes.count).update(from: source, count: bytes.count)
    commit(bytes.count)
  }

  @inline(never) private mutating func grow(_ extra: Int) {
    capacity = max(capacity * 2, count + extra)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    larger.update(from: start, count: count)
    start.deallocate()
    start = larger
  }
}
