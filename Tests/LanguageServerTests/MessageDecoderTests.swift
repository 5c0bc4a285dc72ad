// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Testing

@testable import LanguageServer

@Suite struct MessageDecoderTests {
  @Test("messages come whole, however their bytes are cut")
  func pieces() throws {
    let bytes = MessageDecoder.encode(Array("{\"a\":\"é\"}".utf8)) + MessageDecoder.encode(Array("{}".utf8))
    for size in [1, 3, 7, bytes.count] {
      var decoder = MessageDecoder()
      var bodies: [String] = []
      for start in stride(from: 0, to: bytes.count, by: size) {
        let part = Array(bytes[start..<min(start + size, bytes.count)])
        bodies += try decoder.decode(part).map { String(decoding: $0, as: UTF8.self) }
      }
      #expect(bodies == ["{\"a\":\"é\"}", "{}"])
      #expect(!decoder.isInMessage)
    }
  }

  @Test("headers come in any order and case")
  func headers() throws {
    var decoder = MessageDecoder()
    let text = "Content-Type: application/vscode-jsonrpc; charset=utf8\r\ncontent-length:2\r\n\r\n{}"
    #expect(try decoder.decode(Array(text.utf8)) == [Array("{}".utf8)])
  }

  @Test(
    "what is no header ends it",
    arguments: [
      "{}\r\n", "\r\n", "Content-Length: two\r\n", "Content-Length: -1\r\n", "Content-Length: 3\n",
      "Content-Length: 99999999999\r\n", "Content-Type: a; charset=latin1\r\n",
      String(repeating: "x", count: 2000),
    ])
  func malformed(text: String) {
    var decoder = MessageDecoder()
    #expect(throws: ProtocolError.self) { try decoder.decode(Array(text.utf8)) }
  }

  @Test("a message that has begun is known")
  func unfinished() throws {
    var decoder = MessageDecoder()
    #expect(try decoder.decode(Array("Content-Length: 5\r\n\r\n{}".utf8)) == [])
    #expect(decoder.isInMessage)
  }
}

@Suite struct InboxTests {
  @Test("a request is taken back as long as it waits, whatever came after it")
  func cancellation() async {
    let inbox = Inbox()
    await inbox.put([.request(.number(1), method: "a", parameters: .null)])
    await inbox.put([.request(.text("1"), method: "b", parameters: .null)])
    await inbox.put([.notification(method: "$/cancelRequest", parameters: ["id": 1])])
    await inbox.put([.notification(method: "$/cancelRequest", parameters: ["id": 7])])
    var events: [Message] = []
    for _ in 0..<2 { if case .message(let message) = await inbox.next() { events.append(message) } }
    #expect(events == [.cancelled(.number(1)), .request(.text("1"), method: "b", parameters: .null)])
  }

  @Test("a client that sends faster than it is answered waits, and loses nothing")
  func full() async {
    let inbox = Inbox()
    let count = Inbox.countMax * 2
    let putter = Task {
      for index in 0..<count {
        await inbox.put([.request(.number(Int64(index)), method: "m", parameters: .null)])
      }
    }
    for index in 0..<count {
      guard case .message(.request(let id, _, _)) = await inbox.next() else { return #expect(Bool(false)) }
      #expect(id == .number(Int64(index)))
    }
    await putter.value
  }
}

@Suite struct MessageTests {
  @Test("messages are told apart")
  func kinds() {
    func message(_ text: String) -> Message { Message(Array(text.utf8)) }
    func code(_ text: String) -> ResponseError.Code? {
      if case .invalid(_, let error) = message(text) { error.code } else { nil }
    }
    #expect(
      message(#"{"jsonrpc":"2.0","id":1,"method":"m"}"#)
        == .request(.number(1), method: "m", parameters: .null))
    #expect(
      message(#"{"jsonrpc":"2.0","method":"m","params":{}}"#)
        == .notification(method: "m", parameters: .object(.init())))
    #expect(message(#"{"jsonrpc":"2.0","id":"x","result":null}"#) == .response)
    #expect(code("{") == .parseError)
    #expect(code("\u{1}") == .parseError)
    #expect(code("[]") == .invalidRequest)
    #expect(code(#"{"jsonrpc":"2.0","id":1}"#) == .invalidRequest)
    #expect(code(#"{"jsonrpc":"2.0","id":true,"method":"m"}"#) == .invalidRequest)
    #expect(code(#"{"id":1,"method":"m"}"#) == .invalidRequest)
  }
}
