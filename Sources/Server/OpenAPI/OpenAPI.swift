// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import JSONCodec

/// Describes routes as an OpenAPI document.
///
/// Source: spec.openapis.org/oas/v3.1.1.
enum OpenAPI {
  /// The route of the document, which describes itself too.
  static func route(describing routes: [Route]) -> Route {
    func make(_ bytes: [UInt8]) -> Route {
      Route(
        .get, "/openapi.json", name: "openapi", summary: "Describes all routes.", access: .open,
        answers: [.init(.ok, "An OpenAPI document.", .json("OpenAPI"))]
      ) { _ in .json(bytes) }
    }
    return make(RawJSON(document(routes + [make([])])).bytes)
  }

  static func document(_ routes: [Route]) -> JSON {
    var paths = JSONObject()
    for route in routes {
      var item = paths[route.template]?.object ?? JSONObject()
      if item.isEmpty, !parameters(in: route.template).isEmpty {
        item.append("parameters", .array(parameters(in: route.template)))
      }
      item.append(route.method.rawValue.lowercased(), operation(route))
      paths[route.template] = .object(item)
    }
    return [
      "openapi": "3.1.0",
      "info": [
        "title": "Perigee", "version": "1", "description": "AI agents that are Lua files, over HTTP.",
        "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
      ],
      "paths": .object(paths),
      "components": ["schemas": schemas],
    ]
  }

  private static func parameters(in template: String) -> [JSON] {
    template.split(separator: "/").filter { $0.hasPrefix("{") }.map { segment in
      [
        "name": .string(String(segment.dropFirst().dropLast())), "in": "path", "required": true,
        "schema": ["type": "string", "minLength": 1],
      ]
    }
  }

  private static func operation(_ route: Route) -> JSON {
    var operation: JSONObject = JSONObject([
      ("operationId", .string(route.name)), ("summary", .string(route.summary)),
    ])
    let parameters =
      (route.list.map(pageParameters) ?? [])
      + route.query.map { ["name": .string($0.name), "in": "query", "schema": $0.schema] }
    if !parameters.isEmpty { operation.append("parameters", .array(parameters)) }
    if let body = route.body { operation.append("requestBody", requestBody(body)) }
    if let schema = route.bodySchema {
      operation.append(
        "requestBody",
        ["required": true, "content": ["application/json": ["schema": reference(schema)]]])
    }
    var responses = JSONObject()
    for answer in route.answers {
      responses.append(String(answer.status.code), response(answer))
    }
    responses.append("default", OpenAIDoor.covers(route.template) ? openAIError : problem)
    operation.append("responses", .object(responses))
    return .object(operation)
  }

  private static func pageParameters(_ list: Cursor.List) -> [JSON] {
    [
      [
        "name": "limit", "in": "query", "description": "Items of a page.",
        "schema": [
          "type": "integer", "minimum": .integer(Int64(PageRequest.limits.lowerBound)),
          "maximum": .integer(Int64(PageRequest.limits.upperBound)),
          "default": .integer(Int64(PageRequest().limit)),
        ],
      ],
      [
        "name": "after", "in": "query", "description": "The next of the page before.",
        "schema": ["type": "string", "pattern": .string(list.pattern)],
      ],
    ]
  }

  private static func response(_ answer: Route.Answer) -> JSON {
    var response = JSONObject([("description", .string(answer.description))])
    var content = JSONObject()
    for kind in answer.content {
      switch kind {
      case .nothing: break
      case .json(let schema): content.append("application/json", ["schema": reference(schema)])
      case .text(let type): content.append(type, ["schema": ["type": "string"]])
      }
    }
    if !content.isEmpty { response.append("content", .object(content)) }
    return .object(response)
  }

  private static let problem: JSON = [
    "description": "What went wrong.",
    "content": .object(JSONObject([(Problem.contentType, ["schema": reference("Problem")])])),
  ]

  private static let openAIError: JSON = [
    "description": "What went wrong.",
    "content": ["application/json": ["schema": reference("OpenAIError")]],
  ]

  private static func requestBody(_ body: BodyShape) -> JSON {
    var properties = JSONObject()
    for field in body.fields { properties.append(field.name, field.schema) }
    return [
      "required": .bool(!body.isOptional),
      "content": [
        "application/json": [
          "schema": [
            "type": "object", "properties": .object(properties),
            "required": .array(body.fields.filter(\.isRequired).map { .string($0.name) }),
            "additionalProperties": false,
          ]
        ]
      ],
    ]
  }

  static func reference(_ schema: String) -> JSON { ["$ref": .string("#/components/schemas/\(schema)")] }
}

extension BodyShape.Field {
  /// The field as JSON Schema; an optional one may be `null`.
  fileprivate var schema: JSON {
    var schema = JSONObject()
    func type(_ name: String) -> JSON { isRequired ? .string(name) : [.string(name), "null"] }
    switch kind {
    case .string(let lengthMin, let lengthMax):
      schema.append("type", type("string"))
      if lengthMin > 0 { schema.append("minLength", .integer(Int64(lengthMin))) }
      if let lengthMax { schema.append("maxLength", .integer(Int64(lengthMax))) }
    case .sessionID:
      schema.append("type", type("string"))
      schema.append("pattern", "^[A-Za-z0-9._:-]{1,128}$")
    case .boolean: schema.append("type", type("boolean"))
    case .integer(let range):
      schema.append("type", type("integer"))
      schema.append("minimum", .integer(range.lowerBound))
      schema.append("maximum", .integer(range.upperBound))
    case .object: schema.append("type", type("object"))
    }
    schema.append("description", .string(description))
    return .object(schema)
  }
}
