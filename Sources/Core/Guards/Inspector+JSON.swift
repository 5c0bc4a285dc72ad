// SPDX-License-Identifier: Apache-2.0
import Guardrails
import JSONCodec

extension Inspector {
  /// A value with what is found in it masked: in its texts, its whole numbers and the names of its members.
  ///
  /// - Parameters:
  ///   - findings: Gets what was found; its ranges are of the text in which it was.
  ///   - name: Of the member whose value it is, which may say that it is a password.
  func masked(
    _ value: JSON, _ findings: inout [Finding], _ style: MaskStyle = .mask, of name: String = ""
  ) -> JSON {
    switch value {
    case .null, .bool: return value
    case .integer, .number:
      guard let digits = value.wholeDigits else { return value }
      let found = self.findings(in: digits, of: name)
      findings += found
      return found.isEmpty ? value : .string(Self.masked(digits, found, style: style))
    case .string(let text):
      let found = self.findings(in: text, of: name)
      findings += found
      return .string(Self.masked(text, found, style: style))
    case .array(let elements):
      return .array(elements.map { masked($0, &findings, style, of: name) })
    case .object(let object):
      var names: Set<String> = []
      return .object(
        JSONObject(
          object.members.map { member in
            let found = self.findings(in: member.key)
            findings += found
            let name = Self.masked(member.key, found, style: style)
            return (
              names.insertUnique(name), masked(member.value, &findings, style, of: member.key)
            )
          }))
    }
  }

  /// The same failure with what is found in it masked.
  func masked(_ failure: Failure, _ findings: inout [Finding], _ style: MaskStyle = .mask) -> Failure {
    let found = self.findings(in: failure.message)
    findings += found
    return failure.saying(
      Self.masked(failure.message, found, style: style),
      failure.detail.map { masked($0, &findings, style) })
  }
}

extension Set<String> {
  /// Adds a name, or one made of it where it is there already: two names that became one stay two.
  fileprivate mutating func insertUnique(_ name: String) -> String {
    var (unique, count) = (name, 1)
    while !insert(unique).inserted {
      count += 1
      unique = "\(name) \(count)"
    }
    return unique
  }
}

extension JSON {
  /// The digits of a number that may be somebody's; `nil` for fractions and for those that have too few.
  fileprivate var wholeDigits: String? {
    switch self {
    case .integer(let number): number.magnitude < 1000 ? nil : "\(number)"
    case .number(let number):
      abs(number) >= 1000 && abs(number) < 1e18 && number.rounded() == number ? "\(Int64(number))" : nil
    default: nil
    }
  }
}
