// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import LuaHost

extension LuaValue {
  /// A Lua table with these fields.
  static func fields(_ fields: KeyValuePairs<String, LuaValue?>) -> LuaValue {
    .table(fields.compactMap { field in field.value.map { LuaField(field.key, $0) } })
  }
}

extension JSON {
  /// What JSON can hold of a Lua value.
  init(_ value: LuaValue) throws(HostError) {
    switch value {
    case .nil, .null: self = .null
    case .bool(let value): self = .bool(value)
    case .integer(let number): self = .integer(number)
    case .number(let number):
      guard number.isFinite else { throw .invalid("JSON has no \(number)") }
      self = .number(number)
    case .string(let text): self = .string(text)
    case .bytes: throw .invalid("the string is not UTF-8")
    case .array(let values):
      var elements: [JSON] = []
      elements.reserveCapacity(values.count)
      for value in values { elements.append(try JSON(value)) }
      self = .array(elements)
    case .table(let fields):
      var object = JSONObject()
      for field in fields { object.append(field.key, try JSON(field.value)) }
      self = .object(object)
    case .json(let raw):
      guard let parsed = try? raw.value() else { throw .invalid("not JSON") }
      self = parsed
    }
  }
}
