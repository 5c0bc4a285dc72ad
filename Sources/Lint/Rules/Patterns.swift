// SPDX-License-Identifier: Apache-2.0

/// Patterns that Lua refuses.
enum Patterns: FileRule {
  static let malformed = Explanation(
    "P159", .error, "malformed pattern",
    "Lua refuses the pattern: a set or a capture is not closed, or it ends with `%`.",
    wrong: "return { word = function(s) return s:match(\"x\") or string.match(s, \"[%a\") end }\n",
    right: "return { word = function(s) return s:match(\"x\") or string.match(s, \"[%a]\") end }\n")
  static let explanations = [malformed]

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    let functions: Set = ["string.find", "string.match", "string.gmatch", "string.gsub"]
    func judge(_ argument: Expression?, _ arguments: ArraySlice<Expression>) {
      guard let argument, let text = argument.text, let fault = LuaPattern.fault(in: text) else { return }
      // `find` with true as its last argument takes the text as it is.
      if arguments.count > 1 { return }
      findings.add(
        malformed, at: argument.range, "this pattern is malformed: \(fault)",
        hint: "a sign is taken as itself after %")
    }
    for member in file.model.members {
      switch member.ending {
      case .called(let arguments)
      where member.variable == nil && functions.contains(member.path) && arguments.count > 1:
        judge(arguments[1], member.fields.last?.text == "gsub" ? [] : arguments.dropFirst(2))
      case .method(let name, let arguments) where functions.contains("string.\(name.text)"):
        // The value may be no string: only what could be nothing else is judged.
        guard
          file.typing.type(of: Expression(kind: .name(member.root.text), range: member.root.range))?.basic
            == .string,
          member.fields.isEmpty
        else { continue }
        judge(arguments.first, name.text == "gsub" ? [] : arguments.dropFirst())
      default: break
      }
    }
  }
}

/// What a pattern may not be.
///
/// Source: Lua 5.4 manual, 6.4.1.
enum LuaPattern {
  static func fault(in text: String) -> String? {
    let bytes = Array(text.utf8)
    var index = 0
    var captures = 0
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "%"):
        guard index + 1 < bytes.count else { return "it ends with %" }
        index += 1
        if bytes[index] == UInt8(ascii: "b") {
          guard index + 2 < bytes.count else { return "%b wants two characters" }
          index += 2
        } else if bytes[index] == UInt8(ascii: "f") {
          guard index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "[") else {
            return "%f wants a set"
          }
        }
      case UInt8(ascii: "["):
        index += 1
        if index < bytes.count, bytes[index] == UInt8(ascii: "^") { index += 1 }
        // A bracket that stands first is one of the set.
        repeat {
          guard index < bytes.count else { return "a set lacks its ]" }
          if bytes[index] == UInt8(ascii: "%") { index += 1 }
          index += 1
        } while index < bytes.count && bytes[index] != UInt8(ascii: "]")
        guard index < bytes.count else { return "a set lacks its ]" }
      case UInt8(ascii: "("): captures += 1
      case UInt8(ascii: ")"):
        captures -= 1
        if captures < 0 { return "a ) has no (" }
      default: break
      }
      index += 1
    }
    return captures > 0 ? "a ( lacks its )" : nil
  }
}
