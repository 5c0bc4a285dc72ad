// SPDX-License-Identifier: Apache-2.0
@testable import Lint

/// Trees as Lua again.
extension Block {
  var printed: String { statements.map(\.printed).joined(separator: "\n") }
}

extension Statement {
  var printed: String {
    switch kind {
    case .local(let locals, let values):
      let names = locals.map { $0.name.text + ($0.attribute?.kind.map { " <\($0.rawValue)>" } ?? "") }
      return "local " + names.joined(separator: ", ") + (values.isEmpty ? "" : " = " + values.printed)
    case .assignment(let targets, let values): return targets.printed + " = " + values.printed
    // A call that begins with a parenthesis may not continue the line above.
    case .call(let call): return ";" + call.printed
    case .do(let body): return "do\n\(body.printed)\nend"
    case .while(let condition, let body): return "while \(condition.printed) do\n\(body.printed)\nend"
    case .repeat(let body, let condition): return "repeat\n\(body.printed)\nuntil \(condition.printed)"
    case .if(let clauses, let otherwise):
      let parts = clauses.enumerated().map { index, clause in
        "\(index == 0 ? "if" : "elseif") \(clause.condition.printed) then\n\(clause.block.printed)\n"
      }
      return parts.joined() + (otherwise.map { "else\n\($0.printed)\n" } ?? "") + "end"
    case .numericFor(let name, let start, let limit, let step, let body):
      return
        "for \(name.text) = \(([start, limit] + (step.map { [$0] } ?? [])).printed) do\n\(body.printed)\nend"
    case .genericFor(let names, let values, let body):
      return "for \(names.map(\.text).joined(separator: ", ")) in \(values.printed) do\n\(body.printed)\nend"
    case .function(let name, let body):
      let path = ([name.root] + name.fields).map(\.text).joined(separator: ".")
      return "function \(path)\(name.method.map { ":\($0.text)" } ?? "")"
        + body.printed(hidingSelf: name.method != nil)
    case .localFunction(let name, let body):
      return "local function \(name.text)" + body.printed(hidingSelf: false)
    case .return(let values): return values.isEmpty ? "return" : "return " + values.printed
    case .break: return "break"
    case .goto(let name): return "goto \(name.text)"
    case .label(let name): return "::\(name.text)::"
    case .empty: return ";"
    case .invalid: return ""
    }
  }
}

extension FunctionBody {
  func printed(hidingSelf: Bool) -> String {
    let names = parameters.dropFirst(hidingSelf ? 1 : 0).map(\.text) + (isVararg ? ["..."] : [])
    return "(\(names.joined(separator: ", ")))\n\(block.printed)\nend"
  }
}

extension [Expression] {
  var printed: String { map(\.printed).joined(separator: ", ") }
}

extension Expression {
  var printed: String {
    switch kind {
    case .nil: return "nil"
    case .boolean(let value): return "\(value)"
    case .integer(let value):
      return value < 0 ? "0x" + String(UInt64(bitPattern: value), radix: 16) : "\(value)"
    case .number(let value): return value == .infinity ? "1e999" : value.isNaN ? "0/0" : "\(value)"
    case .string(let bytes):
      return "\""
        + bytes.map { byte in
          let digits = String(byte)
          return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }.joined() + "\""
    case .vararg: return "..."
    case .function(let body): return "function" + body.printed(hidingSelf: false)
    case .table(let table): return "{ " + table.fields.map(\.printed).joined(separator: ", ") + " }"
    case .name(let name): return name
    case .parenthesized(let inner): return "(\(inner.printed))"
    case .suffixed(let first, let suffixes): return first.printed + suffixes.map(\.printed).joined()
    case .unary(let sign, let inner):
      return "\(sign.rawValue) \(inner.printed)"
    case .binary(let first, let operations):
      return first.printed + operations.map { " \($0.operator.rawValue) \($0.operand.printed)" }.joined()
    case .invalid: return ""
    }
  }
}

extension Expression.Suffix {
  var printed: String {
    switch kind {
    case .field(let name): return ".\(name.text)"
    case .index(let key): return "[ \(key.printed) ]"
    case .call(let arguments): return "(\(arguments.printed))"
    case .method(let name, let arguments): return ":\(name.text)(\(arguments.printed))"
    }
  }
}

extension Expression.Field {
  var printed: String {
    switch key {
    case .position: return value.printed
    case .name(let name): return "\(name.text) = \(value.printed)"
    case .expression(let key): return "[ \(key.printed) ] = \(value.printed)"
    }
  }
}
