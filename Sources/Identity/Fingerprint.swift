// SPDX-License-Identifier: Apache-2.0
import Crypto

/// SHA-256 of something, as a key of a table.
///
/// Comparing two is not constant time, and need not be: who wants to steer it must choose the hash of a text.
struct Fingerprint: Hashable, Sendable {
  private let words: (UInt64, UInt64, UInt64, UInt64)

  init(of text: String) {
    var text = text
    self = text.withUTF8 { Fingerprint(of: UnsafeRawBufferPointer($0)) }
  }

  init(of bytes: [UInt8]) {
    self = bytes.withUnsafeBytes { Fingerprint(of: $0) }
  }

  private init(of bytes: UnsafeRawBufferPointer) {
    var hash = SHA256()
    hash.update(bufferPointer: bytes)
    words = hash.finalize().withUnsafeBytes { digest in
      // SAFETY: a SHA-256 digest has 32 bytes, which are four words.
      func word(_ index: Int) -> UInt64 {
        digest.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
      }
      return (word(0), word(1), word(2), word(3))
    }
  }

  static func == (left: Fingerprint, right: Fingerprint) -> Bool {
    left.words == right.words
  }

  func hash(into hasher: inout Hasher) {
    // A quarter of a SHA-256 is as good a table key as all of it.
    hasher.combine(words.0)
  }
}
