// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// Reads the fields of one table that a script returned, and reports whatever is wrong with them.
///
/// A read of a wrong field reports it and answers `nil`, so that all problems of a file are found at once.
struct DefinitionReader {
  let object: JSONObject
  /// Keys that lead to the table.
  let path: [String]
  let problems: ProblemList
  /// What the table is, for messages: `an agent`.
  let noun: String

  init(_ object: JSONObject, path: [String], problems: ProblemList, noun: String) {
    self.object = object
    self.path = path
    self.problems = problems
    self.noun = noun
  }

  func report(_ key: String?, _ code: Diagnostic.Code, _ message: String, hint: String? = nil) {
    problems.add(path: key.map { path + [$0] } ?? path, code, message, hint: hint)
  }

  /// Reports every field that is not one of `known`.
  func allow(_ known: [String]) {
    for key in object.keys where !known.contains(key) && key != StaticValue.openKey {
      report(
        key, .unknownField, "\(noun) has no field '\(key)'",
        hint: Suggestion.hint(for: key, in: known) ?? "the fields are: \(known.joined(separator: ", "))")
    }
  }

  private func wrong(_ key: String, _ expected: String, _ value: JSON) {
    report(key, .wrongType, "'\(key)' must be \(expected), not \(value.describedType)")
  }

  /// What stands under a key; nil also for what a text alone does not tell.
  func value(_ key: String) -> JSON? {
    guard let value = object[key], !value.isUnknown else { return JSON?.none }
    return value
  }

  func isUnknown(_ key: String) -> Bool { object[key]?.isUnknown ?? false }

  /// Whether the table may have more fields than are known.
  var isOpen: Bool { object[StaticValue.openKey] != nil }

  func isPresent(_ key: String) -> Bool { object[key] != nil }

  func isFunction(_ key: String) -> Bool { object[key]?.isFunctionMark ?? false }

  /// True for a function; anything else is reported.
  func function(_ key: String) -> Bool {
    guard let value = value(key) else { return false }
    if !value.isFunctionMark { wrong(key, "a function", value) }
    return value.isFunctionMark
  }

  func string(_ key: String) -> String? {
    guard let value = value(key) else { return nil }
    if value.string == nil { wrong(key, "a string", value) }
    return value.string
  }

  func bool(_ key: String) -> Bool? {
    guard let value = value(key) else { return nil }
    if value.bool == nil { wrong(key, "true or false", value) }
    return value.bool
  }

  func number(_ key: String, in range: ClosedRange<Double>) -> Double? {
    guard let value = value(key) else { return nil }
    guard let number = value.double else {
      wrong(key, "a number", value)
      return nil
    }
    guard range.contains(number) else {
      report(
        key, .outOfRange,
        "'\(key)' must be \(range.lowerBound.plain) to \(range.upperBound.plain), not \(number.plain)")
      return nil
    }
    return number
  }

  func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
    guard let value = value(key) else { return nil }
    guard let number = value.integer.map({ Int(clamping: $0) }) else {
      wrong(key, "a whole number", value)
      return nil
    }
    guard range.contains(number) else {
      report(key, .outOfRange, "'\(key)' must be \(range.lowerBound) to \(range.upperBound), not \(number)")
      return nil
    }
    return number
  }

  func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, _ type: Choice.Type) -> Choice?
  where Choice.RawValue == String {
    guard let text = string(key) else { return nil }
    let names = Choice.allCases.map(\.rawValue)
    guard let choice = Choice(rawValue: text) else {
      report(
        key, .outOfRange,
        "'\(key)' must be one of \(names.map { "\"\($0)\"" }.joined(separator: ", ")), not \"\(text)\"",
        hint: Suggestion.hint(for: text, in: names))
      return nil
    }
    return choice
  }

  /// A list of anything.
  func list(_ key: String, of noun: String) -> [JSON]? {
    guard let value = value(key) else { return nil }
    if value.list == nil { wrong(key, "a list of \(noun)", value) }
    return value.list
  }

  /// A list of strings; `isSingleAllowed` also takes one string for a list of one.
  func strings(_ key: String, isSingleAllowed: Bool = false) -> [String]? {
    guard let value = value(key) else { return nil }
    if isSingleAllowed, let single = value.string { return [single] }
    guard let list = value.list else {
      wrong(key, isSingleAllowed ? "a string or a list of strings" : "a list of strings", value)
      return nil
    }
    var strings: [String] = []
    for (index, element) in list.enumerated() {
      if let text = element.string {
        strings.append(text)
      } else if !element.isUnknown {
        problems.add(
          path: path + [key, String(index + 1)], .wrongType,
          "'\(key)' is a list of strings; element \(index + 1) is \(element.describedType)")
      }
    }
    return strings
  }

  /// The reader of a table inside this one.
  func table(_ key: String, noun: String) -> DefinitionReader? {
    guard let value = value(key) else { return nil }
    guard let inner = value.object ?? (value == .array([]) ? JSONObject() : nil), !value.isMark else {
      wrong(key, "a table", value)
      return nil
    }
    return DefinitionReader(inner, path: path + [key], problems: problems, noun: noun)
  }

  func schema(_ key: String) -> Schema? {
    guard let value = value(key) else { return nil }
    if value.hasUnknown { return nil }
    if value.mark == nil, let mark = value.innerMark {
      problems.add(
        path: path + [key], .invalidSchema,
        mark == "deep" ? "the schema is nested too deeply" : "a schema is data only: it has a \(mark) in it")
      return nil
    }
    do {
      let schema = try Schema(value)
      if let caution = schema.caution {
        problems.add(path: path + [key] + caution.path, .invalidSchema, caution.message, severity: .warning)
      }
      return schema
    } catch {
      problems.add(path: path + [key] + error.path, .invalidSchema, error.message, hint: error.hint)
      return nil
    }
  }

  /// What stands for an absent capability: an option of a later version may not be silently ignored.
  func refuse(_ key: String, _ reason: String) {
    if isPresent(key) { report(key, .notAvailable, reason) }
  }
}

extension JSON {
  /// A list; Lua's empty table is one too.
  var list: [JSON]? { array ?? (object?.isEmpty == true ? [] : nil) }

  /// The first ``mark`` anywhere in the value.
  var innerMark: String? {
    if let mark { return mark }
    for member in object?.members ?? [] {
      if let mark = member.value.innerMark { return mark }
    }
    for value in array ?? [] {
      if let mark = value.innerMark { return mark }
    }
    return nil
  }

  /// What the prelude writes for a value that data cannot hold.
  var mark: String? {
    guard let object, object.count == 1 else { return nil }
    return object["$"]?.string
  }

  var isMark: Bool { mark != nil }
  var isFunctionMark: Bool { mark == "function" }

  /// The type of what a file returned.
  var returnedType: String { self == .null ? "nothing" : describedType }

  /// The type in a script author's words.
  var describedType: String {
    switch mark {
    case "function": "a function"
    case "mixed": "a table that is both a list and named"
    case .some(let other): "a \(other)"
    case nil:
      switch self {
      case .null: "json.null"
      case .bool: "a boolean"
      case .integer, .number: "a number"
      case .string: "a string"
      case .array: "a list"
      case .object: "a table"
      }
    }
  }
}

extension Double {
  /// Without a fraction where there is none.
  var plain: String { Int64(exactly: self).map(String.init) ?? "\(self)" }
}
