// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import JSONCodec

/// An object of a request, read field by field; a fault names its field by its path, `messages[0].role`.
///
/// `null` is as good as absent, and fields that nobody asks for are passed over, as OpenAI's own clients expect.
struct Fields {
  let object: JSONObject
  /// Empty for the body itself.
  let path: String

  init(_ object: JSONObject, at path: String = "") {
    self.object = object
    self.path = path
  }

  func name(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  subscript(key: String) -> JSON? {
    guard let value = object[key], !value.isNull else { return nil }
    return value
  }

  func string(_ key: String) throws(Problem) -> String? {
    try value(key, "a string", \.string)
  }

  func requiredString(_ key: String) throws(Problem) -> String {
    guard let text = try string(key) else { throw .missing(name(of: key)) }
    return text
  }

  func bool(_ key: String) throws(Problem) -> Bool? { try value(key, "true or false", \.bool) }

  func number(_ key: String, in range: ClosedRange<Double>) throws(Problem) -> Double? {
    guard let number = try value(key, "a number", \.double) else { return nil }
    guard range.contains(number) else {
      throw .wrong(name(of: key), "must be from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// A whole number of at least 1.
  func count(_ key: String) throws(Problem) -> Int? {
    guard let number = try value(key, "a whole number", \.integer) else { return nil }
    guard number >= 1 else { throw .wrong(name(of: key), "must be at least 1") }
    return Int(clamping: number)
  }

  func fields(_ key: String) throws(Problem) -> Fields? {
    try value(key, "an object", \.object).map { Fields($0, at: name(of: key)) }
  }

  func requiredFields(_ key: String) throws(Problem) -> Fields {
    guard let fields = try fields(key) else { throw .missing(name(of: key)) }
    return fields
  }

  /// The objects of a list.
  func list(_ key: String) throws(Problem) -> [Fields]? {
    guard let elements = try value(key, "a list", \.array) else { return nil }
    return try Fields.list(elements, at: name(of: key))
  }

  static func list(_ elements: [JSON], at path: String) throws(Problem) -> [Fields] {
    var list: [Fields] = []
    for (index, element) in elements.enumerated() {
      let path = "\(path)[\(index)]"
      guard let object = element.object else {
        throw .wrong(path, "must be an object, not \(element.typeName)", code: "invalid_type")
      }
      list.append(Fields(object, at: path))
    }
    return list
  }

  /// Refuses a field whose meaning would be lost.
  func refuse(_ key: String, _ why: String, unless isHarmless: (JSON) -> Bool = { _ in false })
    throws(Problem)
  {
    guard let value = self[key], !isHarmless(value) else { return }
    throw .wrong(name(of: key), why, code: "unsupported_parameter")
  }

  private func value<Value>(
    _ key: String, _ kind: String, _ get: (JSON) -> Value?
  ) throws(Problem) -> Value? {
    guard let json = self[key] else { return nil }
    guard let value = get(json) else {
      throw .wrong(name(of: key), "must be \(kind), not \(json.typeName)", code: "invalid_type")
    }
    return value
  }
}

extension Problem {
  /// A field that is wrong.
  static func wrong(_ field: String, _ message: String, code: String = "invalid_value") -> Problem {
    Problem(
      status: .badRequest, code: code, detail: "\(field) \(message)",
      faults: [Fault(field: field, message: message)])
  }

  static func missing(_ field: String) -> Problem {
    .wrong(field, "is required", code: "missing_required_parameter")
  }
}
