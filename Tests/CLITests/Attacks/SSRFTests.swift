// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import TestSupport
import Testing

/// Scripts that want to reach what only the server's own network reaches.
@Suite("Requests to where nobody should get", .timeLimit(.minutes(5)))
struct SSRFTests {
  /// The same port of this machine, and addresses that only clouds answer, however they are written.
  private static func spellings(_ port: Int) -> [String] {
    let hosts = [
      "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "0177.0.0.1",
      "017700000001", "0000127.0.0.1", "127.0.0.1.", "127.127.127.127", "localhost", "LOCALHOST",
      "localhost.",
      "0.0.0.0", "0", "[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
      "[0:0:0:0:0:ffff:7f00:0001]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]",
      "%31%32%37.0.0.1", "127.0.0.1%00.example.com", "①②⑦.⓪.⓪.①", "127。0。0。1", "ip6-localhost",
      ProcessInfo.processInfo.hostName,
    ]
    let metadata = [
      "169.254.169.254", "2852039166", "0xa9fea9fe", "[::ffff:169.254.169.254]", "[fd00:ec2::254]",
    ]
    return hosts.map { "http://\($0):\(port)/x" }
      + metadata.map { "http://\($0)/latest/meta-data/" }
      + [
        "http://api.example.com@127.0.0.1:\(port)/", "http://api.example.com:80@127.0.0.1:\(port)/",
        "http://127.0.0.1:\(port)@api.example.com@127.0.0.1:\(port)/",
        "http://api.example.com#@127.0.0.1:\(port)/", "http://api.example.com\\@127.0.0.1:\(port)/",
        "http://127.0.0.1:\(port)\\@api.example.com/", "http:127.0.0.1:\(port)/",
        "http:///127.0.0.1:\(port)/",
        "//127.0.0.1:\(port)/", " http://127.0.0.1:\(port)/", "http://127.0.0.1:\(port)/\r\nX: y",
        "http://127.0.0.1\t:\(port)/", "HTTP://127.0.0.1:\(port)/",
        "file:///etc/passwd", "FILE:///etc/passwd", "gopher://127.0.0.1:\(port)/_GET%20/",
        "dict://127.0.0.1:\(port)/x", "ftp://127.0.0.1:\(port)/", "ldap://127.0.0.1:\(port)/",
        "tftp://127.0.0.1:\(port)/x", "smb://127.0.0.1/x", "jar:http://127.0.0.1:\(port)/!/", "data:,x",
        "unix:///run/docker.sock",
      ]
  }

  /// The agent asks for each address of its input, and tells which were answered.
  private static let asking = """
    local answered = {}
    for _, url in ipairs(input.urls) do
      for _, ask in ipairs{
        function() return http.get(url, { timeout = 2 }) end,
        function() return http.post(url, { json = {}, timeout = 2 }) end,
      } do
        local ok, result = pcall(ask)
        if ok then answered[#answered + 1] = url .. " " .. result.status end
      end
    end
    return { text = "done", data = answered }
    """

  /// Grants for all of it, so that the list is not what stops a request.
  private static func grants(_ port: Int) -> String {
    [
      "127.0.0.1:\(port)", "127.127.127.127:\(port)", "localhost:\(port)", "0.0.0.0:\(port)",
      "[::1]:\(port)", "169.254.169.254", "ip6-localhost:\(port)",
    ].map { "\"\($0)\"" }.joined(separator: ", ")
  }

  @Test("no spelling of a private address leads to it, granted or not", arguments: [true, false])
  func spellings(isGranted: Bool) async throws {
    let inner = try ScriptedProvider(.status(200, body: "inside"))
    let grants = isGranted ? Self.grants(inner.port) : #""api.example.com""#
    let workspace = try Folder([
      "agents/a.lua": """
      return { access = { http = { \(grants) } }, limits = { seconds = 120 }, run = function(ctx, input)
        \(Self.asking)
      end }
      """
    ])
    try await RunningServer.with(workspace: workspace.path) { server in
      let urls = JSON.array(Self.spellings(inner.port).map { .string($0) })
      let answer = try await server.chat("a", "m", input: ["urls": urls])
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.json["data"] == [] || answer.json["data"] == [:], "\(answer.text)")
    }
    #expect(inner.requests.isEmpty && inner.connectionsOpened == 0)
  }

  @Test("a redirect leads nowhere that the first request could not go")
  func redirects() async throws {
    let inner = try ScriptedProvider(.status(200, body: "inside"))
    let targets =
      [inner.origin + "/admin", "//127.0.0.1:\(inner.port)/"]
      + Self.spellings(inner.port).filter { !$0.contains("\r") }
    let outer = try ScriptedProvider { request in
      let index = Int(request.path.dropFirst()) ?? 0
      return .status(index % 2 == 0 ? 302 : 307, headers: [("Location", targets[index])])
    }
    let workspace = try Folder([
      "perigee.yaml": "http: { private_addresses: true }",
      "agents/a.lua": """
      return { access = { http = { "127.0.0.1:\(outer.port)" } }, limits = { seconds = 120 },
        run = function(ctx, input)
          local inside = {}
          for i = 0, input.count - 1 do
            local ok, result = pcall(http.get, "http://127.0.0.1:\(outer.port)/" .. i, { timeout = 2 })
            if ok and (result.ok or result.body ~= "") then inside[#inside + 1] = i end
          end
          return { text = "done", data = inside }
        end }
      """,
    ])
    try await RunningServer.with(workspace: workspace.path) { server in
      let answer = try await server.chat("a", "m", input: ["count": .integer(Int64(targets.count))])
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.json["data"] == [] || answer.json["data"] == [:], "\(answer.text)")
    }
    #expect(outer.requests.count >= targets.count)
    #expect(inner.requests.isEmpty && inner.connectionsOpened == 0)
  }

  @Test("a workflow's webhook goes no further than its agent's requests")
  func workflowWebhook() async throws {
    let inner = try ScriptedProvider(.json(["inside": true]))
    let workspace = try Folder([
      "agents/a.lua": """
      return { access = { http = { "POST 127.0.0.1:\(inner.port)" } },
        steps = { tell = { webhook = "\(inner.origin)/hook" } } }
      """
    ])
    try await RunningServer.with(workspace: workspace.path) { server in
      let answer = try await server.chat("a", "m")
      #expect(answer.status == 403 && answer.json["code"] == "denied", "\(answer.text)")
    }
    #expect(inner.connectionsOpened == 0)
  }

  @Test("who is told of events cannot send the server on, and is told by HTTP alone")
  func eventWebhook() async throws {
    let inner = try ScriptedProvider(.status(200))
    let outer = try ScriptedProvider(.status(302, headers: [("Location", inner.origin + "/admin")]))
    let workspace = try Folder([
      "perigee.yaml": "events: { webhooks: { w: { url: \"\(outer.origin)/hook\" } } }",
      "agents/a.lua": "return { run = function() return 'x' end }",
    ])
    try await RunningServer.with(workspace: workspace.path) { server in
      let answer = try await server.chat("a", "m")
      #expect(answer.status == 200)
      // The second is the first told again: a redirect is no good answer.
      await outer.requests(atLeast: 2)
    }
    #expect(inner.connectionsOpened == 0)
    for url in ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/"] {
      try workspace.write("perigee.yaml", "events: { webhooks: { w: { url: \"\(url)\" } } }")
      let data = try Folder()
      let started = try await perigee(
        "serve", "--port", "0", "--workspace", workspace.path, "--data", data.path)
      #expect(started.status == 2, "\(url): \(started.errors)")
    }
  }
}
