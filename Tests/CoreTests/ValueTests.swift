// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Testing

@testable import Core

@Suite("Values")
struct ValueTests {
  @Test(
    "a part of a text is found by its bytes",
    arguments: [
      ("text/event-stream; charset=utf-8", "event-stream", true), ("text/event-strea", "event-stream", false),
      ("application/json, text/event-stream", "text/event-stream", true), ("", "a", false), ("a", "", true),
      ("", "", true), ("aab", "ab", true), ("e\u{301}", "e", true),
      ("Text/Event-Stream", "event-stream", false),
    ])
  func holds(text: String, part: String, isHeld: Bool) { #expect(text.holds(part) == isHeld) }

  @Test(
    "a moment is written as RFC 3339 and read back",
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
      (951_782_400_000, "2000-02-29T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
      (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
    ] as [(Int64, String)])
  func timestamps(milliseconds: Int64, text: String) {
    #expect(Timestamp(milliseconds: milliseconds).description == text)
    #expect(Timestamp(parsing: text)?.milliseconds == milliseconds)
  }

  @Test("offsets and bare dates are read")
  func readsOffsets() {
    #expect(Timestamp(parsing: "1970-01-01")?.milliseconds == 0)
    #expect(Timestamp(parsing: "1970-01-01T02:00:00+02:00")?.milliseconds == 0)
    #expect(Timestamp(parsing: "1969-12-31 23:30:00.5-00:30")?.milliseconds == 500)
  }

  @Test(
    "what is no date is refused",
    arguments: [
      "", "1970", "1970-13-01", "1970-02-30", "1970-01-01T25:00:00Z", "1970-01-01T00:00:00", "1970-01-01x",
      "1970-01-01T00:00:00+1:00",
    ])
  func refusesDates(text: String) {
    #expect(Timestamp(parsing: text) == nil)
  }

  @Test("identifiers are UUIDs of their version, and those of later moments sort later")
  func identifiers() {
    let early = Identifier.uuid(at: Timestamp(milliseconds: 1_700_000_000_000))
    let late = Identifier.uuid(at: Timestamp(milliseconds: 1_700_000_000_001))
    #expect(early < late)
    #expect(early.utf8.count == 36)
    #expect(Array(early)[14] == "7")
    #expect(Array(Identifier.randomUUID())[14] == "4")
    #expect("89ab".contains(Array(Identifier.randomUUID())[19]))
  }

  @Test(
    "a host pattern matches what it names",
    arguments: [
      ("api.example.com", "API.example.com", 443, true), ("api.example.com", "api.example.com", 8443, false),
      ("*.example.org:8443", "a.b.example.org", 8443, true), ("*.example.org", "example.org", 443, false),
      ("*.example.org", "evilexample.org", 443, false), ("127.0.0.1:9", "127.0.0.1", 9, true),
      ("[::1]:80", "[::1]", 80, true),
    ] as [(String, String, Int, Bool)])
  func hostPatterns(pattern: String, host: String, port: Int, isMatch: Bool) throws {
    #expect(try #require(HostPattern(pattern)).matches(host: host, port: port) == isMatch)
  }

  @Test(
    "what is no host is no pattern",
    arguments: ["", "http://a.com", "a.com/x", "a b", "a.com:0", "a.com:x", "*."])
  func refusesPatterns(text: String) { #expect(HostPattern(text) == nil) }

  @Test(
    "a grant names methods and a host",
    arguments: [
      ("a.com", "DELETE", true), ("GET a.com", "GET", true), ("get,Head a.com", "HEAD", true),
      ("GET,HEAD a.com", "POST", false), ("GET a.com:8443", "GET", false), ("GET *.a.com", "GET", false),
    ] as [(String, String, Bool)])
  func grants(grant: String, method: String, isAllowed: Bool) throws {
    #expect(try #require(RequestGrant(grant)).allows(method, host: "a.com", port: 443) == isAllowed)
  }

  @Test(
    "what is no list of methods and a host is no grant",
    arguments: ["", "GET", "GET ", " a.com", "GET, a.com", "FETCH a.com", "GET  a.com", "GET a.com b.com"])
  func refusesGrants(text: String) {
    // "GET" alone could be a host of the local network, as "db" could.
    #expect((RequestGrant(text) == nil) == (text != "GET"))
  }

  @Test("a request is checked as a whole")
  func checksRequests() {
    func fields(_ request: ChatRequest) -> [String] {
      do {
        try request.validate(messageCharactersMax: 5)
        return []
      } catch {
        return error.detail?.array?.compactMap { $0["field"]?.string } ?? []
      }
    }
    #expect(fields(ChatRequest(agent: "a", message: "hello")) == [])
    #expect(fields(ChatRequest(agent: "a", message: "ééééé")) == [])
    #expect(fields(ChatRequest(agent: "a", message: " \n")) == ["message"])
    #expect(
      fields(ChatRequest(agent: "a", message: "123456", sessionID: "a b")) == ["message", "session_id"])
    #expect(fields(ChatRequest(agent: "a", message: "a\0b")) == ["message"])
    for id in ["", "é", String(repeating: "a", count: 129), "a/b"] {
      #expect(fields(ChatRequest(agent: "a", message: "x", sessionID: id)) == ["session_id"])
    }
  }

  @Test("scripts get the input with the message and the context, and the input wins")
  func mergesInput() throws {
    let request = ChatRequest(
      agent: "a", message: "hi", input: JSONObject([("a", 1)]), context: JSONObject([("a", 2), ("b", 3)]))
    #expect(try request.scriptInput.value() == ["a": 1, "b": 3, "message": "hi"])
  }

  @Test("two users cannot share a session's values, whatever their ids are")
  func separatesScopes() {
    let one = KeyValueScope.session(userID: "a", sessionID: "b:c").text
    let other = KeyValueScope.session(userID: "a:b", sessionID: "c").text
    #expect(one != other)
    #expect(KeyValueScope.user("1:a:s").text != KeyValueScope.session(userID: "a", sessionID: "s").text)
  }
}
