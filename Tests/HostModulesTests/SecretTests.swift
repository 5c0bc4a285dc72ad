// SPDX-License-Identifier: Apache-2.0
import Core
import HostModules
import JSONCodec
import TestSupport
import Testing

@Suite("Secrets of scripts", .timeLimit(.minutes(5)))
struct SecretTests {
  private static let value = "sk-live-4711"

  /// Bound to the server's own port, and to a host where nothing listens.
  private static func secrets(_ server: ScriptedProvider) throws -> ScriptSecrets {
    let here = try #require(HostPattern("127.0.0.1:\(server.port)"))
    let elsewhere = try #require(HostPattern("api.example.com"))
    return ScriptSecrets([
      "here": .init(value: value, variable: "HERE_KEY", hosts: [here]),
      "elsewhere": .init(value: "sk-other-0815", variable: "OTHER_KEY", hosts: [elsewhere]),
      "unset": .init(value: nil, variable: "UNSET_KEY", hosts: [here]),
    ])
  }

  /// A server that repeats the header `x-key` in its body and in a header, and its address.
  private static func echo() throws -> ScriptedProvider {
    try ScriptedProvider { request in
      if request.path == "/moved" {
        return .status(302, headers: [("location", "http://localhost:1/")], body: "")
      }
      let key = request.header("x-key") ?? "none"
      return .status(200, headers: [("x-echo", key)], body: "got \(key)")
    }
  }

  private static func answer(_ lua: String, _ server: ScriptedProvider) async throws -> String {
    try await TestWorkspace.answer(
      lua, access: #"http = { "127.0.0.1:\#(server.port)", "localhost:\#(server.port)", "localhost:1" }"#,
      secrets: try secrets(server))
  }

  @Test("the host gets the secret, and the script sees neither it nor its echo")
  func sent() async throws {
    let server = try Self.echo()
    let text = try await Self.answer(
      """
      local key = "Key " .. secrets.get("here") .. "/" .. secrets.get("here")
      local response = http.get("\(server.origin)/", { headers = { ["x-key"] = key } })
      return response.body .. "|" .. response.headers["x-echo"] .. "|" .. (key:gsub("%x+%-[%x-]+", "MARK"))
      """, server)
    #expect(server.requests.first?.header("x-key") == "Key \(Self.value)/\(Self.value)")
    #expect(
      text == """
        got Key [redacted]/[redacted]|Key [redacted]/[redacted]|Key {secret:MARK:here}/{secret:MARK:here}
        """)
  }

  @Test(
    "a secret goes nowhere but into a header, for the hosts that it is bound to",
    arguments: [
      (
        #"http.get(ORIGIN, { headers = { ["x-key"] = secrets.get("elsewhere") } })"#,
        "denied: the secret in the header 'x-key' is not bound to this host"
      ),
      (
        #"http.get(OTHER, { headers = { ["x-key"] = secrets.get("here") } })"#,
        "denied: the secret in the header 'x-key' is not bound to this host"
      ),
      (
        #"http.get(ORIGIN, { headers = { ["x-key"] = secrets.get("here") .. secrets.get("elsewhere") } })"#,
        "denied: the secret in the header 'x-key' is not bound to this host"
      ),
      (
        #"secrets.get("nope")"#, "not_found: there is no secret 'nope'; there are: elsewhere, here, unset"
      ),
      (
        #"secrets.get("unset")"#, "not_found: the secret 'unset' is not set: the server has no UNSET_KEY"
      ),
    ])
  func kept(statement: String, message: String) async throws {
    let server = try Self.echo()
    let text = try await Self.answer(
      """
      local ORIGIN, OTHER = "\(server.origin)", "http://localhost:\(server.port)"
      local ok, err = pcall(function() \(statement) end)
      return err and err.code .. ": " .. err.message or "nothing was raised"
      """, server)
    #expect(text == message)
    #expect(server.requests.isEmpty)
  }

  @Test("outside of headers a handle is the text that it is")
  func elsewhere() async throws {
    let server = try Self.echo()
    _ = try await Self.answer(
      """
      local key = secrets.get("here")
      http.post("\(server.origin)/?q=" .. key, { body = key, query = { key = key } })
      log.info(key)
      return key
      """, server)
    let request = try #require(server.requests.first)
    #expect(!request.path.contains(Self.value))
    #expect(!String(decoding: request.body, as: UTF8.self).contains(Self.value))
  }

  @Test("a redirect to another place goes without the secret")
  func redirected() async throws {
    let server = try Self.echo()
    let text = try await Self.answer(
      """
      local ok, err = pcall(http.get, "\(server.origin)/moved", { headers = { ["x-key"] = secrets.get("here") } })
      return err.code
      """, server)
    // Nothing listens there: the request was tried, not refused for its secret.
    #expect(text == "upstream")
    #expect(server.requests.map { $0.header("x-key") } == [Self.value])
  }

  @Test("what the workspace keeps secret is kept out of every answer from outside")
  func redacted() async throws {
    let server = try ScriptedProvider(.json(["keys": [.string(Self.value)]]))
    let text = try await Self.answer("return http.get(\"\(server.origin)/\").json.keys[1]", server)
    #expect(text == "[redacted]")
  }
}
