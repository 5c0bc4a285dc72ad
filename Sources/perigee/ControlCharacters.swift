// SPDX-License-Identifier: Apache-2.0

extension String {
  /// Whether a terminal would obey something in the text, be it only to go back to the line's start.
  var hasControls: Bool { unicodeScalars.contains(where: \.isControl) }

  /// The text with pictures in place of control characters: `␛` for the one that begins a terminal's commands.
  ///
  /// Line feed and tab stay.
  var withoutControls: String {
    var text = UnicodeScalarView()
    for scalar in unicodeScalars { text.append(scalar.isControl ? scalar.picture : scalar) }
    return String(text)
  }
}

extension Unicode.Scalar {
  /// C0, DEL and C1, of which `U+009B` does what ESC `[` does. Source: ECMA-48, 5.2 and 5.3.
  fileprivate var isControl: Bool {
    switch value {
    case 0x09, 0x0A: false
    case ..<0x20, 0x7F...0x9F: true
    default: false
    }
  }

  /// Source: Unicode, block Control Pictures, which has none for C1.
  fileprivate var picture: Unicode.Scalar {
    switch value {
    case ..<0x20: Unicode.Scalar(0x2400 + value) ?? "\u{FFFD}"
    case 0x7F: "\u{2421}"
    default: "\u{FFFD}"
    }
  }
}
