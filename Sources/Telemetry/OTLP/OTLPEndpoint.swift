// SPDX-License-Identifier: Apache-2.0

/// Where spans are sent.
///
/// Source: OpenTelemetry specification, "OTLP exporter", "Endpoint URLs for OTLP/HTTP".
public struct OTLPEndpoint: Sendable, Hashable, CustomStringConvertible {
  public let url: String

  /// Longer than any URL that a proxy takes.
  private static let bytesMax = 2048

  /// From `OTEL_EXPORTER_OTLP_ENDPOINT`: the base of the URLs of all signals, to which `v1/traces` is added.
  ///
  /// - Throws: ``TelemetryError`` for other schemes than http and https, a user name or password, a query,
  ///   a fragment, and what is no URL. The message does not show it.
  public init(base: String) throws(TelemetryError) {
    let parts = try Self.check(base, of: "OTEL_EXPORTER_OTLP_ENDPOINT", mayHaveQuery: false)
    url = parts.path.hasSuffix("/") ? "\(base)v1/traces" : "\(base)/v1/traces"
  }

  /// From `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`: the URL as it is, with `/` for a path when it has none.
  ///
  /// - Throws: ``TelemetryError`` as ``init(base:)`` does, save that a query is taken.
  public init(traces: String) throws(TelemetryError) {
    let parts = try Self.check(traces, of: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", mayHaveQuery: true)
    url = parts.path.isEmpty ? "\(parts.origin)/\(parts.query)" : traces
  }

  /// Without the query, which may hold a key.
  public var description: String { String(url.prefix { $0 != "?" }) }

  private struct Parts {
    /// `https://host:4318`
    let origin: Substring
    /// Empty, or `/…`.
    let path: Substring
    /// Empty, or `?…`.
    let query: Substring
  }

  private static func check(
    _ url: String, of variable: String, mayHaveQuery: Bool
  ) throws(TelemetryError) -> Parts {
    let example = "https://collector.example:4318"
    guard url.utf8.count <= bytesMax,
      url.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !#"\"<>^`{|}"#.utf8.contains($0) })
    else { throw TelemetryError("\(variable) is not a URL", hint: "write \(example)") }
    let scheme = url.prefix { $0 != ":" }
    guard url[scheme.endIndex...].hasPrefix("://"), ["http", "https"].contains(scheme.lowercased()) else {
      throw TelemetryError("\(variable) is neither an http nor an https URL", hint: "write \(example)")
    }
    let rest = url[scheme.endIndex...].dropFirst(3)
    let authority = rest.prefix { !"/?#".contains($0) }
    if authority.contains("@") {
      throw TelemetryError(
        "\(variable) has a user name or a password", hint: "send them as OTEL_EXPORTER_OTLP_HEADERS")
    }
    guard isAuthority(authority) else {
      throw TelemetryError("\(variable) has no host or a wrong port", hint: "write \(example)")
    }
    let path = rest[authority.endIndex...].prefix { !"?#".contains($0) }
    let query = rest[path.endIndex...]
    if query.contains("#") || !(query.isEmpty || mayHaveQuery) {
      throw TelemetryError("\(variable) has a query or a fragment", hint: "write \(example)")
    }
    return Parts(origin: url[..<authority.endIndex], path: path, query: query)
  }

  /// `host`, `host:port`, `[v6]` or `[v6]:port`.
  private static func isAuthority(_ authority: Substring) -> Bool {
    let host: Substring
    if authority.first == "[" {
      guard let end = authority.firstIndex(of: "]") else { return false }
      host = authority[authority.index(after: authority.startIndex)..<end]
      guard host.contains(":"), host.utf8.allSatisfy({ "0123456789abcdefABCDEF:.".utf8.contains($0) }) else {
        return false
      }
      return isPort(authority[authority.index(after: end)...])
    }
    host = authority.prefix { $0 != ":" }
    return !host.isEmpty && !host.contains { "[]".contains($0) } && isPort(authority[host.endIndex...])
  }

  /// Empty, or `:` and 1 to 65,535.
  private static func isPort(_ text: Substring) -> Bool {
    if text.isEmpty { return true }
    let digits = text.dropFirst()
    guard text.first == ":", digits.count <= 5, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return false
    }
    return (1...65_535).contains(Int(digits) ?? 0)
  }
}
