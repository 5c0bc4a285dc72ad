// SPDX-License-Identifier: Apache-2.0
import Core

extension Configuration {
  static let variablePrefix = "PERIGEE_"

  /// Variables that have a name of their own in the world, and the key that each one sets.
  static let usualVariables = [
    (name: "OPENAI_BASE_URL", path: "providers.openai.base_url"),
    (name: "AGENT_MODEL_NAME", path: "models.default"),
    (name: "AGENT_TEMPERATURE", path: "models.temperature"),
    (name: "AGENT_MAX_TOKENS", path: "models.max_tokens"),
    (name: "OTEL_EXPORTER_OTLP_ENDPOINT", path: "telemetry.otlp_endpoint"),
  ]

  /// Reads the usual names, then over them those that begin with `PERIGEE_`.
  mutating func read(environment: [String: String], _ reading: inout Reading) {
    for (name, path) in Self.usualVariables {
      // Compose files pass variables on as empty text when the operator set none.
      guard let value = environment[name], !value.isEmpty,
        let place = KeyPlace.find(path, in: self, spelling: .dotted)
      else { continue }
      read(value, at: place, source: .environment(name), &reading)
    }
    let named = referredVariables
    for (name, value) in environment.sorted(by: { $0.key < $1.key })
    where name.hasPrefix(Self.variablePrefix) && !named.contains(name) {
      let key = String(name.dropFirst(Self.variablePrefix.count))
      if let place = KeyPlace.find(key, in: self, spelling: .variable) {
        if value.hasPrefix("tcp://"), place.components == ["server", "port"] {
          reading.refuse(
            .environment(name), "server.port must be a number, not a service's address",
            hint: "Kubernetes sets it for a Service named perigee-server: use enableServiceLinks: false")
        } else {
          read(value, at: place, source: .environment(name), &reading)
        }
      } else if !Self.isServiceLink(name, value) {
        reading.refuse(.environment(name), "unknown variable", hint: hint(key))
      }
    }
  }

  /// Names that keys give to variables with secrets, and those that scripts may see.
  private var referredVariables: Set<String> {
    var names: Set = ["PERIGEE_JWT_SECRET"]
    for key in Self.keys {
      for shown in key.values(self, key.path) where shown.secrecy == .variable { names.insert(shown.value) }
    }
    return names.union(scripts.env)
  }

  /// Whether Kubernetes made the variable for a Service whose name begins with `perigee`.
  ///
  /// Source: kubernetes.io/docs/concepts/services-networking/service, environment variables.
  private static func isServiceLink(_ name: String, _ value: String) -> Bool {
    name.contains("_SERVICE_HOST") || name.contains("_SERVICE_PORT") || value.hasPrefix("tcp://")
      || value.hasPrefix("udp://") || name.contains(/_PORT_[0-9]+_(TCP|UDP)/)
  }

  private func hint(_ key: String) -> String {
    let known = Self.keys.flatMap { top in
      let path = KeyPlace.Spelling.variable.spell(top.path)
      return [path]
        + top.names(self).flatMap { name in
          top.elements.map { "\(path)_\(name.uppercased())_\($0.path.uppercased())" }
        }
    }
    if let near = Suggestion.nearest(to: key, in: known) {
      return "did you mean \(Self.variablePrefix)\(near)?"
    }
    if let whole = Self.keys.first(where: {
      $0.shape == .yaml && key.hasPrefix(KeyPlace.Spelling.variable.spell($0.path) + "_")
    }) {
      return "set \(Self.variablePrefix)\(KeyPlace.Spelling.variable.spell(whole.path)) to YAML text"
    }
    return "a variable is PERIGEE_ and a key's path in capitals, such as PERIGEE_SERVER_PORT"
  }
}
