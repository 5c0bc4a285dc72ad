// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(5))) struct EgressTests {
  let client: HTTPClient

  init() throws { client = try HTTPClient() }

  @Test(
    "a private address is refused however it is written",
    arguments: [
      "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001",
      "127.0.0.1.",
      "localhost", "LOCALHOST", "0.0.0.0", "0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
      "[::127.0.0.1]", "[64:ff9b::7f00:1]", "%31%32%37.0.0.1",
    ])
  func spellings(host: String) async throws {
    let server = try ScriptedProvider(.status(200))
    let failure = await failure {
      try await client.send(HTTPRequest(url: "http://\(host):\(server.port)/", egress: EgressPolicy()))
    }
    // Some spellings are no host at all for libcurl: they must not get through either.
    #expect([.denied, .badURL, .connect].contains(failure?.kind))
    #expect(failure?.mayHaveBeenSent == false)
    #expect(server.connectionsOpened == 0)
  }

  @Test(
    "a loopback address is denied for what it is",
    arguments: ["127.0.0.1", "2130706433", "0x7f.1", "localhost"])
  func denied(host: String) async throws {
    let server = try ScriptedProvider(.status(200))
    let failure = await failure {
      try await client.send(HTTPRequest(url: "http://\(host):\(server.port)/", egress: EgressPolicy()))
    }
    #expect(failure?.kind == .denied)
  }

  @Test("private addresses may be allowed")
  func allowed() async throws {
    let server = try ScriptedProvider(.status(204))
    let policy = EgressPolicy(allowsPrivateAddresses: true)
    #expect(try await client.send(HTTPRequest(url: server.origin, egress: policy)).status == 204)
  }

  @Test("a kept connection of the operator's own requests is not open to others")
  func keptConnection() async throws {
    let server = try ScriptedProvider(.status(200, body: "x"))
    _ = try await client.send(HTTPRequest(url: server.origin))
    let failure = await failure {
      try await client.send(HTTPRequest(url: server.origin, egress: EgressPolicy()))
    }
    #expect(failure?.kind == .denied)
    #expect(failure?.mayHaveBeenSent == false)
    #expect(server.requests.count == 1)
    #expect(try await client.send(HTTPRequest(url: server.origin)).status == 200)
  }

  @Test("the policy is asked for scheme, host and port as they are connected to")
  func destination() async throws {
    let seen = Recorder<EgressPolicy.Destination>()
    let policy = EgressPolicy { _, destination in
      seen.append(destination)
      return false
    }
    for url in [
      "https://API.Example.com/x", "http://0x7f.1:81/", "http://[::1]:8080/", "http://ex%61mple.com/",
    ] {
      let failure = await failure { try await client.send(HTTPRequest(url: url, egress: policy)) }
      #expect(failure?.kind == .denied)
    }
    #expect(
      seen.values == [
        .init(scheme: "https", host: "api.example.com", port: 443),
        .init(scheme: "http", host: "127.0.0.1", port: 81),
        .init(scheme: "http", host: "[::1]", port: 8080),
        .init(scheme: "http", host: "example.com", port: 80),
      ])
  }

  @Test("a redirect is checked like a request")
  func redirect() async throws {
    let inner = try ScriptedProvider(.status(200))
    let outer = try ScriptedProvider(.status(302, headers: [("Location", inner.origin + "/admin")]))
    let policy = EgressPolicy(allowsPrivateAddresses: true) { [port = outer.port] in $1.port == port }
    let failure = await failure {
      try await client.send(HTTPRequest(url: outer.origin, egress: policy, redirectsMax: 3))
    }
    #expect(failure?.kind == .denied)
    #expect(inner.connectionsOpened == 0)
  }

  @Test(
    "addresses outside of the public internet are told apart",
    arguments: [
      ("8.8.8.8", true), ("1.1.1.1", true), ("172.15.0.1", true), ("172.32.0.1", true), ("100.63.0.1", true),
      ("100.128.0.1", true), ("192.0.1.1", true), ("198.17.0.1", true), ("198.20.0.1", true),
      ("223.255.255.255", true),
      ("0.1.2.3", false), ("10.255.0.1", false), ("100.64.0.1", false), ("100.100.100.200", false),
      ("127.255.255.255", false), ("168.63.129.16", false), ("169.254.169.254", false), ("172.16.0.1", false),
      ("172.31.255.255", false), ("192.0.0.192", false), ("192.0.2.1", false), ("192.168.1.1", false),
      ("198.18.0.1", false), ("198.19.255.255", false), ("198.51.100.1", false), ("203.0.113.1", false),
      ("224.0.0.1", false), ("240.0.0.1", false), ("255.255.255.255", false),
      ("2606:4700:4700::1111", true), ("2a00:1450::1", true), ("2001:4860:4860::8888", true),
      ("2620:fe::fe", true),
      ("::", false), ("::1", false), ("::ffff:8.8.8.8", false), ("::ffff:127.0.0.1", false),
      ("::8.8.8.8", false),
      ("64:ff9b::808:808", false), ("64:ff9b:1::1", false), ("100::1", false), ("2001::1", false),
      ("2001:db8::1", false), ("2002:7f00:1::", false), ("3fff::1", false), ("5f00::1", false),
      ("fc00::1", false),
      ("fd00:ec2::254", false), ("fe80::1", false), ("fec0::1", false), ("ff02::1", false),
    ])
  func addresses(text: String, isPublic: Bool) throws {
    #expect(try #require(IPAddress(text)).isPublic == isPublic)
  }
}
