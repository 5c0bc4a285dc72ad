// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import JSONCodec

extension OpenAPI {
  func responses(of route: Route) -> JSON {
    let failures = route.failures(authentication)
    var responses: [(status: HTTPResponse.Status, response: JSON)] = route.answers.map { answer in
      let failure = failures.contains(answer.status) ? Envelope(of: answer.status, route) : nil
      return (answer.status, success(answer, of: route, orFailure: failure))
    }
    for status in failures where !route.answers.contains(where: { $0.status == status }) {
      let name = Envelope(of: status, route).name(of: status)
      responses.append((status, ["$ref": .string("#/components/responses/\(name)")]))
    }
    responses.sort { $0.status.code < $1.status.code }
    return .object(JSONObject(responses.map { (String($0.status.code), $0.response) }))
  }

  private func success(_ answer: Route.Answer, of route: Route, orFailure envelope: Envelope?) -> JSON {
    var content = JSONObject()
    for kind in answer.content {
      switch kind {
      case .nothing: break
      case .json(let schema):
        var media = JSONObject([("schema", Self.reference(schema))])
        if let example = Self.examples[schema] { media.append("example", example) }
        content.append("application/json", .object(media))
      case .text(let type): content.append(type, ["schema": ["type": "string"]])
      // As generators of clients read it: OpenAPI has a word for the parts of a stream from 3.2 on.
      case .events(let schema): content.append("text/event-stream", ["schema": Self.reference(schema)])
      }
    }
    if let envelope { content.append(envelope.contentType, ["schema": Self.reference(envelope.schema)]) }
    var headers: [AnswerHeader] = [.requestID]
    if answer.status == .created { headers.append(.location) }
    if limitsRequests(to: route) { headers += AnswerHeader.limits }
    var response = JSONObject([
      ("description", .string(answer.description)), ("headers", Self.references(headers)),
    ])
    if !content.isEmpty { response.append("content", .object(content)) }
    return .object(response)
  }

  private func limitsRequests(to route: Route) -> Bool {
    if case .open = route.access { return false }
    return authentication.isRequired
  }

  private static func references(_ headers: [AnswerHeader]) -> JSON {
    .object(
      JSONObject(
        headers.map { ($0.rawValue, ["$ref": .string("#/components/headers/\($0.rawValue)")]) }))
  }

  // MARK: Components

  /// The answers to what goes wrong, each where some route gives it.
  var failureComponents: JSON {
    var components = JSONObject()
    for envelope in Envelope.allCases {
      let statuses = routes.flatMap { route in
        route.failures(authentication).filter { Envelope(of: $0, route) == envelope }
      }
      for status in Set(statuses.map(\.code)).sorted().map({ HTTPResponse.Status(code: $0) }) {
        components.append(envelope.name(of: status), failure(status, in: envelope))
      }
    }
    return .object(components)
  }

  private func failure(_ status: HTTPResponse.Status, in envelope: Envelope) -> JSON {
    var headers: [AnswerHeader] = [.requestID]
    switch status {
    case .unauthorized: headers.append(.authenticate)
    case .upgradeRequired: headers.append(.upgrade)
    case .tooManyRequests, .serviceUnavailable: headers.append(.retryAfter)
    default: break
    }
    if envelope == .openAI { headers.append(.shouldRetry) }
    if authentication.isRequired, ![.unauthorized, .requestTimeout, .notImplemented].contains(status) {
      headers += AnswerHeader.limits
    }
    let problem = Problem.example(of: status)
    return [
      "description": .string(Self.meaning(of: status)),
      "headers": Self.references(headers),
      "content": .object(
        JSONObject([
          (
            envelope.contentType,
            ["schema": Self.reference(envelope.schema), "example": envelope.document(problem)]
          )
        ])),
    ]
  }

  var headerComponents: JSON {
    let isLimited = authentication.isRequired
    var components = JSONObject()
    for header in AnswerHeader.allCases {
      if !isLimited, header == .authenticate || AnswerHeader.limits.contains(header) { continue }
      components.append(header.rawValue, header.definition)
    }
    return .object(components)
  }

