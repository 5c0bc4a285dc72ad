// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Server

@Suite("ShownText")
struct ShownTextTests {
  @Test("a tool between two texts makes two paragraphs, and none where nothing was said before")
  func paragraphs() {
    var text = ShownText(isHeld: false)
    text.interrupt()
    #expect(text.add("a") == "a")
    #expect(text.add("b") == "b")
    text.interrupt()
    text.interrupt()
    #expect(text.add("c") == "\n\nc")
    #expect(text.add("") == nil)
    #expect(text.all == "ab\n\nc")
  }

  @Test("the end brings what was not shown, and nothing twice")
  func rest() {
    var text = ShownText(isHeld: false)
    _ = text.add("before")
    text.interrupt()
    _ = text.add("It ")
    #expect(text.rest(of: "It is.") == "is.")
    #expect(text.rest(of: "It is.") == nil)
    #expect(text.all == "before\n\nIt is.")
  }

  @Test("what is held comes as a whole")
  func held() {
    var text = ShownText(isHeld: true)
    #expect(text.add("a") == nil)
    #expect(text.rest(of: "b") == "b")
    #expect(text.all == "b")
  }
}
