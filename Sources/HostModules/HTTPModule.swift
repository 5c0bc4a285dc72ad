// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import LuaHost
import Telemetry
import Transport

extension HostModule {
  /// `http`: requests to hosts that the tool's `access` lists.
  static let http = HostModule(
    "http",
    "Requests to the hosts that `access.http` lists. Every status is an answer; only a request that brought none raises.",
    types: """
      ---@class (exact) perigee.HttpOptions
      ---@field headers? table<string, string>
      ---@field query? table<string, string|number|boolean> added to the URL
      ---@field body? string
      ---@field json? any sent as JSON in place of `body`
      ---@field timeout? number seconds
      ---@class (exact) perigee.HttpRequest: perigee.HttpOptions
      ---@field url string
      ---@field method? string "GET" unless said
      ---@class (exact) perigee.HttpResponse
      ---@field status integer
      ---@field ok boolean status is 200 to 299
      ---@field headers table<string, string> names in lower case
      ---@field body string
      ---@field json any the body decoded, when its content type is JSON
      """,
    functions: [
      Function(
        "get", "Fetches a URL.",
        [
          Parameter("url", "string", "http or https"),
          Parameter("opts", "perigee.HttpOptions?", "`headers`, `query`, `timeout`"),
        ],
        returns: "perigee.HttpResponse", capability: #"http = { "api.example.com" }"#, mayWait: true,
        example: #"local rate = http.get("https://api.example.com/rate").json.value"#,
        body: .waits(
          { arguments, scope in
            try await send(
              method: "GET", url: try arguments.string(1), options: try arguments.options(2, optionNames),
              scope: scope, key: scope.key(arguments), function: "http.get")
          }, named: "http.get", recorded: .observed)),
      Function(
        "post", "Posts to a URL.",
        [
          Parameter("url", "string", "http or https"),
          Parameter("opts", "perigee.HttpOptions?", "`json` or `body`, `headers`, `query`, `timeout`"),
        ],
        returns: "perigee.HttpResponse", capability: #"http = { "api.example.com" }"#, mayWait: true,
        body: .waits(
          { arguments, scope in
            try await send(
              method: "POST", url: try arguments.string(1), options: try arguments.options(2, optionNames),
              scope: scope, key: scope.key(arguments), function: "http.post")
          }, named: "http.post", recorded: .effect)),
      Function(
        "request", "Sends any request.",
        [Parameter("request", "perigee.HttpRequest", "what is sent, and where")],
        returns: "perigee.HttpResponse", capability: #"http = { "api.example.com" }"#, mayWait: true,
        body: .waits(
          { arguments, scope in
            let options = try arguments.options(1, optionNames.union(["url", "method"]))
            guard let url = try options.string("url") else { throw arguments.fault(1, "'url' is missing") }
            return try await send(
              method: try options.string("method")?.uppercased() ?? "GET", url: url, options: options,
              scope: scope, key: scope.key(arguments), function: "http.request")
          }, named: "http.request", recorded: .chosen { given, _ in isSafe(given) ? .observed : .effect })),
    ])

  static let optionNames: Set<String> = ["headers", "query", "body", "json", "timeout"]
  /// Whether a request changes nothing where it goes.
  ///
  /// Source: RFC 9110, 9.2.1.
  @Sendable private static func isSafe(_ arguments: Arguments) -> Bool {
    let method = (arguments.value(1)["method"] ?? .nil).string?.uppercased() ?? "GET"
    return ["GET", "HEAD", "OPTIONS"].contains(method)
  }

  private static let redirectsMax = 5
  /// Some servers take the method from these.
  private static let overridingHeaders: Set<String> = [
    "x-http-method", "x-http-method-override", "x-method-override",
  ]

