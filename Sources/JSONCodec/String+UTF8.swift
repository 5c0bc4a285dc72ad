// SPDX-License-Identifier: Apache-2.0

extension String {
  /// The text's bytes, where they are in nearly all cases; `withUTF8` needs a copy of the string that may be changed.
  @inlinable public func withUTF8Bytes<Result>(
    _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
  ) rethrows -> Result {
    if let result = try utf8.withContiguousStorageIfAvailable(body) { return result }
    var text = self
    return try text.withUTF8(body)
  }
}
