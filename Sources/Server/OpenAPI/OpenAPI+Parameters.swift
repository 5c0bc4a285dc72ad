// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import JSONCodec

/// A header that a route reads.
enum RequestHeader: String, CaseIterable, Sendable {
  case idempotencyKey = "Idempotency-Key"
  case lastEventID = "Last-Event-ID"
}

extension OpenAPI {
  // MARK: In the path

  static func pathParameters(of template: String) -> [JSON] {
    var prefix = ""
    var parameters: [JSON] = []
    for segment in template.split(separator: "/") {
      prefix += "/\(segment)"
      guard segment.hasPrefix("{") else { continue }
      let (description, example) = pathParameters[prefix] ?? aliasParameters[String(segment)] ?? ("", "")
      parameters.append([
        "name": .string(String(segment.dropFirst().dropLast())), "in": "path", "required": true,
        "description": .string(description), "schema": ["type": "string", "minLength": 1],
        "example": .string(example),
      ])
    }
    return parameters
  }

  /// By the template up to the parameter.
  private static let pathParameters: [String: (description: String, example: String)] = {
    let id = "0192f0c1-6a00-7000-8000-000000000001"
    let version = "An identifier of the list, or enough of its beginning."
    return [
      "/v1/agents/{agent}": ("The agent's name.", "todo"),
      "/v1/models/{model}": ("An agent's name.", "todo"),
      "/v1/sessions/{id}": ("The caller's own name for the conversation.", "shopping"),
      "/v1/runs/{id}": ("The run_id of an answer.", id),
      "/v1/approvals/{id}": ("An identifier of the list.", id),
      "/v1/dead-letters/{id}": ("An identifier of the list.", id),
      "/v1/users/{user}": ("The user's identifier.", "ann"),
      "/v1/versions/{version}": (version, "sha256:4f0c"),
      "/v1/versions/{a}": ("The older one: " + version, "sha256:4f0c"),
      "/v1/versions/{a}/diff/{b}": ("The newer one: " + version, "sha256:91ab"),
    ]
  }()

  /// Of paths that the configuration makes.
  private static let aliasParameters = [
    "{agent}": (description: "The agent's name.", example: "todo"),
    "{user_id}": (description: "Who asks.", example: "local"),
  ]

  // MARK: In the query and in the head

  static func parameters(of route: Route) -> [JSON] {
    (route.list.map(pageParameters) ?? [])
      + route.query.map { field in
        var parameter = JSONObject([
          ("name", .string(field.name)), ("in", "query"), ("description", .string(field.description)),
          ("schema", field.kind.schema),
        ])
        // Commas, not a parameter for each.
        if field.kind.schema["type"] == "array" { parameter.append("explode", false) }
        if let example = field.example { parameter.append("example", example) }
        return .object(parameter)
      } + route.headers.map { ["$ref": .string("#/components/parameters/\($0.rawValue)")] }
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

  static let headerParameterComponents: JSON = {
    var parameters = JSONObject()
    for header in RequestHeader.allCases {
      parameters.append(
        header.rawValue,
        [
          "name": .string(header.rawValue), "in": "header", "description": .string(header.description),
          "schema": header.schema, "example": header.example,
        ])
    }
    return .object(parameters)
  }()
}

extension RequestHeader {
  fileprivate var description: String {
    switch self {
    case .idempotencyKey:
      "The caller's own name for this request: sent again under it within a day, it gets the first answer, and nothing "
        + "is done twice."
    case .lastEventID: "The id of the last event that was seen: what follows it is told."
    }
  }

  fileprivate var schema: JSON {
    switch self {
    case .idempotencyKey: ["type": "string", "pattern": "^[!-~]{1,255}$"]
    case .lastEventID: ["type": "string", "pattern": "^[0-9]{1,18}$"]
    }
  }

  fileprivate var example: JSON {
    switch self {
    case .idempotencyKey: "order-4711"
    case .lastEventID: "4"
    }
  }
}

extension BodyShape.Kind {
  var schema: JSON {
    switch self {
    case .string(let lengthMin, let lengthMax):
      // No NUL, wherever text goes.
      var schema = JSONObject([("type", "string"), ("pattern", "^[^\\u0000]*$")])
      if lengthMin > 0 { schema.append("minLength", .integer(Int64(lengthMin))) }
      if let lengthMax { schema.append("maxLength", .integer(Int64(lengthMax))) }
      return .object(schema)
    case .sessionID: return ["type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"]
    case .uuid:
      return [
        "type": "string", "pattern": "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
      ]
    case .boolean: return ["type": "boolean"]
    case .integer(let range):
      return [
        "type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound),
      ]
    case .number(let range):
      return [
        "type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound),
      ]
    case .time: return ["type": "string", "format": "date-time"]
    case .object: return ["type": "object"]
    case .words(let words):
      return ["type": "array", "items": ["enum": .array(words.map { .string($0) })]]
    case .eventTypes:
      return [
        "type": "array",
        "items": [
          "type": "string", "pattern": "^[a-z0-9_]+([.][a-z0-9_]+)*([.][*])?$",
          "maxLength": .integer(Int64(Event.typeBytesMax)),
        ],
      ]
    }
  }
}

extension JSON {
  /// A schema of one type that takes `null`, too.
  var orNull: JSON {
    guard var schema = object, let type = schema["type"] else { return self }
    schema["type"] = [type, "null"]
    return .object(schema)
  }
}
