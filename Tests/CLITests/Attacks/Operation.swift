// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// What the server says it has.
struct Operation: Sendable {
  let method: String
  let template: String
  let body: JSON?

  var hasParameters: Bool { template.contains("{") }

  /// All of them, with the example of each one's body.
  static func all(of server: RunningServer) async throws -> [Operation] {
    let document = try await server.get("/openapi.json").json
    var operations: [Operation] = []
    for (template, methods) in document["paths"]?.object?.members ?? [] {
      for (method, operation) in methods.object?.members ?? [] where operation["operationId"] != nil {
        let body = operation["requestBody"]?["content"]?["application/json"]
        operations.append(
          Operation(
            method: method.uppercased(), template: template,
            body: body == nil ? nil : body?["example"] ?? [:]))
      }
    }
    return operations
  }

  /// The path with values in the place of its parameters, in their order.
  func path(_ values: [String]) -> String {
    var rest = values[...]
    return template.split(separator: "/").map { segment in
      segment.hasPrefix("{") ? rest.popFirst() ?? String(segment) : String(segment)
    }.reduce("") { "\($0)/\($1)" }
  }
}

extension RunningServer.Answer {
  /// What it says, but for the names that were asked for.
  func detail(without names: [String]) -> String {
    names.reduce(json["detail"]?.string ?? "") { $0.replacing($1, with: "…") }
  }
}
