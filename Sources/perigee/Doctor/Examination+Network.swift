// SPDX-License-Identifier: Apache-2.0
import Core
import Glibc
import Identity
import Models
import Settings
import Threads
import Transport

extension Examination {
  // MARK: In

  /// Whether callers can prove who they are, and whether they should.
  func authentication() async -> [Finding] {
    let (auth, server) = (configuration.auth, configuration.server)
    let part = "authentication"
    // The configuration is refused as a whole where nobody proves anything and others than this machine are served.
    guard auth.mode != .none else { return [.ok(part, "none, and only this machine is served")] }
    if auth.mode == .jwt || auth.mode == .any {
      do {
        _ = try await auth.jwt.keys(environment: environment)
      } catch { return Finding.refusals(part, error) }
    }
    if !server.isLoopback, server.trustedProxies.isEmpty {
      return [
        .warning(
          part, "\(auth.mode.rawValue), but \(server.host) takes requests without TLS",
          hint: "let a proxy do TLS, name it in server.trusted_proxies, and keep others from this port")
      ]
    }
    return [.ok(part, auth.mode.rawValue)]
  }

  func port() async -> Finding {
    let server = configuration.server
    let place = "\(server.host.contains(":") ? "[\(server.host)]" : server.host):\(server.port)"
    guard server.port != 0 else { return .ok("port", "the system chooses one") }
    let (code, holders) = await SerialThread.run { [dataDirectory] in
      (Self.bind(server.host, server.port), DataLease.holders(dataDirectory, file: "lock"))
    }
    switch code {
    case 0: return .ok("port", "\(place) is free")
    case EADDRINUSE where !holders.isEmpty:
      return .ok("port", "\(place) is taken, and a server is at work here")
    case EADDRINUSE:
      return .error("port", "\(place) is taken", hint: "choose another with --port (server.port)")
    case EACCES:
      return .error(
        "port", "this user may not listen on \(place)",
        hint: "choose a port from 1024 with --port (server.port)")
    default:
      let why = code > 0 ? String(cString: strerror(code)) : "no such address"
      return .error(
        "port", "nobody can listen on \(place): \(why)",
        hint: "choose an address of this machine with --host (server.host)")
    }
  }

  /// What listening there would end with: 0, an error of the system, or -1 for a name that leads nowhere.
  private static func bind(_ host: String, _ port: Int) -> Int32 {
    var hints = addrinfo()
    hints.ai_flags = AI_PASSIVE
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &list) == 0, let first = list else { return -1 }
    defer { freeaddrinfo(list) }
    let kind = first.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(first.pointee.ai_family, kind, 0)
    guard descriptor >= 0 else { return errno }
    defer { close(descriptor) }
    // As the server itself: connections that have just ended are nobody's.
    var isOn: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &isOn, socklen_t(MemoryLayout<Int32>.size))
    guard Glibc.bind(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0,
      listen(descriptor, 1) == 0
    else { return errno }
    return 0
  }

  // MARK: Out

  func providers() async -> [Finding] {
    let models: ModelClient.Configuration
    let client: HTTPClient
    do {
      models = try ModelClient.Configuration(configuration, environment: environment)
      client = try HTTPClient()
    } catch { return Finding.refusals("providers", error) }
    var findings: [Finding] = []
    for provider in models.providers { findings += await examine(provider, client) }
    if isOnline, [.jwt, .any].contains(configuration.auth.mode),
      let source = configuration.auth.jwt.publishedKeys(client)
    {
      findings.append(await publicKeys(source))
    }
    await client.shutdown()
    return findings
  }

  private func examine(_ provider: ProviderConfiguration, _ client: HTTPClient) async -> [Finding] {
    let part = "provider \(provider.name)"
    guard provider.isUsable else {
      return [
        .warning(
          part, "no key is set: stubs answer", hint: "export \(keyVariable(of: provider.name))=…")
      ]
    }
    guard isOnline else { return [.ok(part, "\(origin(of: provider)), not asked; --online does")] }
    var request = provider.probe
    request.timeout = .seconds(5)
    do {
      let response = try await client.send(request)
      return [judge(response.status, part)] + skew(response, from: provider.name)
    } catch {
      return [
        .error(
          part, "not reachable: \(error)",
          hint: "is providers.\(provider.name).base_url right, and may this machine go there?")
      ]
    }
  }

  private func judge(_ status: Int, _ part: String) -> Finding {
    switch status {
    case 200..<300: .ok(part, "reachable")
    case 401, 403:
      .error(part, "the key is refused (\(status))", hint: "is it the key of this provider, and in force?")
    default:
      .warning(
        part, "reachable, but the list of models answers \(status)", hint: "try an agent: perigee chat AGENT")
    }
  }

  /// Tokens are judged by this clock, and a provider's is most likely right.
  private func skew(_ response: HTTPResponse, from name: String) -> [Finding] {
    guard let text = response.headers["date"], let theirs = Timestamp(httpDate: text) else { return [] }
    let seconds = (SystemTime().now.milliseconds - theirs.milliseconds) / 1000
    guard abs(seconds) > 60 else { return [] }
    return [
      .warning(
        "clock", "it is \(abs(seconds)) s \(seconds > 0 ? "ahead of" : "behind") that of \(name)",
        hint: "set it by NTP: tokens are judged by it")
    ]
  }

  private func publicKeys(_ source: FetchedKeys) async -> Finding {
    let part = configuration.auth.jwt.jwksURL == nil ? "auth.jwt.issuer" : "auth.jwt.jwks_url"
    do {
      let keys = try await VerificationKeys.jwks(
        try await source.load().document, algorithms: configuration.auth.jwt.algorithms)
      return .ok(part, "\(keys.count) public keys")
    } catch {
      return .error(
        part, "the public keys cannot be had: \(error)",
        hint: "is the address right, and may this machine go there?")
    }
  }

  private func keyVariable(of provider: String) -> String {
    configuration.providers[provider]?.apiKeyEnv ?? "OPENAI_API_KEY"
  }

  /// An address may have a password in it.
  private func origin(of provider: ProviderConfiguration) -> String {
    let host = provider.baseURL.split(separator: "/").dropFirst().first ?? ""
    return host.isEmpty ? "an address is set" : String(host.split(separator: "@").last ?? "")
  }
}
