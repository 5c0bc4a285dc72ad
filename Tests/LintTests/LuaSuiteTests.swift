// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Lint

/// Lua's own test suite, where somebody has it: `LUA_SUITE=…/lua-5.4.6-tests swift test --filter LuaSuite`.
@Suite struct LuaSuiteTests {
  private static let folder = ProcessInfo.processInfo.environment["LUA_SUITE"]

  private static func files() throws -> [(name: String, bytes: [UInt8])] {
    let folder = URL(filePath: folder ?? "")
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      .filter { $0.hasSuffix(".lua") }
      .map { ($0, Array(try Data(contentsOf: folder.appending(path: $0)))) }
  }

  @Test("every file is accepted", .enabled(if: folder != nil))
  func accepted() throws {
    let files = try Self.files()
    #expect(files.count > 25)
    for (name, bytes) in files {
      #expect(
        ParsedFile(parsing: SourceText(name: name, bytes: bytes)).diagnostics.map(\.description) == [])
    }
  }

  /// Much of what it tries stands in strings that it loads, and that the compiler has to refuse.
  @Test(
    "every string in it is accepted and refused as the stock compiler does",
    .enabled(if: folder != nil && StockCompiler.isInstalled))
  func strings() async throws {
    var chunks: Set<[UInt8]> = []
    for (name, bytes) in try Self.files() {
      for token in Lexer.tokens(of: SourceText(name: name, bytes: bytes)).tokens {
        guard case .string(let text) = token.kind else { continue }
        chunks.insert(text)
        chunks.insert(Array("return ".utf8) + text)
      }
    }
    let list = chunks.sorted { $0.lexicographicallyPrecedes($1) }
    #expect(list.count > 4000)
    let answers = try await StockCompiler.errors(of: list)
    try #require(answers.count == list.count)
    for (chunk, answer) in zip(list, answers) {
      let own = ParsedFile(parsing: SourceText(name: "chunk", bytes: chunk)).diagnostics.first
      if (own == nil) != (answer == nil) {
        Issue.record(
          "stock: \(answer ?? "ok"); own: \(own?.description ?? "ok")\n\(String(decoding: chunk, as: UTF8.self))"
        )
      }
    }
  }
}
