// SPDX-License-Identifier: Apache-2.0

/// Sizes and durations as people write them.
enum Quantity {
  private static let byteUnits: [(name: String, bytes: Double)] = [
    ("gib", 1_073_741_824), ("mib", 1_048_576), ("kib", 1024), ("gb", 1_073_741_824), ("mb", 1_048_576),
    ("kb", 1024), ("b", 1), ("", 1),
  ]
  private static let timeUnits: [(name: String, seconds: Double)] = [
    ("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400), ("", 1),
  ]

  /// Bytes of `10MB`, `1.5 GB` or `4096`; a kilobyte is 1024 bytes.
  static func bytes(_ text: String) -> Int? {
    guard let (number, unit) = split(text, byteUnits.map(\.name)) else { return nil }
    let bytes = number * byteUnits[unit].bytes
    return bytes < 9e18 ? Int(bytes) : nil
  }

  /// Duration of `500ms`, `30s`, `5m`, `48h`, `2d` or a plain count of seconds.
  static func duration(_ text: String) -> Duration? {
    guard let (number, unit) = split(text, timeUnits.map(\.name)) else { return nil }
    return duration(seconds: number * timeUnits[unit].seconds)
  }

  /// `nil` when the count is negative or longer than 100 years.
  static func duration(seconds: Double) -> Duration? {
    guard seconds >= 0, seconds <= 3_155_760_000 else { return nil }
    return .milliseconds(Int((seconds * 1000).rounded()))
  }

  private static func split(_ text: String, _ units: [String]) -> (number: Double, unit: Int)? {
    let lowered = text.lowercased()
    let digits = lowered.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let rest = lowered[digits.endIndex...].drop { $0 == " " }
    guard let unit = units.firstIndex(of: String(rest)), let number = Double(digits) else { return nil }
    return (number, unit)
  }

  /// Shortest exact way to write a count of bytes.
  static func text(bytes: Int) -> String {
    for (unit, size) in [("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)]
    where bytes != 0 && bytes % size == 0 {
      return "\(bytes / size)\(unit)"
    }
    return "\(bytes)"
  }

  /// Number without a fraction where it has none.
  static func text(_ number: Double) -> String {
    number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
  }
}

extension Duration {
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