  private static func meaning(of status: HTTPResponse.Status) -> String {
    switch status.code {
    case 400: "The request is not valid; each fault is named."
    case 401: "Nobody has said who asks, or what was shown does not hold."
    case 403: "Whoever asks may not do this."
    case 404: "There is no such thing, or it is somebody else's."
    case 408: "The request did not come to its end in time; the connection is closed."
    case 409: "Things are not as this needs them: something is done already, or still under way."
    case 413: "The body is too large."
    case 415: "The body is of another type than the one that is read."
    case 422:
      "The agent said no, and the code is its word for why; or the Idempotency-Key was another request's."
    case 426: "This is a WebSocket."
    case 429: "Too many requests, too many runs at once, or more than a day may use."
    case 499: "The run was cancelled, or gave way to the next message of its session."
    case 500:
      "Something went wrong in the server, whose log has the request's id; or a limit of the agent was reached."
    case 501: "The body comes in another transfer coding than chunked."
    case 502: "The model provider failed."
    case 503: "The server is full, stopping or waiting for somebody else: try again later."
    case 504: "The model provider or the run took too long."
    default: status.reasonPhrase
    }
  }
}

/// How a route says what went wrong.
private enum Envelope: CaseIterable {
  case problem, openAI

  init(of status: HTTPResponse.Status, _ route: Route) {
    // A request that has not ended has no route yet.
    self = status != .requestTimeout && OpenAIDoor.covers(route.template) ? .openAI : .problem
  }

  var contentType: String { self == .problem ? Problem.contentType : "application/json" }
  var schema: String { self == .problem ? "Problem" : "OpenAIError" }

  func name(of status: HTTPResponse.Status) -> String { "\(schema)\(status.code)" }

  func document(_ problem: Problem) -> JSON {
    var writer = JSONWriter()
    switch self {
    case .problem: problem.write(to: &writer, requestID: "0192f0c1-6a00-7000-8000-000000000001")
    case .openAI: problem.writeOpenAIError(to: &writer)
    }
    return (try? JSON(parsing: writer.bytes)) ?? .null
  }
}

/// A header of an answer.
private enum AnswerHeader: String, CaseIterable {
  case requestID = "X-Request-Id"
  case location = "Location"
  case retryAfter = "Retry-After"
  case authenticate = "WWW-Authenticate"
  case upgrade = "Upgrade"
  case shouldRetry = "X-Should-Retry"
  case limit = "RateLimit-Limit"
  case remaining = "RateLimit-Remaining"
  case reset = "RateLimit-Reset"

  /// Of the limit that the caller is nearest to.
  static let limits: [AnswerHeader] = [.limit, .remaining, .reset]

  var definition: JSON {
    let count: JSON = ["type": "integer", "minimum": 0]
    let (description, isRequired, schema): (String, Bool, JSON) =
      switch self {
      case .requestID: ("Ties the answer to its line in the log.", true, OpenAPI.string)
      case .location: ("Where it is.", true, ["type": "string", "format": "uri-reference"])
      case .retryAfter: ("Seconds to wait.", true, ["type": "integer", "minimum": 1])
      case .authenticate: ("How to say who asks.", true, OpenAPI.string)
      case .upgrade: ("What to speak.", true, ["const": "websocket"])
      case .shouldRetry:
        ("The run may have done something: nothing may be sent again unasked.", false, ["const": "false"])
      case .limit: ("Requests that may come at once.", false, count)
      case .remaining: ("Those that are left.", false, count)
      case .reset: ("Seconds until all are.", false, count)
      }
    return ["description": .string(description), "required": .bool(isRequired), "schema": schema]
  }
}

extension Problem {
  /// What the server says with this status, or one of the things.
  fileprivate static func example(of status: HTTPResponse.Status) -> Problem {
    func made(_ code: Failure.Code, _ detail: String) -> Problem {
      Problem(status: status, code: code.rawValue, detail: detail)
    }
    switch status.code {
    case 400: return .invalid([Fault(field: "message", message: "is required")])
    case 401: return .unauthorized("show who you are: Authorization: Bearer and a token")
    case 403: return made(.denied, "dead letters are for operators and admins")
    case 404: return made(.notFound, "there is no agent 'tudo'")
    case 408: return .requestTimeout
    case 409: return made(.conflict, "this run is not under way here: it is completed")
    case 413: return .bodyTooLarge(bytesMax: 1 << 20)
    case 415: return .wrongType("text/plain", wanted: "application/json")
    case 422: return made(.rejected, "the message is not taken: it holds email")
    case 426: return .upgradeRequired
    case 429: return made(.rateLimited, "too many requests of this user")
    case 499: return made(.cancelled, "the run was cancelled")
    case 501: return .unknownCoding
    case 502: return made(.upstream, "the provider openai failed")
    case 503: return .draining
    case 504: return made(.timeout, "the run took longer than 60 seconds")
    default: return made(.internal, "something went wrong in the server; its log has this request's id")
    }
  }
}
