// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Telemetry

@Suite("What the environment says", .timeLimit(.minutes(1)))
struct ConfigurationTests {
  @Test("the operator's attributes go before ours, and OTEL_SERVICE_NAME before all")
  func resource() throws {
    let plain = try Resource(serviceVersion: "1.2.3", instanceID: "i-1")
    #expect(
      plain.attributes == [
        "service.name": "perigee", "service.version": "1.2.3", "service.instance.id": "i-1",
      ])
    let said = try Resource(
      serviceVersion: "1", instanceID: "i",
      environmentAttributes: "service.name=a,deployment.environment.name=prod",
      environmentServiceName: "")
    #expect(said.attributes["service.name"] == "a")
    #expect(said.attributes["deployment.environment.name"] == "prod")
    let named = try Resource(
      serviceVersion: "1", instanceID: "i", environmentAttributes: "service.name=a",
      environmentServiceName: "b")
    #expect(named.attributes["service.name"] == "b")
  }

  @Test(
    "lists are read with percent sequences and space around",
    arguments: [
      ("", []), ("a=1", ["a", "1"]), ("a=1,b=2", ["a", "1", "b", "2"]),
      (" a = 1 ,\tb=2 ", ["a", "1", "b", "2"]),
      ("a=1,,b=2,", ["a", "1", "b", "2"]), ("a=", ["a", ""]), ("a=x=y==", ["a", "x=y=="]),
      ("a=%2C%3d%25,k%3D=%C3%A9", ["a", ",=%", "k=", "é"]), ("a=%20b%20", ["a", " b "]),
      ("a=é;p", ["a", "é;p"]),
      ("a=1,a=2", ["a", "1", "a", "2"]),
    ] as [(String, [String])])
  func list(_ text: String, _ pairs: [String]) throws {
    #expect(try KeyValueList.parse(text, of: "X").flatMap { [$0.name, $0.value] } == pairs)
  }

  @Test(
    "a list with one wrong entry is refused as a whole, and not shown",
    arguments: [
      "hunter2", "a=1,hunter2", "=hunter2", " =hunter2", "a=hunter2%", "a=%4", "a=%zz", "a=%FF", "%=1",
      "a=%+1",
    ])
  func wrongList(_ text: String) {
    let error = #expect(throws: TelemetryError.self) {
      try Resource(serviceVersion: "1", instanceID: "i", environmentAttributes: text)
    }
    #expect(error?.message.contains("OTEL_RESOURCE_ATTRIBUTES: entry") == true)
    #expect(error?.message.contains("hunter2") == false)
  }

  @Test("headers are read, and their values not described")
  func headers() throws {
    let headers = try OTLPHeaders(parsing: "api-key=s3cret,Authorization=Basic%20dTpw==,API-Key=n3w")
    #expect(
      headers.headers == [
        .init(name: "Authorization", value: "Basic dTpw=="), .init(name: "API-Key", value: "n3w"),
      ])
    #expect("\(headers)" == "Authorization: ***, API-Key: ***")
    #expect(String(reflecting: headers) == "Authorization: ***, API-Key: ***")
    #expect(try OTLPHeaders(parsing: "").headers.isEmpty)
  }

  @Test(
    "what is no header is refused without its value",
    arguments: [
      "a b=s3cret", "k\u{e9}=s3cret", "a:=s3cret", "a=s3cret%0d%0aX: y", "a=s3cret%00", "a=s3cret%7f",
      "s3cret",
      "Host=s3cret", "content-LENGTH=s3cret", "a=s3cret%",
    ])
  func wrongHeaders(_ text: String) {
    let error = #expect(throws: TelemetryError.self) { try OTLPHeaders(parsing: text) }
    #expect(error?.message.hasPrefix("OTEL_EXPORTER_OTLP_HEADERS: ") == true)
    #expect(error?.message.contains("s3cret") == false)
  }

  @Test(
    "the path of traces is added to the base",
    arguments: [
      ("http://localhost:4318", "http://localhost:4318/v1/traces"),
      ("http://localhost:4318/", "http://localhost:4318/v1/traces"),
      ("https://h/mycollector/", "https://h/mycollector/v1/traces"),
      ("https://h/mycollector", "https://h/mycollector/v1/traces"),
      ("HTTPS://H.example:1/a%20b", "HTTPS://H.example:1/a%20b/v1/traces"),
      ("http://[::1]:4318", "http://[::1]:4318/v1/traces"),
      ("http://[fe80::1.2.3.4]", "http://[fe80::1.2.3.4]/v1/traces"),
      ("http://h/@x:y", "http://h/@x:y/v1/traces"),
    ])
  func base(_ text: String, _ url: String) throws {
    #expect(try OTLPEndpoint(base: text).url == url)
  }

  @Test(
    "the URL for traces alone is taken as it is",
    arguments: [
      ("https://h/x", "https://h/x"), ("https://h", "https://h/"),
      ("https://h/v1/traces/", "https://h/v1/traces/"),
      ("https://h?k=s", "https://h/?k=s"), ("https://h/x?k=s", "https://h/x?k=s"),
    ])
  func traces(_ text: String, _ url: String) throws {
    let endpoint = try OTLPEndpoint(traces: text)
    #expect(endpoint.url == url)
    #expect(!"\(endpoint)".contains("?"))
  }

  @Test(
    "what cannot be used is refused, and not shown",
    arguments: [
      "", "localhost:4318", "//h3st/x", "grpc://h3st", "ftp://h3st", "unix:///h3st", "http:/h3st",
      "http:h3st",
      "http://", "http://:80", "http:///x", "http://u:p@h3st", "http://u@h3st", "https://@h3st",
      "http://h3st:",
      "http://h3st:0", "http://h3st:65536", "http://h3st:x", "http://h3st:+80", "http://h3st:1:2",
      "http://[h3st]",
      "http://[::1", "http://[]", "http://::1", "http://h3st]", "http://[::1]x", "http://h3st/a b",
      "http://h3st\\x",
      "http://h3st/#f", "http://h3st/é", "http://h3st/\n", " http://h3st", "http://h3st/%{x}",
      "http://h3st/" + String(repeating: "x", count: 2048),
    ])
  func wrongEndpoint(_ text: String) {
    for make in [{ try OTLPEndpoint(base: $0) }, { try OTLPEndpoint(traces: $0) }]
      as [(String) throws -> OTLPEndpoint]
    {
      let error = #expect(throws: TelemetryError.self) { try make(text) }
      #expect(error?.message.contains("h3st") == false)
    }
  }

  @Test("a base has no query, for the path would come after it")
  func query() {
    #expect(throws: TelemetryError.self) { try OTLPEndpoint(base: "http://h/x?y") }
    #expect(throws: TelemetryError.self) { try OTLPEndpoint(base: "http://h?y") }
    #expect(throws: TelemetryError.self) { try OTLPEndpoint(traces: "http://h/x?y#z") }
  }

  @Test("damaged texts never crash")
  func fuzz() {
    var random = SplitMix64(seed: 0x4f54_4c50)
    let pool = Array("ab=,%2CF0:/@?#[]. \t\0é".unicodeScalars)
    for _ in 0..<20_000 {
      var text = String.UnicodeScalarView("http://h:1/p,a=%2C".unicodeScalars)
      for _ in 0..<Int.random(in: 1..<6, using: &random) {
        let place = text.index(text.startIndex, offsetBy: Int.random(in: 0...text.count, using: &random))
        text.insert(pool.randomElement(using: &random) ?? "x", at: place)
      }
      let damaged = String(text)
      if let endpoint = try? OTLPEndpoint(base: damaged) {
        #expect(endpoint.url.hasSuffix("/v1/traces") && !endpoint.url.contains("?"))
      }
      _ = try? OTLPEndpoint(traces: damaged)
      _ = try? OTLPHeaders(parsing: damaged)
    }
  }
}
