// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes

/// Finds the route of a request; a fixed path is preferred to one with parameters.
struct RouteTable: Sendable {
  enum Match: Sendable {
    case route(Route, parameters: [String])
    /// The path exists; the methods that it has, as an `Allow` header lists them.
    case wrongMethod(template: String, allowed: String)
    case none
  }

  private struct Endpoint: Sendable {
    let template: String
    /// `nil` stands for a parameter.
    let segments: [String?]
    var routes: [Route] = []

    /// HEAD comes with GET.
    var allowed: String {
      routes.flatMap { $0.method == .get ? ["GET", "HEAD"] : [$0.method.rawValue] }.joined(separator: ", ")
    }

    func route(for method: HTTPRequest.Method) -> Route? {
      let method = method == .head ? .get : method
      return routes.first { $0.method == method }
    }
  }

  /// In the order of definition.
  let routes: [Route]
  private var fixed: [String: Endpoint] = [:]
  private var patterns: [Endpoint] = []

  init(_ routes: [Route]) {
    self.routes = routes
    var endpoints: [Endpoint] = []
    for route in routes {
      if let index = endpoints.firstIndex(where: { $0.template == route.template }) {
        endpoints[index].routes.append(route)
      } else {
        let segments = Self.split(route.template).map { $0.hasPrefix("{") ? nil : String($0) }
        endpoints.append(Endpoint(template: route.template, segments: segments, routes: [route]))
      }
    }
    for endpoint in endpoints {
      if endpoint.segments.contains(nil) {
        patterns.append(endpoint)
      } else {
        fixed[endpoint.template] = endpoint
      }
    }
  }

  /// - Parameter path: Still percent-encoded, without the query.
  func match(_ method: HTTPRequest.Method, _ path: String) -> Match {
    if let endpoint = fixed[path] { return resolve(endpoint, method, parameters: []) }
    let segments = Self.split(path)
    for endpoint in patterns where endpoint.segments.count == segments.count {
      if let parameters = Self.parameters(endpoint.segments, segments) {
        return resolve(endpoint, method, parameters: parameters)
      }
    }
    return .none
  }

  /// Whether there is a path that both templates match.
  static func overlap(_ a: String, _ b: String) -> Bool {
    let (a, b) = (split(a), split(b))
    return a.count == b.count && zip(a, b).allSatisfy { $0 == $1 || $0.hasPrefix("{") || $1.hasPrefix("{") }
  }

  private func resolve(_ endpoint: Endpoint, _ method: HTTPRequest.Method, parameters: [String]) -> Match {
    if let route = endpoint.route(for: method) { return .route(route, parameters: parameters) }
    return .wrongMethod(template: endpoint.template, allowed: endpoint.allowed)
  }

  private static func split(_ path: String) -> [Substring] {
    path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      .map(Substring.init)
  }

  /// The decoded values of the parameters; `nil` when the path does not match, or a value is empty or no text.
  private static func parameters(_ pattern: [String?], _ segments: [Substring]) -> [String]? {
    var parameters: [String] = []
    for (expected, segment) in zip(pattern, segments) {
      if let expected {
        guard segment == expected else { return nil }
      } else {
        guard !segment.isEmpty, let value = segment.percentDecoded(), !value.holdsNUL else {
          return nil
        }
        parameters.append(value)
      }
    }
    return parameters
  }
}
