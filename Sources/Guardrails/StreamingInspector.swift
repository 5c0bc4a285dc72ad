// SPDX-License-Identifier: Apache-2.0

/// Masks a text that arrives in pieces.
///
/// What is shown is what ``Inspector/masked(_:style:)`` makes of the whole text, however it was cut.
/// Text is held back only from the first byte on that more text could make part of a finding: in prose,
/// the last word or two. At most that is 700 bytes, but for a web token (6 KB) and a private key
/// (16 KB), which are held until they end.
public struct StreamingInspector: Sendable {
  private let inspector: Inspector
  private let style: MaskStyle
  /// The last bytes that were shown, and those that are held back from `position` on.
  private var bytes: [UInt8] = []
  private var position = 0
  /// Where `bytes` begin in the text.
  private var offset = 0
  /// Where they ended when they were last looked at.
  private var inspected = 0
  /// How a finding that was masked already goes on.
  private var tail: Tail?
  /// What was found up to now, with offsets into the whole text.
  public private(set) var findings: [Finding] = []

  public init(_ inspector: Inspector, style: MaskStyle = .mask) {
    self.inspector = inspector
    self.style = style
  }

  /// Bytes that are held back.
  public var heldBytes: Int { bytes.count - position }

  /// Takes the next piece of the text, and returns what can be shown now, which may be nothing.
  public mutating func push(_ delta: String) -> String {
    bytes += delta.utf8
    // A long hold is looked at again after it grew by a sixteenth: the sum stays linear.
    if heldBytes > 1024, bytes.count - inspected < heldBytes / 16 { return "" }
    return advance(isWhole: false)
  }

  /// Ends the text, and returns what is left of it. A further piece begins a new text.
  public mutating func finish() -> String {
    let rest = advance(isWhole: true)
    offset += bytes.count
    bytes = []
    position = 0
    inspected = 0
    tail = nil
    return rest
  }

  private mutating func advance(isWhole: Bool) -> String {
    var shown: [UInt8] = []
    shown.reserveCapacity(heldBytes)
    var found = findings
    findings = []
    var at = position
    var open = tail
    let (scanner, style, offset) = (inspector.scanner, style, offset)
    position = bytes.withUnsafeBufferPointer { bytes in
      if let tail = open {
        at = tail.end(in: bytes, from: at)
        found[found.count - 1].range = found[found.count - 1].range.lowerBound..<(offset + at)
        if at == bytes.count { return at }
        open = nil
      }
      var reader = Reader(bytes, isWhole: isWhole)
      let end = scanner.scan(&reader, from: at) { hit in
        shown += bytes[at..<hit.match.start]
        style.write(hit.detector, bytes[hit.match.start..<hit.match.end], to: &shown)
        at = hit.match.end
        open = at == bytes.count ? hit.match.tail : nil
        found.append(
          Finding(detector: hit.detector, range: (offset + hit.match.start)..<(offset + hit.match.end)))
      }
      shown += bytes[at..<end]
      return end
    }
    findings = found
    tail = open
    forget()
    inspected = bytes.count
    return String(decoding: shown, as: UTF8.self)
  }

  /// Drops what no detector looks back at.
  private mutating func forget() {
    let kept = max(0, position - Reader.lookBehindBytes)
    guard kept > 0 else { return }
    bytes.removeFirst(kept)
    position -= kept
    offset += kept
  }
}
