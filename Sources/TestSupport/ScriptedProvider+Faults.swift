// SPDX-License-Identifier: Apache-2.0

// Replies that go wrong.
extension ScriptedProvider.Reply {
  /// How a reply goes on from the place at which it goes wrong.
  public enum Fault: Sendable {
    /// The connection is closed in good order.
    case end
    /// The connection is torn down; what was not read yet may be lost.
    case reset
    /// Nothing more comes, and the connection stays.
    case stall
    /// These bytes come instead, and then the end.
    case garbage(String)
  }

  /// The same reply as far as `text`, which is not sent any more; all of it when `text` is not in it.
  ///
  /// - Parameter gate: What goes wrong does so when it is open.
  public func broken(before text: String, by fault: Fault, after gate: Gate? = nil) -> Self {
    for (index, step) in steps.enumerated() {
      guard case .bytes(let bytes) = step, let range = bytes.firstRange(of: Array(text.utf8)) else {
        continue
      }
      let sent = steps[..<index] + [.bytes(Array(bytes[..<range.lowerBound]))]
      let broken: [Step] =
        switch fault {
        case .end: []
        case .reset: [.reset]
        case .stall: [.silence]
        case .garbage(let text): [.bytes(Array(text.utf8))]
        }
      return Self(sent + (gate.map { [.pass($0)] } ?? []) + broken, keepsConnection: false)
    }
    return self
  }

  /// The same bytes, handed to the network so many at a time.
  public func split(everyBytes count: Int) -> Self {
    let split = steps.flatMap { step -> [Step] in
      guard case .bytes(let bytes) = step else { return [step] }
      return stride(from: 0, to: bytes.count, by: count).map { start in
        .bytes(Array(bytes[start..<min(start + count, bytes.count)]))
      }
    }
    return Self(split, keepsConnection: keepsConnection)
  }

  /// The end of the connection without good order, and no answer.
  public static let reset = Self([.reset], keepsConnection: false)

  /// A head, and then these bytes over and over until so many were sent or the other side leaves.
  ///
  /// - Parameter meter: Counts the bytes that the network took.
  public static func flood(_ piece: [UInt8], bytesMax: Int, meter: FloodMeter) -> Self {
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\n"
    return Self(
      [.bytes(Array(head.utf8)), .flood(piece, count: bytesMax / piece.count, meter)], keepsConnection: false)
  }
}
