// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Lint

/// The samples of every code's page, which are its fixtures.
@Suite struct ExplanationTests {
  /// Codes that no text alone can show.
  static let withoutSample: Set = ["W101", "W102", "C101"]
  static let shown = Explanation.all.filter { !withoutSample.contains($0.code.rawValue) }

  private func findings(_ page: Explanation, _ text: String) -> [Diagnostic] {
    lint(page.beside.merging([page.path: text]) { $1 }, settings: ConfiguredNames.sampleSettings)
  }

  @Test(
    "what a page calls wrong has its finding, with the page's severity", arguments: shown.map(\.code.rawValue)
  )
  func wrong(code: String) throws {
    let page = try #require(Explanation.find(code))
    let found = findings(page, page.wrong).filter { $0.code == page.code }
    #expect(!found.isEmpty)
    #expect(found.contains { $0.severity == page.severity })
    // An excuse speaks of another finding, and a name that is taken may be missing elsewhere.
    guard !["P901", "W208"].contains(code) else { return }
    #expect(Set(findings(page, page.wrong).map(\.code.rawValue)) == [code])
  }

  @Test("what a page calls right has no finding at all", arguments: shown.map(\.code.rawValue))
  func right(code: String) throws {
    let page = try #require(Explanation.find(code))
    var files = page.beside
    // The tool that nobody uses is used by an agent beside it.
    if code == "W210" { files["agents/notes.lua"] = "return { prompt = \"p\", tools = { \"add\" } }" }
    files[page.path] = page.right
    let found = lint(files, settings: ConfiguredNames.sampleSettings)
    #expect(found.map(\.description) == [])
  }

  @Test("what a page says can be ignored, can be, and nothing else", arguments: shown.map(\.code.rawValue))
  func ignored(code: String) throws {
    let page = try #require(Explanation.find(code))
    let found = findings(page, page.wrong).filter { $0.code == page.code && $0.file == page.path }
    guard !page.code.rawValue.hasPrefix("P9"), let line = found.first?.line else { return }
    var lines = page.wrong.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    lines.insert("-- perigee: ignore \(code) because the test says so", at: line - 1)
    let left = findings(page, lines.joined(separator: "\n"))
    #expect(left.contains { $0.code == page.code && $0.line == line + 1 } == !page.isIgnorable)
  }

  @Test("codes are there once, and each has a title and a reason")
  func unique() {
    #expect(Set(Explanation.all.map(\.code)).count == Explanation.all.count)
    for page in Explanation.all {
      #expect(!page.title.isEmpty && !page.title.hasSuffix(".") && page.reason.hasSuffix("."), "\(page.code)")
    }
  }

  @Test("every code that the sources make has a page")
  func complete() throws {
    let sources = FileManager.default.enumerator(
      at: repository.appending(path: "Sources"), includingPropertiesForKeys: nil)
    var codes: Set<String> = []
    for case let url as URL in try #require(sources) where url.pathExtension == "swift" {
      let text = try String(contentsOf: url, encoding: .utf8)
      for match in text.matches(of: /"([PWC][0-9]{3})"/) { codes.insert(String(match.1)) }
    }
    #expect(codes.count > 50)
    #expect(codes.filter { Explanation.find($0) == nil } == [])
  }

  @Test("docs/lint.md is what the pages say")
  func reference() throws {
    let page = try String(contentsOf: repository.appending(path: "docs/lint.md"), encoding: .utf8)
    #expect(page == Explanation.reference, "run: perigee types --docs docs")
  }
}
