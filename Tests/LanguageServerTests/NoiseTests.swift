// SPDX-License-Identifier: Apache-2.0
import Foundation
import Lint
import Testing
import Workspace

@testable import LanguageServer

@Suite struct NoiseTests {
  private static let repository = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// The scripts that ship, and what the hostile ones begin with.
  private static let texts: [(path: String, text: String)] = {
    var texts = ["agents/todo.lua", "tools/todos.lua", "evals/todo.lua", "lib/commands.lua"].compactMap {
      path in
      (try? String(contentsOf: repository.appending(path: path), encoding: .utf8)).map { (path, $0) }
    }
    texts.append(
      ("tools/odd.lua", "local M = {}\nM.a = M\nM.b = { b = M }\nfunction M.c.d:e() end\nreturn M"))
    texts.append(
      (
        "agents/odd.lua",
        "return { tools = { [1] = 'x', ['tools'] = {}, f() }, [nil] = 1, prompt = \"\\u{110000}\" }"
      ))
    texts.append(("agents/deep.lua", "return " + String(repeating: "{ a = ", count: 150)))
    texts.append(("lib/bytes.lua", "\u{FEFF}#!lua\r\nlocal é = '😀\\\r\n' return ::x:: [==[ ]=] "))
    return texts
  }()

  /// Asks everything at one place.
  private func ask(_ path: String, _ bytes: [UInt8], at offset: Int, in project: Project) {
    let text = DocumentText(bytes)
    let read = { (bytes: [UInt8], place: Int?) in
      LintedFile(
        path: path, kind: ScriptKind(path: path), api: project.api, settings: LintSettings(),
        parsed: ParsedFile(parsing: SourceText(name: path, bytes: bytes)), namesAt: place)
    }
    if let script = CursorScript(text, at: offset, read: { read($0, $1) }) {
      _ = Completion(script, in: project).items
      #expect(script.replaced.upperBound <= bytes.count)
    }
    let file = read(bytes, nil)
    _ = Hover(at: offset, in: file, of: project, findings: [])
    if let (symbol, range) = Symbol.at(offset, in: file) {
      let navigation = Navigation(file: file, project: project)
      _ = navigation.references(to: symbol, includesDeclaration: true)
      #expect(range.end.offset <= bytes.count)
    }
    if let rename = try? Rename(at: offset, in: file, of: project) { _ = try? rename.edits(to: "new_name") }
  }

  @Test("whatever is asked anywhere, in whole files and in cut ones, is answered")
  func everywhere() async {
    let project = await project()
    for (path, text) in Self.texts {
      let bytes = Array(text.utf8)
      for offset in stride(from: 0, through: bytes.count, by: max(1, bytes.count / 40)) {
        ask(path, bytes, at: offset, in: project)
        ask(path, Array(bytes[..<offset]), at: offset, in: project)
      }
      _ = Outline(
        LintedFile(
          path: path, kind: ScriptKind(path: path), api: project.api, settings: LintSettings(),
          parsed: ParsedFile(parsing: SourceText(name: path, bytes: bytes))))
    }
  }

  @Test("the outline of every shipped script keeps names within their ranges")
  func outlines() {
    func check(_ entries: [Outline.Entry]) {
      for entry in entries {
        #expect(entry.range.start <= entry.nameRange.start && entry.nameRange.end <= entry.range.end)
        check(entry.children)
      }
    }
    for (path, text) in Self.texts {
      check(
        Outline(
          LintedFile(
            path: path, kind: ScriptKind(path: path), api: .perigee, settings: LintSettings(),
            parsed: ParsedFile(parsing: SourceText(name: path, text: text)))
        ).entries)
    }
  }

  @Test("calls within calls are looked at once, where nothing is found as well")
  func nested() async {
    let project = await project()
    for (head, tail) in [("pcall(tools.call, ", ")"), ("pcall(", ".x)")] {
      let text = String(repeating: head, count: 90) + "1" + String(repeating: tail, count: 90)
      ask("lib/a.lua", Array(text.utf8), at: 90 * head.utf8.count, in: project)
    }
  }

  @Test("a table that is often a part of itself has an outline that ends")
  func circles() {
    func count(_ entries: [Outline.Entry]) -> Int {
      entries.reduce(entries.count) { $0 + count($1.children) }
    }
    let text = "local M = {}\n" + (1...100).map { "M.a\($0) = M\n" }.joined() + "return M"
    let file = LintedFile(
      path: "agents/a.lua", kind: .agent("a"), api: .perigee, settings: LintSettings(),
      parsed: ParsedFile(parsing: SourceText(name: "agents/a.lua", text: text)))
    #expect((100...5000).contains(count(Outline(file).entries)))
  }
}
