// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// The fields of a request's body: what checks it, and what the OpenAPI document says of it.
struct BodyShape: Sendable {
  enum Kind: Sendable, Hashable {
    /// Unicode scalars at least and at most; `nil` = no limit here.
    case string(lengthMin: Int = 0, lengthMax: Int? = nil)
    case sessionID
    case uuid
    case boolean
    case integer(ClosedRange<Int64>)
    case number(ClosedRange<Double>)
    /// RFC 3339; of a query.
    case time
    case object
    /// Words of these, with commas between them; of a query.
    case words([String])
    /// Types of events, with commas between them; of a query.
    case eventTypes
  }

  struct Field: Sendable {
    let name: String
    let kind: Kind
    let isRequired: Bool
    let description: String
    /// For the OpenAPI document.
    var example: JSON?

    /// The same field, where it may be absent.
    var optional: Field {
      Field(name: name, kind: kind, isRequired: false, description: description, example: example)
    }
  }

  let fields: [Field]

  /// Whether an absent body is as good as an empty object.
  var isOptional: Bool { !fields.contains(where: \.isRequired) }

  /// Parses and checks a body; an optional field that is `null` is as good as absent.
  ///
  /// - Throws: ``Problem`` 400 that lists every fault.
  func decode(_ bytes: [UInt8]) throws(Problem) -> JSONObject {
    if bytes.isEmpty, isOptional { return JSONObject() }
    let value: JSON
    do {
      value = try JSON(parsing: bytes)
    } catch {
      throw Problem.invalid("the body is not JSON: \(error)")
    }
    guard case .object(let object) = value else {
      throw Problem.invalid("the body must be an object, not \(value.typeName)")
    }
    var faults: [Problem.Fault] = []
    for (name, value) in object.members {
      guard let field = fields.first(where: { $0.name == name }) else {
        let names = fields.map(\.name).joined(separator: ", ")
        faults.append(Problem.Fault(field: name, message: "is not a field here; there are \(names)"))
        continue
      }
      if value.isNull, !field.isRequired { continue }
      if let message = field.fault(in: value) { faults.append(Problem.Fault(field: name, message: message)) }
    }
    for field in fields where field.isRequired && object[field.name] == nil {
      faults.append(Problem.Fault(field: field.name, message: "is required"))
    }
    guard faults.isEmpty else { throw Problem.invalid(faults) }
    return object
  }
}

extension BodyShape.Field {
  /// What is wrong with a value; `nil` = nothing.
  func fault(in value: JSON) -> String? {
    switch (kind, value) {
    case (.string(let lengthMin, let lengthMax), .string(let text)):
      if text.holdsNUL { return "contains a NUL character" }
      // A character has one to four bytes: few texts have to be counted.
      let bytes = text.utf8.count
      if (bytes + 3) / 4 >= lengthMin, bytes <= lengthMax ?? .max { return nil }
      let length = text.unicodeScalars.count
      if length < lengthMin { return lengthMin == 1 ? "is empty" : "has less than \(lengthMin) characters" }
      if let lengthMax, length > lengthMax { return "has more than \(lengthMax) characters" }
      return nil
    case (.sessionID, .string(let text)):
      return ChatRequest.isSessionID(text) ? nil : ChatRequest.sessionIDRule
    case (.uuid, .string(let text)): return text.isUUID ? nil : "must be a UUID"
    case (.boolean, .bool), (.object, .object): return nil
    case (.integer(let range), _):
      guard let number = value.integer else { return "must be a whole number, not \(value.typeName)" }
      return range.contains(number) ? nil : "must be \(range.lowerBound) to \(range.upperBound)"
    case (.number(let range), _):
      guard let number = value.double else { return "must be a number, not \(value.typeName)" }
      return range.contains(number) ? nil : "must be \(range.lowerBound) to \(range.upperBound)"
    case (.time, .string(let text)):
      return Timestamp(parsing: text) == nil ? "must be a time as 2026-01-31T12:00:00Z" : nil
    case (.words(let words), .string(let text)):
      let unknown = text.split(separator: ",").first { !words.contains(String($0)) }
      return unknown.map { "'\($0)' is none; there are \(words.joined(separator: ", "))" }
    case (.eventTypes, .string(let text)):
      do {
        _ = try EventFilter(types: text.split(separator: ",").map(String.init))
        return nil
      } catch {
        return error.message
      }
    case (.string, _), (.sessionID, _), (.uuid, _), (.words, _), (.eventTypes, _), (.time, _):
      return "must be a string, not \(value.typeName)"
    case (.boolean, _): return "must be true or false, not \(value.typeName)"
    case (.object, _): return "must be an object, not \(value.typeName)"
    }
  }
}

extension String {
  /// Source: RFC 9562, 4.
  fileprivate var isUUID: Bool {
    utf8.count == 36
      && utf8.enumerated().allSatisfy { index, byte in
        [8, 13, 18, 23].contains(index)
          ? byte == UInt8(ascii: "-") : Character(UnicodeScalar(byte)).isHexDigit && byte < 0x80
      }
  }
}
