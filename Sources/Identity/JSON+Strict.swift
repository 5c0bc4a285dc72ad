// SPDX-License-Identifier: Apache-2.0
import JSONCodec

extension JSON {
  /// One object in which no key occurs twice, at any depth; `nil` for everything else.
  ///
  /// Parsers differ in which of two members counts, so a signed document may say one thing to the issuer and
  /// another to us. Source: RFC 7515, 4 and RFC 7519, 4.
  static func strictObject(_ bytes: [UInt8]) -> JSONObject? {
    guard let value = try? JSON(parsing: bytes), case .object(let object) = value, !value.repeatsKey else {
      return nil
    }
    return object
  }

  /// The parser has bounded the depth.
  private var repeatsKey: Bool {
    switch self {
    case .array(let elements): elements.contains(where: \.repeatsKey)
    case .object(let object):
      Set(object.members.lazy.map(\.key)).count < object.count
        || object.members.contains { $0.value.repeatsKey }
    default: false
    }
  }
}

extension String {
  /// Equal byte for byte; `==` also takes other spellings of one character. Source: RFC 7519, 2
  /// (StringOrURI).
  func hasSameBytes(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
