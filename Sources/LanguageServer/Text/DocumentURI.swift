// SPDX-License-Identifier: Apache-2.0

/// Paths as the protocol writes them. Source: RFC 8089, RFC 3986.
enum DocumentURI {
  /// Path of a `file` URI, `.` and `..` resolved; nil for any other.
  static func path(_ uri: String) -> String? {
    guard uri.lowercased().hasPrefix("file://") else { return nil }
    let rest = uri.dropFirst("file://".count)
    guard let slash = rest.firstIndex(of: "/") else { return nil }
    // A host other than this one has no files here.
    guard rest[..<slash].isEmpty || rest[..<slash] == "localhost" else { return nil }
    var bytes: [UInt8] = []
    var text = rest[slash...].prefix { $0 != "?" && $0 != "#" }.utf8
    while let byte = text.popFirst() {
      if byte == UInt8(ascii: "%"),
        let code = UInt8(String(decoding: text.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(code)
        text = text.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    guard let path = String(validating: bytes, as: UTF8.self), !path.contains("\0") else { return nil }
    var parts: [Substring] = []
    for part in path.split(separator: "/") {
      switch part {
      case ".": break
      case "..": _ = parts.popLast()
      default: parts.append(part)
      }
    }
    return "/" + parts.joined(separator: "/")
  }

  /// URI of an absolute path.
  static func uri(_ path: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var encoded = Array("file://".utf8)
    for byte in path.utf8 {
      if byte.isNamePart || "-.~/".utf8.contains(byte) {
        encoded.append(byte)
      } else {
        encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: encoded, as: UTF8.self)
  }
}
