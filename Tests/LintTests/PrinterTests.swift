// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import Lint

/// A tree that is printed and parsed again is the same tree.
@Suite struct PrinterTests {
  private func check(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let first = ParsedFile(parsing: SourceText(name: "a", text: text))
    #expect(first.diagnostics.map(\.description) == [], "\(text)", sourceLocation: sourceLocation)
    let printed = first.chunk.block.printed
    let second = ParsedFile(parsing: SourceText(name: "b", text: printed))
    #expect(second.diagnostics.map(\.description) == [], "\(printed)", sourceLocation: sourceLocation)
    #expect(
      second.chunk.block.outline.withoutVoid == first.chunk.block.outline.withoutVoid, "\(printed)",
      sourceLocation: sourceLocation)
  }

  @Test("the samples survive", arguments: Samples.all + RightLua.all)
  func samples(text: String) { check(text) }

  @Test("generated programs survive, and the stock compiler takes what is printed", arguments: 0..<8)
  func generated(seed: Int) async throws {
    var random = SplitMix64(seed: UInt64(seed) + 900)
    var printed: [String] = []
    for _ in 0..<60 {
      var program = GeneratedProgram(random)
      let text = program.block(0)
      random = program.random
      check(text)
      printed.append(ParsedFile(parsing: SourceText(name: "a", text: text)).chunk.block.printed)
    }
    guard StockCompiler.isInstalled else { return }
    let answers = try await StockCompiler.errors(of: printed.map { Array($0.utf8) })
    for (text, answer) in zip(printed, answers) { #expect(answer == nil, "\(text)") }
  }

  @Test("rules say the same of a program and of what is printed of it", arguments: 0..<4)
  func rules(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed) + 1700)
    for _ in 0..<60 {
      var program = GeneratedProgram(random)
      let text = program.block(0)
      random = program.random
      let printed = ParsedFile(parsing: SourceText(name: "a", text: text)).chunk.block.printed
      func codes(_ text: String) -> [String] {
        lint(["lib/a.lua": text]).map { "\($0.code) \($0.message.prefix { $0 != "0" && !$0.isNumber })" }
          .sorted()
      }
      #expect(codes(text) == codes(printed), "\(text)\n---\n\(printed)")
    }
  }
}

extension String {
  /// An outline without empty statements, which a printer adds.
  fileprivate var withoutVoid: String {
    replacing("empty; ", with: "").replacing("; empty", with: "").replacing("empty", with: "")
  }
}

/// Programs that are well formed and keep the rules of scopes.
struct GeneratedProgram {
  var random: SplitMix64

  init(_ random: SplitMix64) { self.random = random }

  private mutating func pick<Value>(_ list: [Value]) -> Value { list.randomElement(using: &random)! }

  mutating func block(_ depth: Int) -> String {
    var lines = (0..<Int.random(in: 1...4, using: &random)).map { _ in statement(depth) }
    if depth > 0, Int.random(in: 0..<4, using: &random) == 0 { lines.append("return \(expression(depth))") }
    return lines.joined(separator: "\n")
  }

  private mutating func name() -> String { pick(["a", "b", "c", "value", "list"]) }

  private mutating func statement(_ depth: Int) -> String {
    let simple = Int.random(in: 0..<(depth > 3 ? 5 : 14), using: &random)
    switch simple {
    case 0: return "local \(name()) = \(expression(depth))"
    case 1: return "local \(name()), \(name())2 <const> = \(expression(depth)), \(expression(depth))"
    case 2: return "\(name()).\(name()) = \(expression(depth));"
    case 3: return "\(name())[ \(expression(depth)) ], \(name()).x = \(expression(depth)), nil"
    case 4: return ";(\(name()) or f)(\(expression(depth)))"
    case 5: return "do \(block(depth + 1)) end"
    case 6: return "while \(expression(depth)) do \(block(depth + 1)) end"
    case 7: return "repeat local \(name())3 = \(expression(depth)) until \(expression(depth))"
    case 8:
      return
        "if \(expression(depth)) then \(block(depth + 1)) elseif \(expression(depth)) then else \(block(depth + 1)) end"
    case 9: return "for i = \(expression(depth)), \(expression(depth)) do \(block(depth + 1)) end"
    case 10: return "for \(name()), \(name())2 in \(expression(depth)) do \(block(depth + 1)) end"
    case 11: return "function list.\(name()):\(name())(x, ...) \(block(depth + 1)) end"
    case 12: return "local function \(name())(x) \(block(depth + 1)) end"
    default: return "do goto l\(depth) ::l\(depth):: end"
    }
  }

  private mutating func expression(_ depth: Int) -> String {
    let choice = Int.random(in: 0..<(depth > 4 ? 7 : 14), using: &random)
    switch choice {
    case 0: return pick(["nil", "true", "false"])
    case 1: return pick(["1", "0x10", "2.5", "1e300", "9223372036854775807", "0x.8p1", "3."])
    case 2: return pick(["'s'", "\"q\\n\\0\\\"\"", "[[long\n]]", "'\\200\\x41'", "''"])
    case 3, 4: return name()
    case 5: return "\(name()).x[1]"
    case 6: return "{}"
    case 7:
      return
        "{ \(expression(depth + 1)), x = \(expression(depth + 1)), [ \(expression(depth + 1)) ] = \(expression(depth + 1)) }"
    case 8: return "(\(expression(depth + 1)))"
    case 9: return "\(pick(["not ", "- ", "#", "~ "]))\(expression(depth + 1))"
    case 10, 11:
      let sign = pick(BinaryOperator.allCases.map(\.rawValue))
      return "\(expression(depth + 1)) \(sign) \(expression(depth + 1))"
    case 12: return "\(name())\(pick(["(", ":m("]))\(expression(depth + 1)))"
    default: return "function(x) \(block(depth + 2)) end"
    }
  }
}
