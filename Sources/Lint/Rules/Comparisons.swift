// SPDX-License-Identifier: Apache-2.0
import Core

/// Comparisons that always give the same, or not what they seem to.
enum Comparisons: FileRule {
  static let never = Explanation(
    "P141", .warning, "comparison that never holds",
    "A new table or function equals nothing but itself, and values of different types are never equal: Lua does not convert them. Ordering a number and a string raises.",
    wrong: "return { isEmpty = function(list) return list == {} end }\n",
    right: "return { isEmpty = function(list) return next(list) == nil end }\n")
  static let typeName = Explanation(
    "P142", .warning, "unknown name of a type",
    "`type` gives nil, boolean, number, string, table, function, thread or userdata; `math.type` gives integer, float or nil.",
    wrong: "return { isText = function(x) return type(x) == \"str\" end }\n",
    right: "return { isText = function(x) return type(x) == \"string\" end }\n")
  static let negated = Explanation(
    "P143", .warning, "`not` holds tighter than the comparison",
    "`not a == b` is `(not a) == b`. Write `a ~= b`, or the parentheses if they are meant.",
    wrong: "return { differs = function(a, b) return not a == b end }\n",
    right: "return { differs = function(a, b) return a ~= b end }\n")
  static let explanations = [never, typeName, negated]

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    for operation in file.model.operations {
      switch operation.operator {
      case .equal, .notEqual: equality(operation, in: file, &findings)
      case .less, .lessOrEqual, .greater, .greaterOrEqual: order(operation, in: file, &findings)
      default: break
      }
    }
  }

  private static func equality(
    _ operation: FileModel.Operation, in file: LintedFile, _ findings: inout Findings
  ) {
    let always = operation.operator == .equal ? "never" : "always"
    for (side, other) in [(operation.left, operation.right), (operation.right, operation.left)] {
      if case .unary(.not, let inner) = side.kind, side.range == operation.left.range, !isBoolean(other) {
        findings.add(
          negated, at: operation.range, "this compares 'not …' with the other side",
          hint:
            "write \(file.source[inner.range]) \(operation.operator == .equal ? "~=" : "==") \(file.source[other.range])"
        )
        return
      }
      if isTypeName(side, other, operation, in: file, &findings) { return }
      switch side.core.kind {
      case .table, .function:
        let noun = if case .table = side.core.kind { "table" } else { "function" }
        findings.add(
          never, at: operation.range,
          "a new \(noun) \(always == "never" ? "never equals" : "always differs from") anything",
          hint: noun == "table" ? "next(t) == nil asks whether a table is empty" : nil)
        return
      default: break
      }
    }
    guard let left = file.typing.type(of: operation.left)?.basic,
      let right = file.typing.type(of: operation.right)?.basic,
      left != right, left != .nil, right != .nil, left != .userdata, right != .userdata
    else { return }
    findings.add(
      never, at: operation.range,
      "a \(left.rawValue) and a \(right.rawValue) are \(always == "never" ? "never equal" : "always different")",
      hint: [left, right].contains(.number) && [left, right].contains(.string)
        ? "tonumber or tostring converts" : nil)
  }

  /// Whether `side` is a call of `type`, so that `other` has to be a type's name.
  private static func isTypeName(
    _ side: Expression, _ other: Expression, _ operation: FileModel.Operation, in file: LintedFile,
    _ findings: inout Findings
  ) -> Bool {
    guard case .suffixed(let first, let suffixes) = side.core.kind, suffixes.last?.isCall == true,
      case .name(let root) = first.kind, file.model.variable(first) == nil
    else { return false }
    let names: [String]
    switch (root, suffixes.count) {
    case ("type", 1): names = BasicType.allCases.map(\.rawValue)
    case ("math", 2):
      guard case .field(let name) = suffixes[0].kind, name.text == "type" else { return false }
      names = ["integer", "float"]
    default: return false
    }
    if case .nil = other.core.kind, root == "type" {
      findings.add(never, at: operation.range, "type(…) is a string, never nil", hint: "write \"nil\"")
      return true
    }
    guard let text = other.text else { return false }
    if !names.contains(text) {
      findings.add(
        typeName, at: other.range, "'\(text)' is no type's name",
        hint: Suggestion.hint(for: text, in: names) ?? known[text].map { "did you mean '\($0)'?" }
          ?? "they are: \(names.joined(separator: ", "))")
    }
    return true
  }

  /// What other languages call them.
  private static let known = [
    "str": "string", "int": "number", "integer": "number", "float": "number", "bool": "boolean",
    "array": "table",
    "object": "table", "list": "table", "dict": "table", "func": "function", "null": "nil", "None": "nil",
  ]

  private static func order(
    _ operation: FileModel.Operation, in file: LintedFile, _ findings: inout Findings
  ) {
    guard let left = file.typing.type(of: operation.left)?.basic,
      let right = file.typing.type(of: operation.right)?.basic
    else { return }
    let pair: Set = [left, right]
    let isWrong =
      pair == [.number, .string] || pair.contains(.nil) || pair.contains(.boolean)
      || pair == [.function] || pair == [.function, .number] || pair == [.function, .string]
    guard isWrong else { return }
    findings.add(
      never, at: operation.range, "a \(left.rawValue) and a \(right.rawValue) have no order: this raises",
      hint: pair == [.number, .string] ? "tonumber or tostring converts" : nil)
  }

  private static func isBoolean(_ expression: Expression) -> Bool {
    switch expression.core.kind {
    case .boolean, .unary(.not, _): true
    case .binary(_, let operations):
      switch operations.last?.operator {
      case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: true
      default: false
      }
    default: false
    }
  }
}
