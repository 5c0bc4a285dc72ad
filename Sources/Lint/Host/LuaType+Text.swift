// SPDX-License-Identifier: Apache-2.0

extension LuaType {
  /// As an annotation writes it: `fun(ctx: perigee.Context): string`.
  public var text: String {
    switch self {
    case .named(let name): return name
    case .literal(let value): return "\"\(value)\""
    case .list(let element):
      if case .union = element { return "(\(element.text))[]" }
      return "\(element.text)[]"
    case .map(let key, let value): return "table<\(key.text), \(value.text)>"
    case .record(let fields): return "{ \(fields.map(\.signature).joined(separator: ", ")) }"
    case .function(let parameters, let returns):
      return
        "fun(\(parameters.map(\.signature).joined(separator: ", ")))\(returns.map { ": \($0.text)" } ?? "")"
    case .union(let members):
      let rest = members.filter { $0 != .nil }
      guard rest.count < members.count else { return rest.map(\.text).joined(separator: "|") }
      let isOne = rest.count == 1
      if isOne, case .function = rest[0] { return "(\(rest[0].text))?" }
      return isOne ? "\(rest[0].text)?" : rest.map(\.text).joined(separator: "|") + "|nil"
    }
  }
}

extension LuaField {
  /// `name?: type`
  public var signature: String {
    if name == "..." { return "..." }
    // What the mark says the type need not say again.
    return isOptional && type != .any ? "\(name)?: \(type.present.text)" : "\(name): \(type.text)"
  }
}
