// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The page of the five systems: a row for each of their lines, and evidence for each row that is done.
@Suite("The five systems")
struct SystemsTests {
  /// How many lines each system has.
  private static let lineCounts = [30, 39, 14, 8, 19]

  /// A row of one of the tables: number, words, state, evidence.
  private struct Row {
    let cells: [String]

    var number: String { cells[0] }
    var state: String { cells.count > 2 ? cells[2] : "" }
    var evidence: String { cells.count > 3 ? cells[3] : "" }

    /// - Returns: nil of a line that is no such row.
    init?(_ line: Substring) {
      let parts = line.split(separator: "|", omittingEmptySubsequences: false)
      let cells = parts.dropFirst().dropLast().map { $0.trimmingCharacters(in: .whitespaces) }
      guard line.hasPrefix("|"), cells.first?.wholeMatch(of: /[0-9]+\.[0-9]+/) != nil else { return nil }
      self.cells = cells
    }
  }

  private static func read(_ path: String) -> String? {
    try? String(contentsOfFile: "\(PerigeeBinary.repository)/\(path)", encoding: .utf8)
  }

  private static func table() throws -> [Row] {
    let page = try #require(read("docs/systems.md"))
    return page.split(whereSeparator: \.isNewline).compactMap { Row($0) }
  }

  @Test("each line has one row, in its order, that is done or open and says more")
  func rows() throws {
    let rows = try Self.table()
    let found = rows.map { $0.number }
    let numbers = Self.lineCounts.enumerated().flatMap { index, count in
      (1...count).map { "\(index + 1).\($0)" }
    }
    for number in numbers {
      let count = found.filter { $0 == number }.count
      #expect(count == 1, "\(number) has \(count) rows")
    }
    for number in found { #expect(numbers.contains(number), "\(number) is no line of a system") }
    if let (row, number) = zip(found, numbers).first(where: { $0.0 != $0.1 }) {
      Issue.record("\(row) stands where \(number) belongs")
    }
    for row in rows {
      #expect(row.cells.count == 4, "\(row.number) has \(row.cells.count) cells")
      #expect(["done", "open"].contains(row.state), "\(row.number) is '\(row.state)'")
      #expect(!row.cells.contains(""), "\(row.number) has an empty cell")
    }
  }

  @Test("what a row that is done names is there")
  func evidence() throws {
    for row in try Self.table() where row.state == "done" {
      for piece in row.evidence.components(separatedBy: "; ") {
        if let fault = Self.fault(of: piece) { Issue.record("\(row.number): \(piece): \(fault)") }
      }
    }
  }

  /// What is wrong with one piece of evidence, `FILE#NAME`; nil when it is there.
  private static func fault(of piece: String) -> String? {
    let parts = piece.split(separator: "#", maxSplits: 1).map { String($0) }
    guard let path = parts.first, let text = read(path) else { return "there is no such file" }
    let name = parts.count > 1 ? parts[1] : nil
    if path.hasPrefix("Tests/"), path.hasSuffix(".swift") {
      guard let name else { return "no function is named" }
      return text.contains("func \(name)(") ? nil : "the file has no such function"
    }
    if path.hasPrefix("evals/"), path.hasSuffix(".lua") {
      guard let name else { return "no case is named" }
      return text.contains("\"\(name)\"") ? nil : "the file has no such case"
    }
    guard path.hasSuffix(".md") else { return "it is no test, eval or page" }
    guard let name else { return nil }
    return anchors(of: text).contains(name) ? nil : "the page has no such heading"
  }

  /// Anchors of a page's headings, as GitHub makes them.
  private static func anchors(of page: String) -> Set<String> {
    var anchors: Set<String> = []
    var isCode = false
    for line in page.split(whereSeparator: \.isNewline) {
      if line.hasPrefix("```") { isCode.toggle() }
      guard !isCode, let heading = line.firstMatch(of: /^#{1,6} +(.+)$/) else { continue }
      let words = heading.1.lowercased().filter { $0.isLetter || $0.isNumber || "-_ ".contains($0) }
      let base = words.replacing(" ", with: "-")
      var anchor = base
      var copies = 0
      while !anchors.insert(anchor).inserted {
        copies += 1
        anchor = "\(base)-\(copies)"
      }
    }
    return anchors
  }
}
