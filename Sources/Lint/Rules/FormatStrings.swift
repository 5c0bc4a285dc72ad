// SPDX-License-Identifier: Apache-2.0

/// `string.format` against its arguments.
enum FormatStrings: FileRule {
  static let format = Explanation(
    "P154", .error, "format and arguments do not fit",
    "An argument is missing or of a type that the format does not take, or the format is none: the call raises. One argument too many is a warning.",
    wrong: "return { show = function(n, name) return string.format(\"%d: %s\", n) .. name end }\n",
    right: "return { show = function(n, name) return string.format(\"%d: %s\", n, name) end }\n")
  static let explanations = [format]

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    for member in file.model.members where member.variable == nil && member.path == "string.format" {
      guard let arguments = member.arguments, let first = arguments.first, let text = first.text else {
        continue
      }
      check(text, first, Array(arguments.dropFirst()), at: member.range, in: file, &findings)
    }
    for call in file.model.stringMethods where call.name.text == "format" {
      guard let text = call.receiver.text else { continue }
      check(text, call.receiver, call.arguments, at: call.range, in: file, &findings)
    }
  }

  private static func check(
    _ text: String, _ format: Expression, _ arguments: [Expression], at range: SourceRange,
    in file: LintedFile,
    _ findings: inout Findings
  ) {
    guard let items = items(of: text) else {
      findings.add(
        self.format, at: format.range, "this is no format of string.format",
        hint: "a percent sign itself is written %%")
      return
    }
    let isOpen = arguments.last?.isOpen == true
    if !isOpen, arguments.count < items.count {
      findings.add(
        self.format, at: range,
        "the format has \(items.count) item\(items.count == 1 ? "" : "s") and gets \(arguments.count) argument\(arguments.count == 1 ? "" : "s")"
      )
    } else if arguments.count - (isOpen ? 1 : 0) > items.count {
      findings.add(
        self.format, at: arguments[items.count].range,
        "the format has only \(items.count) item\(items.count == 1 ? "" : "s")",
        severity: .warning)
    }
    for (item, argument) in zip(items, arguments) where !argument.isOpen {
      guard let actual = file.typing.type(of: argument)?.basic, !takes(item, actual, argument) else {
        continue
      }
      findings.add(self.format, at: argument.range, "%\(item) does not take a \(actual.rawValue)")
    }
  }

  /// Letters of the items; nil for a text that string.format refuses.
  ///
  /// Source: Lua 5.4 manual, 6.4 (string.format).
  static func items(of text: String) -> [Character]? {
    var items: [Character] = []
    var rest = Substring(text)
    while let percent = rest.firstIndex(of: "%") {
      rest = rest[rest.index(after: percent)...]
      if rest.first == "%" {
        rest.removeFirst()
        continue
      }
      rest = rest.drop { "-+ #0".contains($0) }
      rest = rest.drop(while: \.isNumber)
      if rest.first == "." { rest = rest.dropFirst().drop(while: \.isNumber) }
      guard let letter = rest.popFirst(), "diuoxXcsqaAeEfgGp".contains(letter) else { return nil }
      items.append(letter)
    }
    return items
  }

  private static func takes(_ item: Character, _ type: BasicType, _ argument: Expression) -> Bool {
    switch item {
    case "s", "p": true
    case "q": type != .table && type != .function
    default:
      switch type {
      case .number: true
      // A string of digits is converted.
      case .string: argument.text.map { Double($0) != nil } ?? true
      default: false
      }
    }
  }
}
