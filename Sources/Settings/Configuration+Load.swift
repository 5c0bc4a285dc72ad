import Core
// SPDX-License-Identifier: Apache-2.0
import Identity

extension Configuration {
  /// Largest configuration file, in bytes.
  static let fileBytesMax = 1 << 20

  /// Builds the configuration in force: flags over the environment over the file over the defaults.
  ///
  /// Touches nothing but the file; secrets are not read.
  ///
  /// - Parameters:
  ///   - file: Path of the YAML file, also its name in messages; a file that does not exist is an empty one.
  ///   - text: Content of the file when it is already known; the file is not read then.
  ///   - environment: Variables; names that begin with `PERIGEE_` must be known.
  ///   - flags: Key paths and values as written on the command line; a later one wins.
  /// - Throws: ``ConfigurationError`` with everything that is wrong in any source.
  public static func load(
    file: String? = nil, text: String? = nil, environment: [String: String] = [:],
    flags: [(path: String, value: String)] = []
  ) throws(ConfigurationError) -> Configuration {
    var configuration = Configuration()
    var reading = Reading()
    configuration.read(file: file, text: text, &reading)
    configuration.read(environment: environment, &reading)
    for flag in flags {
      configuration.read(flag: flag.path, flag.value, &reading)
    }
    configuration.check(&reading)
    guard reading.problems.isEmpty else { throw ConfigurationError(problems: reading.problems) }
    configuration.sources = reading.sources
    return configuration
  }

  private mutating func read(file: String?, text: String?, _ reading: inout Reading) {
    let name = file.map { String($0.split(separator: "/").last ?? "perigee.yaml") } ?? "perigee.yaml"
    var content = text
    if content == nil, let file {
      switch TextFile.load(file, bytesMax: Self.fileBytesMax) {
      case .text(let text): content = text
      case .absent: return
      case .unreadable(let why):
        reading.refuse(.file(name, line: 1, column: 1), "\(file) cannot be read: \(why)")
      }
    }
    guard let content else { return }
    switch Tree.parse(yaml: content, source: { .file(name, line: $0, column: $1) }) {
    case .failure(let error): reading.problems += error.problems
    case .success(let tree): read(tree, &reading)
    }
  }

  private mutating func read(_ tree: Tree, _ reading: inout Reading) {
    switch tree.value {
    case .map(let entries): reading.read(entries, Self.keys, into: &self)
    case .null: break
    default:
      reading.refuse(
        tree.source, "the file must be a map of keys, not \(tree.found)", hint: "begin with 'server:'")
    }
  }

  private mutating func read(flag path: String, _ text: String, _ reading: inout Reading) {
    guard let place = KeyPlace.find(path, in: self, spelling: .dotted) else {
      let near = Suggestion.nearest(to: path, in: Self.keys.map(\.path))
      reading.refuse(
        .flag(path), "there is no key '\(path)'", hint: near.map { "did you mean '\($0)'?" })
      return
    }
    read(text, at: place, source: .flag(path), &reading)
  }

  /// Reads one value that came as text.
  mutating func read(_ text: String, at place: KeyPlace, source: Source, _ reading: inout Reading) {
    switch Tree.make(text: text, shape: place.shape, source: source) {
    case .failure(let error): reading.problems += error.problems
    case .success(let value):
      let entries = place.components.reversed().reduce(value) { inner, name in
        Tree(.map([Tree.Entry(key: name, source: source, value: inner)]), source: source)
      }
      read(entries, &reading)
    }
  }

  // MARK: Rules across keys

  private mutating func check(_ reading: inout Reading) {
    checkServer(&reading)
    checkTokens(&reading)
    checkProviders(&reading)
    for index in routes.indices {
      require(Route.keys, of: "routes.\(index + 1)", &reading)
    }
    for name in scripts.secrets.keys.sorted() {
      require(SecretBinding.keys, of: "scripts.secrets.\(name)", &reading)
    }
    for name in events.webhooks.keys.sorted() {
      require(EventWebhook.keys, of: "events.webhooks.\(name)", &reading)
    }
  }

  /// Refuses missing keys of an element, but for those whose wrong value was refused already.
  private func require<Element>(_ keys: [Key<Element>], of element: String, _ reading: inout Reading) {
    for key in keys where key.isRequired {
      let path = "\(element).\(key.path)"
      guard reading.sources[path] == nil,
        !reading.problems.contains(where: { $0.message.hasPrefix(path + " ") })
      else { continue }
      reading.refuse(reading.places[element] ?? .default, "\(path) is missing")
    }
  }

  private func checkServer(_ reading: inout Reading) {
    if auth.mode == .none, !server.isLoopback {
      let source = reading.sources["server.host"] ?? .default
      reading.refuse(
        source, "server.host is \(server.host), but auth.mode none serves only this machine",
        hint: "set server.host to 127.0.0.1")
    }
    if auth.mode == .none, server.cors.origins.contains("*") {
      reading.refuse(
        reading.sources["server.cors.origins"] ?? .default,
        "server.cors.origins is *, and auth.mode none would let every page act as this machine's user",
        hint: "name the origins, or set auth.mode")
    }
    if (server.tls.certificateFile == nil) != (server.tls.keyFile == nil) {
      let (there, missing) =
        server.tls.keyFile == nil ? ("certificate_file", "key_file") : ("key_file", "certificate_file")
      reading.refuse(
        reading.sources["server.tls.\(there)"] ?? .default,
        "server.tls.\(there) is set, but server.tls.\(missing) is not")
    }
  }

  private func checkTokens(_ reading: inout Reading) {
    let jwt = auth.jwt
    guard auth.mode == .jwt || auth.mode == .any else { return }
    let place = reading.sources["auth.jwt.algorithms"] ?? reading.sources["auth.mode"] ?? .default
    if jwt.algorithms.isEmpty {
      reading.refuse(place, "auth.jwt.algorithms is empty: no token could be accepted")
    }
    if jwt.algorithms.contains(where: \.isSymmetric), jwt.secretEnv == nil, jwt.secretFile == nil {
      reading.refuse(place, "HS algorithms need auth.jwt.secret_env or auth.jwt.secret_file")
    }
    if jwt.algorithms.count(where: \.isSymmetric) > 1 {
      reading.refuse(place, "auth.jwt.algorithms has more than one HS algorithm, and a secret is for one")
    }
    guard jwt.discoversKeys else { return }
    guard let issuer = jwt.issuer else {
      return reading.refuse(
        place,
        "RS, ES and EdDSA algorithms need auth.jwt.public_key_file, auth.jwt.jwks_file or auth.jwt.jwks_url",
        hint: "or auth.jwt.issuer, an OpenID Connect issuer, which says where its keys are")
    }
    guard Network.isTrustworthy(url: issuer) else {
      return reading.refuse(
        reading.sources["auth.jwt.issuer"] ?? place,
        "auth.jwt.issuer is \(issuer), which cannot be asked for its keys: it is no https:// address",
        hint: "set auth.jwt.jwks_url, auth.jwt.jwks_file or auth.jwt.public_key_file")
    }
  }
}
