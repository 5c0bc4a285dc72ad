// SPDX-License-Identifier: Apache-2.0
public import JSONCodec

/// What a file returns, as data, without running it; in the form in which the prelude describes what a run file returned.
///
/// A value that the text does not tell is a mark of its own: whoever reads it says nothing about it.
public enum StaticValue {
  /// Key that a table has when it may have more fields than are known.
  package static let openKey = "$open"
  static let unknown: JSON = ["$": "unknown"]
  static let function: JSON = ["$": "function"]
  /// Tables within tables; what is deeper is refused at load.
  static let depthMax = 40
  /// Places of a value at which one table is told: one that is its own part, or a part of many, would never end.
  static let placesMax = 500

  /// A value that is written out.
  static func constant(_ expression: Expression) -> JSON {
    let value = ReturnedTable.constant(expression)
    return value.mark == "nil" ? .null : value
  }
}

extension JSON {
  /// Whether the text of a file does not tell it.
  var isUnknown: Bool { mark == "unknown" }

  /// Whether any of it is not told.
  var hasUnknown: Bool {
    switch self {
    case .array(let list): list.contains(where: \.hasUnknown)
    case .object(let object):
      isUnknown || object.members.contains { $0.key == StaticValue.openKey || $0.value.hasUnknown }
    default: false
    }
  }
}

extension ReturnedTable {
  /// The table as data.
  ///
  /// - Parameter open: Names of the file's locals that are changed where the text does not show it.
  public func value(open: Set<String> = []) -> JSON {
    var places: [Int: Int] = [:]
    return value(of: start, open: open, depth: 0, &places)
  }

  private func value(of node: Node, open: Set<String>, depth: Int, _ places: inout [Int: Int]) -> JSON {
    guard depth <= StaticValue.depthMax else { return ["$": "deep"] }
    var isOpen = false
    let node = resolved(node) { if open.contains($0) { isOpen = true } }
    switch node.value {
    case .function: return StaticValue.function
    case .expression(let expression):
      guard case .table(let table) = expression.kind else { return Self.constant(expression) }
      let place = expression.range.start.offset
      guard places[place, default: 0] < StaticValue.placesMax else { return StaticValue.unknown }
      places[place, default: 0] += 1
      return self.value(of: table, node, open: open, isOpen: isOpen, depth: depth, &places)
    }
  }

  private func value(
    of table: Expression.Table, _ node: Node, open: Set<String>, isOpen: Bool, depth: Int,
    _ places: inout [Int: Int]
  ) -> JSON {
    var isOpen = isOpen
    var items: [JSON] = []
    var object = JSONObject()
    for key in entries(of: node) {
      let value = value(of: key.node, open: open, depth: depth + 1, &places)
      // A field that is nil is none.
      if value == Self.absent { continue }
      if key.isItem { items.append(value) } else { object.append(key.text, value) }
    }
    if case .position? = table.fields.last?.key, table.fields.last?.value.isOpen == true {
      if !items.isEmpty { items.removeLast() }
      items.append(StaticValue.unknown)
    }
    if table.fields.contains(where: { $0.keyText == nil }) { isOpen = true }
    if items.isEmpty {
      if isOpen { object.append(StaticValue.openKey, true) }
      return .object(object)
    }
    if !object.isEmpty { return ["$": "mixed"] }
    return .array(isOpen ? items + [StaticValue.unknown] : items)
  }

  /// Stands for nil.
  private static let absent: JSON = ["$": "nil"]

  fileprivate static func constant(_ expression: Expression) -> JSON {
    switch expression.core.kind {
    case .nil: return absent
    case .boolean(let value): return .bool(value)
    case .integer(let value): return .integer(value)
    case .number(let value): return .number(value)
    case .string(let bytes):
      return String(validating: bytes, as: UTF8.self).map { .string($0) } ?? StaticValue.unknown
    case .function: return StaticValue.function
    case .unary(.negate, let inner):
      switch constant(inner) {
      case .integer(let value): return .integer(0 &- value)
      case .number(let value): return .number(-value)
      default: return StaticValue.unknown
      }
    case .binary(let first, let operations):
      guard operations.allSatisfy({ $0.operator == .concatenate }) else { return StaticValue.unknown }
      var text = ""
      for part in [first] + operations.map(\.operand) {
        guard case .string(let piece) = constant(part) else { return StaticValue.unknown }
        text += piece
      }
      return .string(text)
    default:
      if let path = expression.fieldPath, path.root == "json", path.fields.map(\.text) == ["null"] {
        return .null
      }
      return StaticValue.unknown
    }
  }
}
