// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// Makes the identifiers of runs, messages and sessions.
public enum Identifier {
  private static let count = Atomic<UInt64>(0)

  /// UUID version 7 (RFC 9562, 6.2, method 1): sorts by the time it was made, and within a millisecond by a counter.
  public static func uuid(at time: Timestamp) -> String {
    let number = count.wrappingAdd(1, ordering: .relaxed).oldValue & 0x0FFF
    let high = UInt64(bitPattern: time.milliseconds) << 16 | 0x7000 | number
    let low = random() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
    return format(high, low)
  }

  /// When an identifier of ``uuid(at:)`` was made; 1970 for what is none.
  public static func time(of uuid: String) -> Timestamp {
    let digits = uuid.prefix(13).filter { $0 != "-" }
    return Timestamp(milliseconds: digits.count == 12 ? Int64(digits, radix: 16) ?? 0 : 0)
  }

  /// UUID version 4 (RFC 9562): tells nothing.
  public static func randomUUID() -> String {
    let high = random() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
    let low = random() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
    return format(high, low)
  }

  /// UUID version 8 (RFC 9562) of 122 bits that somebody else has chosen.
  static func uuid(high: UInt64, low: UInt64) -> String {
    format(high & 0xFFFF_FFFF_FFFF_0FFF | 0x8000, low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
  }

  /// A number that nobody can guess.
  public static func randomNumber() -> UInt64 { random() }

  /// The system's random numbers, fetched by the dozen: a turn needs five.
  private static let numbers = Mutex<[UInt64]>([])

  private static func random() -> UInt64 {
    numbers.withLock { numbers in
      if numbers.isEmpty {
        numbers = [UInt64](repeating: 0, count: 32)
        // 256 bytes are what one call may ask for; it cannot fail for so few (getentropy(3)).
        let code = numbers.withUnsafeMutableBytes { getentropy($0.baseAddress, $0.count) }
        precondition(code == 0, "the system has no random numbers")
      }
      return numbers.removeLast()
    }
  }

  private static func format(_ high: UInt64, _ low: UInt64) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(unsafeUninitializedCapacity: 36) { buffer in
      var at = 0
      for nibble in 0..<32 {
        if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 {
          buffer[at] = UInt8(ascii: "-")
          at += 1
        }
        let half = nibble < 16 ? high : low
        buffer[at] = digits[Int(half >> UInt64(60 - 4 * (nibble % 16)) & 15)]
        at += 1
      }
      return at
    }
  }
}
