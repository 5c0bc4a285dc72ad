// SPDX-License-Identifier: Apache-2.0
@testable import Lint

/// Trees as short texts, for comparing.
extension Block {
  var outline: String { statements.map(\.outline).joined(separator: "; ") }
}

extension Statement {
  var outline: String {
    switch kind {
    case .local(let locals, let values):
      let names = locals.map { $0.name.text + ($0.attribute?.kind.map { "<\($0)>" } ?? "") }
      return (["local"] + names + ["="] + values.map(\.outline)).joined(separator: " ")
    case .assignment(let targets, let values):
      return (targets.map(\.outline) + ["="] + values.map(\.outline)).joined(separator: " ")
    case .call(let call): return "call \(call.outline)"
    case .do(let body): return "do (\(body.outline))"
    case .while(let condition, let body): return "while \(condition.outline) (\(body.outline))"
    case .repeat(let body, let condition): return "repeat (\(body.outline)) \(condition.outline)"
    case .if(let clauses, let otherwise):
      let parts = clauses.map { "\($0.condition.outline) (\($0.block.outline))" }
      return (["if"] + parts + (otherwise.map { ["else (\($0.outline))"] } ?? [])).joined(separator: " ")
    case .numericFor(let name, let start, let limit, let step, let body):
      let values = [start, limit, step].compactMap { $0?.outline }.joined(separator: " ")
      return "for \(name.text) \(values) (\(body.outline))"
    case .genericFor(let names, let values, let body):
      let variables = names.map(\.text).joined(separator: " ")
      return "for \(variables) in \(values.map(\.outline).joined(separator: " ")) (\(body.outline))"
    case .function(let name, let body):
      let path = ([name.root] + name.fields).map(\.text).joined(separator: ".")
      return "function \(path)\(name.method.map { ":\($0.text)" } ?? "")\(body.outline)"
    case .localFunction(let name, let body): return "local function \(name.text)\(body.outline)"
    case .return(let values): return (["return"] + values.map(\.outline)).joined(separator: " ")
    case .break: return "break"
    case .goto(let name): return "goto \(name.text)"
    case .label(let name): return "::\(name.text)::"
    case .empty: return "empty"
    case .invalid: return "invalid"
    }
  }
}

extension FunctionBody {
  var outline: String {
    let names = parameters.map(\.text) + (isVararg ? ["..."] : [])
    return "(\(names.joined(separator: " "))) (\(block.outline))"
  }
}

extension Expression {
  var outline: String {
    switch kind {
    case .nil: return "nil"
    case .boolean(let value): return "\(value)"
    case .integer(let value): return "\(value)"
    case .number(let value): return "\(value)"
    case .string(let bytes): return "'\(String(decoding: bytes, as: UTF8.self))'"
    case .vararg: return "..."
    case .function(let body): return "function\(body.outline)"
    case .table(let table): return "{\(table.fields.map(\.outline).joined(separator: " "))}"
    case .name(let name): return name
    case .parenthesized(let inner): return "(\(inner.outline))"
    case .suffixed(let first, let suffixes): return first.outline + suffixes.map(\.outline).joined()
    case .unary(let sign, let inner): return "[\(sign.rawValue) \(inner.outline)]"
    case .binary(let first, let operations):
      return
        "[\(first.outline)\(operations.map { " \($0.operator.rawValue) \($0.operand.outline)" }.joined())]"
    case .invalid: return "invalid"
    }
  }
}

extension Expression.Suffix {
  var outline: String {
    switch kind {
    case .field(let name): return ".\(name.text)"
    case .index(let key): return "[\(key.outline)]"
    case .call(let arguments): return "(\(arguments.map(\.outline).joined(separator: " ")))"
    case .method(let name, let arguments):
      return ":\(name.text)(\(arguments.map(\.outline).joined(separator: " ")))"
    }
  }
}

extension Expression.Field {
  var outline: String {
    switch key {
    case .position(let index): return "\(index)=\(value.outline)"
    case .name(let name): return "\(name.text)=\(value.outline)"
    case .expression(let key): return "[\(key.outline)]=\(value.outline)"
    }
  }
}
