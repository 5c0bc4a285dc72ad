// SPDX-License-Identifier: Apache-2.0

/// Looks for personal data, secrets, swear words, hostile code and smuggled instructions in text.
///
/// Inspection is pure: the same detectors find the same things in the same text, whole or in pieces
/// (``StreamingInspector``). The time that it takes is linear in the text, whatever the text.
public struct Inspector: Sendable {
  let scanner: Scanner

  /// - Parameters:
  ///   - detectors: What to look for. ``Detector/named(_:)`` turns configured words into detectors.
  ///   - profaneWords: Words that ``Detector/profanity`` finds beside its own: whole, in any case, at
  ///     most 64 bytes each; longer ones are left out.
  /// - Complexity: Compiles tables, some 100 microseconds: make one inspector, and keep it.
  public init(_ detectors: some Sequence<Detector>, profaneWords: [String] = []) {
    scanner = Scanner(DetectorSet(detectors), profaneWords: profaneWords)
  }

  /// The findings in a text, in order; none overlaps another.
  ///
  /// Of two that overlap, the one that begins first is kept; of two that begin together, the one
  /// whose detector comes first in ``Detector``.
  ///
  /// - Complexity: O(n) in the bytes of the text; nothing is allocated where nothing is found.
  public func findings(in text: String) -> [Finding] {
    var text = text
    return text.withUTF8 { bytes in
      var findings: [Finding] = []
      var reader = Reader(bytes, isWhole: true)
      _ = scanner.scan(&reader, from: 0) { hit in
        findings.append(Finding(detector: hit.detector, range: hit.match.start..<hit.match.end))
      }
      return findings
    }
  }

  /// The findings in the value of a field: those of its text, or all of it where the field's name says that it is a
  /// password.
  public func findings(in value: String, of field: String) -> [Finding] {
    let findings = findings(in: value)
    guard scanner.detectors.contains(DetectorSet(.password)), Password.isName(field),
      Password.isValue(value)
    else { return findings }
    let all = 0..<value.utf8.count
    return findings.first?.range == all ? findings : [Finding(detector: .password, range: all)]
  }

  /// A text with its findings masked.
  public func masked(_ text: String, style: MaskStyle = .mask) -> String {
    Self.masked(text, findings(in: text), style: style)
  }

  /// A text with some findings masked, as they were found in it.
  public static func masked(_ text: String, _ findings: [Finding], style: MaskStyle = .mask) -> String {
    if findings.isEmpty { return text }
    var text = text
    return text.withUTF8 { bytes in
      var masked: [UInt8] = []
      masked.reserveCapacity(bytes.count)
      var at = 0
      for finding in findings {
        masked += bytes[at..<finding.range.lowerBound]
        style.write(finding.detector, bytes[finding.range], to: &masked)
        at = finding.range.upperBound
      }
      masked += bytes[at...]
      return String(decoding: masked, as: UTF8.self)
    }
  }
}
