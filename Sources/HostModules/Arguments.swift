// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import LuaHost

/// The arguments of one host call, read with Lua's own messages: `bad argument #1 to 'http.get' (string expected, got nil)`.
struct Arguments {
  let values: [LuaValue]
  let function: String
  let site: CallSite

  init(_ values: [LuaValue], of function: String, at site: CallSite) {
    self.values = values
    self.function = function
    self.site = site
  }

  /// Without the first, which was the prelude's.
  var rest: Arguments { Arguments(Array(values.dropFirst()), of: function, at: site) }

  func value(_ position: Int) -> LuaValue { position <= values.count ? values[position - 1] : .nil }

  func fault(_ position: Int, _ message: String) -> HostError {
    .invalid("bad argument #\(position) to '\(function)' (\(message))")
  }

  private func wrongType(_ position: Int, _ expected: String) -> HostError {
    fault(position, "\(expected) expected, got \(value(position).typeName)")
  }

  func string(_ position: Int) throws(HostError) -> String {
    switch value(position) {
    case .string(let text): return text
    case .bytes: throw fault(position, "the string is not UTF-8")
    case .integer(let number): return String(number)
    case .number(let number): return "\(number)"
    default: throw wrongType(position, "string")
    }
  }

  /// The bytes of a string, whether or not it is UTF-8.
  func bytes(_ position: Int) throws(HostError) -> [UInt8] {
    switch value(position) {
    case .string(let text): return Array(text.utf8)
    case .bytes(let bytes): return bytes
    default: throw wrongType(position, "string")
    }
  }

  func integer(_ position: Int) throws(HostError) -> Int64 {
    guard let number = value(position).integer else { throw wrongType(position, "integer") }
    return number
  }

  func number(_ position: Int) throws(HostError) -> Double {
    guard let number = value(position).double else { throw wrongType(position, "number") }
    return number
  }

  func isAbsent(_ position: Int) -> Bool { value(position) == .nil }

  /// Any value that JSON can hold.
  func json(_ position: Int) throws(HostError) -> JSON {
    do {
      return try JSON(value(position))
    } catch {
      throw fault(position, error.message)
    }
  }

  /// The named options of a table; an unknown name is an error with the known ones.
  func options(_ position: Int, _ known: Set<String>) throws(HostError) -> Options {
    switch value(position) {
    case .nil: return Options(fields: [:], arguments: self, position: position)
    case .table(let fields):
      if let stranger = fields.first(where: { !known.contains($0.key) }) {
        throw fault(
          position, "unknown option '\(stranger.key)'; known: \(known.sorted().joined(separator: ", "))")
      }
      return Options(
        fields: Dictionary(fields.map { ($0.key, $0.value) }) { _, last in last }, arguments: self,
        position: position)
    case .array(let list) where list.isEmpty: return Options(fields: [:], arguments: self, position: position)
    default: throw wrongType(position, "table")
    }
  }
}

/// A table of named options.
struct Options {
  let fields: [String: LuaValue]
  let arguments: Arguments
  let position: Int

  subscript(name: String) -> LuaValue? { fields[name] }

  private func wrong(_ name: String, _ expected: String) -> HostError {
    arguments.fault(
      position, "option '\(name)': \(expected) expected, got \((fields[name] ?? .nil).typeName)")
  }

  func string(_ name: String) throws(HostError) -> String? {
    switch fields[name] {
    case nil, .nil: return nil
    case .string(let text): return text
    default: throw wrong(name, "string")
    }
  }

  func bytes(_ name: String) throws(HostError) -> [UInt8]? {
    switch fields[name] {
    case nil, .nil: return nil
    case .string(let text): return Array(text.utf8)
    case .bytes(let bytes): return bytes
    default: throw wrong(name, "string")
    }
  }

  func number(_ name: String) throws(HostError) -> Double? {
    guard let value = fields[name], value != .nil else { return nil }
    guard let number = value.double else { throw wrong(name, "number") }
    return number
  }

  /// A positive number of seconds.
  func seconds(_ name: String) throws(HostError) -> Double? {
    guard let seconds = try number(name) else { return nil }
    guard seconds > 0, seconds <= 1e9 else { throw wrong(name, "a positive number of seconds") }
    return seconds
  }

  func integer(_ name: String) throws(HostError) -> Int? {
    guard let value = fields[name], value != .nil else { return nil }
    guard let number = value.integer else { throw wrong(name, "integer") }
    return Int(clamping: number)
  }

  func json(_ name: String) throws(HostError) -> JSON? {
    guard let value = fields[name], value != .nil else { return nil }
    do {
      return try JSON(value)
    } catch {
      throw arguments.fault(position, "option '\(name)': \(error.message)")
    }
  }

  func list(_ name: String) throws(HostError) -> [LuaValue]? {
    switch fields[name] {
    case nil, .nil: return nil
    case .array(let list): return list
    case .table(let fields) where fields.isEmpty: return []
    default: throw wrong(name, "list")
    }
  }

  func strings(_ name: String) throws(HostError) -> [String]? {
    guard let list = try list(name) else { return nil }
    var strings: [String] = []
    for case let value in list {
      guard case .string(let text) = value else { throw wrong(name, "list of strings") }
      strings.append(text)
    }
    return strings
  }

  func table(_ name: String) throws(HostError) -> [(key: String, value: LuaValue)]? {
    switch fields[name] {
    case nil, .nil: return nil
    case .table(let fields): return fields.map { ($0.key, $0.value) }
    case .array(let list) where list.isEmpty: return []
    default: throw wrong(name, "table")
    }
  }
}
