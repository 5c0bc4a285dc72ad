// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import LanguageServer

@Suite struct DocumentTextTests {
  private let text = DocumentText("aé😀b\r\nx\n\ry\rz")

  @Test("positions are counted in UTF-16 or in UTF-8, and lead back")
  func encodings() {
    let byteOfB = 1 + 2 + 4
    #expect(text.position(of: byteOfB, in: .utf16) == TextPosition(line: 0, character: 4))
    #expect(text.position(of: byteOfB, in: .utf8) == TextPosition(line: 0, character: 7))
    for encoding in [PositionEncoding.utf8, .utf16] {
      for offset in [0, 1, 3, 7, 8, 10, 11, 12, 13, 14, 15] {
        #expect(text.offset(of: text.position(of: offset, in: encoding), in: encoding) == offset)
      }
    }
  }

  @Test("a position within a character, past a line or past the end is the nearest before")
  func clamped() {
    #expect(text.offset(of: TextPosition(line: 0, character: 3), in: .utf16) == 3)
    #expect(text.offset(of: TextPosition(line: 0, character: 5), in: .utf8) == 3)
    #expect(text.offset(of: TextPosition(line: 0, character: 99), in: .utf16) == 8)
    #expect(text.offset(of: TextPosition(line: 99, character: 0), in: .utf16) == text.bytes.count)
    #expect(DocumentText("").offset(of: TextPosition(line: 1, character: 1), in: .utf16) == 0)
  }

  @Test("lines end as the protocol says, which Lua does not")
  func lines() {
    #expect(text.position(of: text.bytes.count, in: .utf8) == TextPosition(line: 4, character: 1))
    #expect(text.offset(line: 2, column: 2) == 11)
    #expect(text.offset(line: 1, column: 3) == 3)
  }

  @Test("edits change the lines, too")
  func edits() {
    var text = DocumentText("one\ntwo")
    text.replace(3..<4, with: "\n\nand ")
    #expect(String(decoding: text.bytes, as: UTF8.self) == "one\n\nand two")
    #expect(text.offset(of: TextPosition(line: 2, character: 4), in: .utf16) == 9)
  }

  @Test("names around a byte")
  func names() {
    let text = DocumentText("f(a_1, 2x)")
    #expect(text[text.name(around: 4)] == "a_1")
    #expect(text.name(around: 6).isEmpty)
    #expect(text[text.name(around: 9)] == "x")
    #expect(text.name(around: 8) == 8..<9)
  }

  @Test(
    "paths of files",
    arguments: [
      ("file:///a%20b/c.lua", "/a b/c.lua"), ("file://localhost/a/../b/./c", "/b/c"),
      ("file:///%C3%A9", "/é"),
    ])
  func paths(uri: String, path: String) {
    #expect(DocumentURI.path(uri) == path)
    #expect(DocumentURI.path(DocumentURI.uri(path)) == path)
  }

  @Test(
    "other URIs are no files",
    arguments: ["untitled:1", "file://host/a", "http://x/a", "file://", "file:///%ff", ""])
  func noPaths(uri: String) {
    #expect(DocumentURI.path(uri) == nil)
  }
}
