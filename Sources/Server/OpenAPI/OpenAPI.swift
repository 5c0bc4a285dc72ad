// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import JSONCodec

/// Describes routes as an OpenAPI document.
///
/// Source: spec.openapis.org/oas/v3.1.1.
struct OpenAPI {
  let routes: [Route]
  /// What answers carry, and which of them there are, depends on how callers prove who they are.
  let authentication: Authentication

  /// The route of the document, which describes itself too.
  static func route(describing routes: [Route], _ authentication: Authentication) -> Route {
    func make(_ bytes: [UInt8]) -> Route {
      Route(
        .get, "/openapi.json", name: "openapi", summary: "Describes all routes.", access: .open,
        answers: [.init(.ok, "An OpenAPI document.", .json("OpenAPI"))]
      ) { _ in .json(bytes) }
    }
    let description = OpenAPI(routes: routes + [make([])], authentication: authentication)
    return make(RawJSON(description.document).bytes)
  }

  var document: JSON {
    var paths = JSONObject()
    for route in routes {
      var item = paths[route.template]?.object ?? JSONObject()
      if item.isEmpty, !Self.pathParameters(of: route.template).isEmpty {
        item.append("parameters", .array(Self.pathParameters(of: route.template)))
      }
      item.append(route.method.rawValue.lowercased(), operation(route))
      paths[route.template] = .object(item)
    }
    var document = JSONObject([
      ("openapi", "3.1.0"),
      (
        "info",
        [
          "title": "Perigee", "version": "1",
          "description": .string(Self.introduction),
          "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
        ]
      ),
      (
        "tags",
        .array(Tag.allCases.map { ["name": .string($0.rawValue), "description": .string($0.summary)] })
      ),
      ("paths", .object(paths)), ("components", components),
    ])
    if !securitySchemes.isEmpty { document.append("security", security) }
    return .object(document)
  }

  private static let introduction = """
    AI agents that are Lua files, over HTTP. Every answer carries X-Request-Id, which is the request's own where it \
    sends one of 1 to 128 characters A-Z a-z 0-9 . _ : -. Every GET may be asked as HEAD. A path that is not here is \
    answered 404, a method that is not here 405 with Allow, both as errors of the other routes are.
    """

  private func operation(_ route: Route) -> JSON {
    var operation = JSONObject([
      ("operationId", .string(route.name)), ("tags", [.string(Tag(of: route).rawValue)]),
      ("summary", .string(route.summary)),
    ])
    let parameters = Self.parameters(of: route)
    if !parameters.isEmpty { operation.append("parameters", .array(parameters)) }
    if let body = route.body {
      operation.append(
        "requestBody", Self.requestBody(body.schema, isRequired: !body.isOptional, body.example))
    }
    if let schema = route.bodySchema {
      operation.append(
        "requestBody",
        Self.requestBody(
          Self.reference(schema), isRequired: true, Self.examples[schema], type: route.bodyType))
    }
    operation.append("responses", responses(of: route))
    if case .open = route.access, !securitySchemes.isEmpty { operation.append("security", []) }
    return .object(operation)
  }

  private static func requestBody(
    _ schema: JSON, isRequired: Bool, _ example: JSON?, type: String = "application/json"
  ) -> JSON {
    var content = JSONObject([("schema", schema)])
    if let example { content.append("example", example) }
    return [
      "required": .bool(isRequired), "content": .object(JSONObject([(type, .object(content))])),
    ]
  }

  private var components: JSON {
    var components = JSONObject([
      ("schemas", .object(schemas)), ("responses", failureComponents), ("headers", headerComponents),
      ("parameters", Self.headerParameterComponents),
    ])
    if !securitySchemes.isEmpty { components.append("securitySchemes", .object(securitySchemes)) }
    return .object(components)
  }

  /// Those of aliases and channels only where there are such.
  private var schemas: JSONObject {
    var schemas = Self.schemas.object ?? JSONObject()
    for (name, schema) in Self.aliasSchemas.object?.members ?? [] {
      let isUsed = routes.contains { $0.isAlias && $0.answers.contains { $0.content.contains(.json(name)) } }
      if isUsed { schemas.append(name, schema) }
    }
    for (name, schema) in Self.channelSchemas.object?.members ?? []
    where routes.contains(where: { $0.bodySchema == name }) { schemas.append(name, schema) }
    return schemas
  }

  static func reference(_ schema: String) -> JSON { ["$ref": .string("#/components/schemas/\(schema)")] }
}

// MARK: Who may

extension OpenAPI {
  /// Each alone is enough.
  private var security: JSON { .array(securitySchemes.keys.map { .object(JSONObject([($0, [])])) }) }

  private var securitySchemes: JSONObject {
    var schemes = JSONObject()
    if authentication.takesTokens {
      schemes.append("token", ["type": "http", "scheme": "bearer", "bearerFormat": "JWT"])
    }
    if authentication.takesKeys {
      schemes.append(
        "key",
        [
          "type": "apiKey", "in": "header", "name": .string(HTTPField.Name.apiKey.rawName),
          "description": "As Authorization: Bearer, too.",
        ])
    }
    return schemes
  }
}

extension BodyShape {
  fileprivate var schema: JSON {
    var properties = JSONObject()
    for field in fields { properties.append(field.name, OpenAPI.described(field.schema, field.description)) }
    return [
      "type": "object", "properties": .object(properties),
      "required": .array(fields.filter(\.isRequired).map { .string($0.name) }),
      "additionalProperties": false,
    ]
  }

  /// Of the fields that have one.
  fileprivate var example: JSON? {
    let members = fields.compactMap { field in field.example.map { (field.name, $0) } }
    return members.isEmpty ? nil : .object(JSONObject(members))
  }
}

extension BodyShape.Field {
  /// The field as JSON Schema; an optional one may be `null`.
  fileprivate var schema: JSON { isRequired ? kind.schema : kind.schema.orNull }
}
