// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing
import Transport

@Suite(.timeLimit(.minutes(5))) struct RedirectTests {
  let client: HTTPClient

  init() throws { client = try HTTPClient() }

  @Test("a redirect is a response like another unless it is to be followed")
  func notFollowed() async throws {
    let server = try ScriptedProvider(.status(302, headers: [("Location", "/next")]))
    #expect(try await client.send(HTTPRequest(url: server.origin)).status == 302)
    #expect(server.requests.count == 1)
  }

  @Test(
    "relative places are followed",
    arguments: ["/a/b?c=d", "b?c=d", "//127.0.0.1:PORT/a/b?c=d", "./x/../b?c=d#f"])
  func relative(place: String) async throws {
    let server = try ScriptedProvider { request in
      guard request.path == "/a/start" else { return .status(200, body: request.path) }
      let port = request.header("host")?.split(separator: ":").last ?? ""
      return .status(302, headers: [("Location", place.replacing("PORT", with: port))])
    }
    let response = try await client.send(HTTPRequest(url: server.origin + "/a/start", redirectsMax: 1))
    #expect(response.body == Array("/a/b?c=d".utf8))
    #expect(response.url.hasPrefix(server.origin + "/a/b?c=d"))
  }

  @Test("one redirect too many is an error")
  func tooMany() async throws {
    let server = try ScriptedProvider(.status(302, headers: [("Location", "/again")]))
    let failure = await failure { try await client.send(HTTPRequest(url: server.origin, redirectsMax: 3)) }
    #expect(failure?.kind == .tooManyRedirects)
    #expect(server.requests.count == 4)
  }

  @Test(
    "the method changes as browsers change it",
    arguments: [
      (301, "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET"), (307, "POST", "POST"),
      (308, "POST", "POST"),
      (301, "PUT", "PUT"), (303, "PUT", "GET"), (302, "GET", "GET"), (303, "HEAD", "HEAD"),
    ])
  func method(status: Int, before: String, after: String) async throws {
    let server = try ScriptedProvider { request in
      if request.path == "/" {
        return .status(status, headers: [("Location", "/next"), ("Content-Length", "0")])
      }
      return request.method == "HEAD" ? .raw("HTTP/1.1 200 OK\r\n\r\n") : .status(200)
    }
    let body: [UInt8]? = before == "POST" || before == "PUT" ? [65] : nil
    _ = try await client.send(
      HTTPRequest(
        method: before, url: server.origin + "/", headers: [("Content-Type", "text/plain")], body: body,
        redirectsMax: 1))
    let request = try #require(server.requests.last)
    #expect(request.path == "/next")
    #expect(request.method == after)
    #expect(request.body == (after == before ? body ?? [] : []))
    #expect((request.header("content-type") == nil) == (after != before))
  }

  @Test("secrets stay with the host they were meant for")
  func crossOrigin() async throws {
    let other = try ScriptedProvider(.status(200))
    let server = try ScriptedProvider { request in
      .status(302, headers: [("Location", request.path == "/" ? "/same" : other.origin)])
    }
    let headers = ["Authorization", "Cookie", "X-API-Key", "Accept"].map { (name: $0, value: "value") }
    _ = try await client.send(HTTPRequest(url: server.origin + "/", headers: headers, redirectsMax: 2))
    let same = try #require(server.requests.last)
    let foreign = try #require(other.requests.last)
    for name in ["authorization", "cookie", "x-api-key"] {
      #expect(same.header(name) == "value")
      #expect(foreign.header(name) == nil)
    }
    #expect(foreign.header("accept") == "value")
  }

  @Test(
    "a redirect to another scheme or with credentials is refused",
    arguments: ["file:///etc/passwd", "http://u:p@127.0.0.1/"])
  func badPlace(place: String) async throws {
    let server = try ScriptedProvider(.status(302, headers: [("Location", place)]))
    #expect(
      await failure { try await client.send(HTTPRequest(url: server.origin, redirectsMax: 1)) }?.kind
        == .badURL)
  }
}
