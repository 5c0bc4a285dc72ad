// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lint
import TestSupport
import Testing

@Suite struct StockAgreementTests {
  @Test("samples of the whole language are accepted", arguments: Samples.all)
  func samples(text: String) {
    #expect(
      ParsedFile(parsing: SourceText(name: "sample.lua", text: text)).diagnostics.map(\.description) == [])
  }

  @Test(
    "mutated files are accepted and refused as the stock compiler does",
    .enabled(if: StockCompiler.isInstalled), arguments: 0..<4)
  func mutants(batch: Int) async throws {
    var random = SplitMix64(seed: UInt64(batch) + 1)
    try await compare((0..<Self.count).map { _ in Self.mutant(&random) })
  }

  @Test(
    "random statements are accepted and refused as the stock compiler does",
    .enabled(if: StockCompiler.isInstalled), arguments: 0..<4)
  func statements(batch: Int) async throws {
    var random = SplitMix64(seed: UInt64(batch) + 100)
    try await compare((0..<Self.count).map { _ in Self.block(&random, depth: 0) })
  }

  @Test(
    "random jumps are accepted and refused as the stock compiler does",
    .enabled(if: StockCompiler.isInstalled), arguments: 0..<4)
  func jumps(batch: Int) async throws {
    var random = SplitMix64(seed: UInt64(batch) + 200)
    try await compare((0..<Self.count * 4).map { _ in Self.jumps(&random, depth: 0) })
  }

  @Test(
    "random bytes in literals are accepted and refused as the stock compiler does",
    .enabled(if: StockCompiler.isInstalled))
  func literals() async throws {
    var random = SplitMix64(seed: 7)
    let alphabet = Array(#"0123456789abefpxz.+-\"'{}[]= #nu"#) + ["\n"]
    try await compare(
      (0..<Self.count * 4).map { _ in
        let text = String(
          (0..<Int.random(in: 1...7, using: &random)).map { _ in alphabet.randomElement(using: &random)! })
        return ["return \(text)", "return \"\(text)\"", "return '\\\(text)'", "return 0x\(text)"]
          .randomElement(using: &random)!
      })
  }

  static let count = Int(ProcessInfo.processInfo.environment["LINT_MUTANTS"] ?? "") ?? 250

  private func compare(_ texts: [String]) async throws {
    let chunks = texts.map { Array($0.utf8) }
    let answers = try await StockCompiler.errors(of: chunks)
    try #require(answers.count == chunks.count)
    #expect(answers.contains { $0 == nil } && answers.contains { $0 != nil }, "both answers must occur")
    for (text, answer) in zip(texts, answers) {
      let file = ParsedFile(parsing: SourceText(name: "chunk", text: text))
      if file.diagnostics.isEmpty != (answer == nil) {
        Issue.record("stock: \(answer ?? "ok"); own: \(file.diagnostics.first?.description ?? "ok")\n\(text)")
      }
    }
  }

  // MARK: Making chunks

  /// Words and signs that a mutation may put anywhere.
  private static let pieces =
    ["and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local"]
    + [
      "nil", "not", "or", "repeat", "return", "then", "true", "until", "while", "+", "-", "*", "/", "//", "%",
    ]
    + [
      "^", "#", "&", "~", "|", "<<", ">>", "==", "~=", "<=", ">=", "<", ">", "=", "(", ")", "{", "}", "[",
      "]",
    ]
    + [
      "::", ";", ":", ",", ".", "..", "...", "x", "a", "1", "0x", "'s'", "\"", "[[l]]", "<const>", "<close>",
    ]
    + ["::next::", "goto next", "--", "\n", "end end", "x = 1", "f()", "self", "[=["]

  private static func mutant(_ random: inout SplitMix64) -> String {
    let sample = Samples.all.randomElement(using: &random)!
    var words = split(sample)
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let index = Int.random(in: 0..<words.count, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: words.remove(at: index)
      case 1: words.insert(pieces.randomElement(using: &random)!, at: index)
      case 2: words[index] = pieces.randomElement(using: &random)!
      case 3: words.swapAt(index, Int.random(in: 0..<words.count, using: &random))
      default: words.insert(words.randomElement(using: &random)!, at: index)
      }
    }
    return words.joined()
  }

  /// Cuts a text between words, signs and spaces; joined they are the text again.
  private static func split(_ text: String) -> [String] {
    var words: [String] = []
    var lastKind = -1
    for character in text {
      let kind = character.isLetter || character.isNumber || character == "_" ? 0 : character == " " ? 1 : 2
      if kind == lastKind, kind < 2 {
        words[words.count - 1].append(character)
      } else {
        words.append(String(character))
      }
      lastKind = kind
    }
    return words
  }

  private static func block(_ random: inout SplitMix64, depth: Int) -> String {
    (0..<Int.random(in: 1...4, using: &random)).map { _ in statement(&random, depth: depth) }
      .joined(separator: " ")
  }

  /// One statement that is well formed, but may break the rules of scopes.
  private static func statement(_ random: inout SplitMix64, depth: Int) -> String {
    let name = ["a", "b", "c"].randomElement(using: &random)!
    let label = ["l", "m"].randomElement(using: &random)!
    let value = ["1", "a", "b.c", "'s'", "...", "{ a, b }", "function() return a end", "-2", "nil", "f(a)"]
      .randomElement(using: &random)!
    let attribute = ["", "", "", " <const>", " <close>", " <other>"].randomElement(using: &random)!
    let simple = [
      "local \(name)\(attribute) = \(value)", "local a, \(name)\(attribute) = 1, \(value)",
      "\(name) = \(value)",
      "goto \(label)", "::\(label)::", "do break end", ";", "\(name).x = \(value)", "f(\(value))",
      "function \(name)() return ... end", "function \(name).x() end",
    ]
    if depth > 3 || Bool.random(using: &random) { return simple.randomElement(using: &random)! }
    let inner = block(&random, depth: depth + 1)
    return [
      "do \(inner) end", "while \(name) do \(inner) end", "repeat \(inner) until \(name)",
      "if \(name) then \(inner) else \(inner) end", "for \(name) = 1, 2 do \(inner) end",
      "for a, \(name) in f do \(inner) end", "local function \(name)(\(name)) \(inner) end",
      "\(name) = function(...) \(inner) end", "local \(name) = function() \(inner) end",
    ].randomElement(using: &random)!
  }

  /// Gotos, labels and variables, which are right about half of the time.
  private static func jumps(_ random: inout SplitMix64, depth: Int) -> String {
    let ending = ["", "", "::l::", "::l:: ;", "::l:: x = 1", "local z ::l::"].randomElement(using: &random)!
    let statements = (0..<Int.random(in: 1...3, using: &random)).map { _ in
      let simple = ["local x", "goto l", "if x then goto l end", "::m::", "x = 1", ";"].randomElement(
        using: &random)!
      if depth > 2 || Bool.random(using: &random) { return simple }
      let inner = jumps(&random, depth: depth + 1)
      return [
        "do \(inner) end", "repeat \(inner) until x", "while x do \(inner) end",
        "f = function() \(inner) end",
      ]
      .randomElement(using: &random)!
    }
    return (statements + [ending]).joined(separator: " ")
  }
}