  static func send(
    method: String, url: String, options: Options, scope: ScriptScope, key: String, function: String
  ) async throws -> LuaValue {
    try scope.need({ !$0.requests.isEmpty }, #"http = { "HOST" }"#, for: function)
    let policy = scope.resources.httpPolicy
    let grants = scope.access.requests
    var request = HTTPRequest(method: method, url: try address(url, options))
    try addHeaders(options, to: &request, secrets: scope.resources.secrets)
    if grants.contains(where: { $0.methods != nil }),
      let header = request.headers.first(where: { overridingHeaders.contains($0.name.lowercased()) })
    {
      throw HostError(
        Failure(.denied, "the header '\(header.name)' may stand for a method that access.http does not list"))
    }
    if let trace = scope.run.trace,
      !request.headers.contains(where: { $0.name.lowercased() == "traceparent" })
    {
      let context = trace.context(of: scope.isInside ? scope.callPlace : key)
      request.headers.append(("traceparent", context.traceparent))
      if !context.traceState.isEmpty { request.headers.append(("tracestate", context.traceState)) }
    }
    if let json = try options.json("json") {
      request.body = HTTPBody(RawJSON(json).bytes)
      if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
        request.headers.append(("content-type", "application/json"))
      }
    } else {
      request.body = try options.bytes("body").map { HTTPBody($0) }
    }
    request.timeout = .seconds(
      min(try options.seconds("timeout") ?? policy.timeoutSeconds, policy.timeoutSeconds))
    request.responseBytesMax = policy.bodyBytesMax
    request.redirectsMax = redirectsMax
    request.egress = EgressPolicy(allowsPrivateAddresses: policy.allowsPrivateAddresses) { method, to in
      grants.contains { $0.allows(method, host: to.host, port: to.port) }
        && !policy.blockedPorts.contains(to.port)
        && (policy.allow.isEmpty || policy.allow.contains { $0.matches(host: to.host, port: to.port) })
    }
    do {
      return value(of: try await scope.resources.http.send(request), secrets: scope.resources.secrets)
    } catch let error as TransportError {
      throw HostError(error, grants: grants)
    }
  }

  private static func address(_ url: String, _ options: Options) throws(HostError) -> String {
    guard let query = try options.table("query"), !query.isEmpty else { return url }
    var pairs: [String] = []
    for (key, value) in query {
      let text: String
      switch value {
      case .string(let string): text = string
      case .integer(let number): text = String(number)
      case .number(let number): text = "\(number)"
      case .bool(let bool): text = bool ? "true" : "false"
      default: throw options.arguments.fault(options.position, "query '\(key)' is a \(value.typeName)")
      }
      pairs.append("\(key.percentEncoded)=\(text.percentEncoded)")
    }
    return url + (url.contains("?") ? "&" : "?") + pairs.sorted().joined(separator: "&")
  }

  private static func addHeaders(
    _ options: Options, to request: inout HTTPRequest, secrets: ScriptSecrets
  ) throws(HostError) {
    for (name, value) in (try options.table("headers") ?? []).sorted(by: { $0.key < $1.key }) {
      guard case .string(let text) = value else {
        throw options.arguments.fault(
          options.position, "header '\(name)' is a \(value.typeName), not a string")
      }
      if let header = try secrets.header(name, text) {
        request.boundHeaders.append(header)
      } else {
        request.headers.append((name, text))
      }
    }
  }

  private static func value(of response: HTTPResponse, secrets: ScriptSecrets) -> LuaValue {
    let body = secrets.redact(response.body)
    let headers = Dictionary(
      response.headers.map { ($0.name.lowercased(), secrets.redact($0.value)) }
    ) { "\($0), \($1)" }
    let isJSON = headers["content-type"].map { $0.contains("/json") || $0.contains("+json") } ?? false
    return .fields([
      "status": .integer(Int64(response.status)), "ok": .bool((200..<300).contains(response.status)),
      "headers": .table(
        headers.sorted { $0.key < $1.key }.map { LuaField($0.key, .string($0.value)) }),
      "body": String(validating: body, as: UTF8.self).map { .string($0) } ?? .bytes(body),
      "json": isJSON ? (try? RawJSON(checking: body)).map { .json($0) } : nil,
    ])
  }
}

extension HostError {
  fileprivate init(_ error: TransportError, grants: [RequestGrant]) {
    let (code, retryable): (Failure.Code, Bool) =
      switch error.kind {
      case .timeout: (.timeout, true)
      case .connect, .broken: (.upstream, true)
      case .tls, .tooManyRedirects, .closed: (.upstream, false)
      case .tooLarge: (.limit, false)
      case .denied, .unbound: (.denied, false)
      case .badURL, .badRequest: (.invalidArguments, false)
      }
    let hint =
      error.kind == .denied ? "; access.http lists \(grants.map { "\"\($0)\"" }.joined(separator: ", "))" : ""
    self.init(Failure(code, error.message + hint, retryable: retryable))
  }
}

extension String {
  /// Source: RFC 3986, 2.3: everything but the unreserved characters is escaped.
  fileprivate var percentEncoded: String {
    let digits = Array("0123456789ABCDEF".utf8)
    var encoded: [UInt8] = []
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        encoded.append(byte)
      default: encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: encoded, as: UTF8.self)
  }
}
