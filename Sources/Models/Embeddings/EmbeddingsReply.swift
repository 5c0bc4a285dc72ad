// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import JSONCodec

/// What came back for one request for embeddings.
struct EmbeddingsReply: AttemptResult {
  /// In the order of the inputs.
  let vectors: [[Float]]
  let countedTokens: Int?
  var isInterrupted: Bool { false }

  /// Reads a list of embeddings, which may stand in any order.
  ///
  /// - Returns: `nil` unless there is exactly one vector for each of `count` inputs.
  init?(_ json: JSON, count: Int) {
    guard let data = json["data"]?.array, data.count == count else { return nil }
    var vectors = [[Float]?](repeating: nil, count: count)
    for (place, item) in data.enumerated() {
      let index = item["index"]?.integer.flatMap { Int(exactly: $0) } ?? place
      guard vectors.indices.contains(index), vectors[index] == nil,
        let vector = Self.vector(item["embedding"]), !vector.isEmpty
      else { return nil }
      vectors[index] = vector
    }
    self.vectors = vectors.compactMap(\.self)
    let usage = json["usage"]
    countedTokens = (usage?["prompt_tokens"] ?? usage?["total_tokens"])?.integer.flatMap {
      Int(exactly: max(0, $0))
    }
  }

  /// Numbers, or the base64 of little-endian floats; some servers give numbers whatever they are asked for.
  private static func vector(_ json: JSON?) -> [Float]? {
    switch json {
    case .string(let text): return Base64.floats(text)
    case .array(let numbers):
      let floats = numbers.compactMap { $0.double.map { Float($0) } }
      return floats.count == numbers.count ? floats : nil
    default: return nil
    }
  }
}

/// Source: RFC 4648, 4.
enum Base64 {
  /// Numbers of 32 bits, the lowest byte first; `nil` for what is none.
  static func floats(_ text: String) -> [Float]? {
    guard let bytes = decode(text), bytes.count % 4 == 0 else { return nil }
    return bytes.withUnsafeBytes { bytes in
      (0..<bytes.count / 4).map {
        Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
      }
    }
  }

  /// The reverse of ``floats(_:)``.
  static func encode(_ floats: [Float]) -> String {
    var bytes = Data(capacity: floats.count * 4)
    for number in floats {
      withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }
    return bytes.base64EncodedString()
  }

  /// Returns `nil` for what is not base64; padding may be left out.
  static func decode(_ text: String) -> [UInt8]? {
    var text = text
    return text.withUTF8 { digits in
      var end = digits.count
      while end > 0, digits.count - end < 2, digits[end - 1] == UInt8(ascii: "=") { end -= 1 }
      guard end % 4 != 1 else { return nil }
      var bytes: [UInt8] = []
      bytes.reserveCapacity(end * 3 / 4)
      var bits: UInt32 = 0
      for (index, digit) in digits[..<end].enumerated() {
        let value = values[Int(digit)]
        guard value < 64 else { return nil }
        bits = bits << 6 | UInt32(value)
        switch index % 4 {
        case 1: bytes.append(UInt8(truncatingIfNeeded: bits >> 4))
        case 2: bytes.append(UInt8(truncatingIfNeeded: bits >> 2))
        case 3: bytes.append(UInt8(truncatingIfNeeded: bits))
        default: break
        }
      }
      return bytes
    }
  }

  /// By byte: the digit's value, 255 for what is none.
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: 255, count: 256)
    for (value, digit) in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8.enumerated()
    {
      values[Int(digit)] = UInt8(value)
    }
    return values
  }()
}
