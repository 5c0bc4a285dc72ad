// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes

/// One operation: what the router matches, what the OpenAPI document says, and what answers.
final class Route: Sendable {
  /// Who may call.
  enum Access: Sendable {
    /// Whoever reaches the server: probes and documents.
    case open
    /// Whoever the ``Authenticator`` knows, but by a key that is for some agents only.
    case user
    /// By such a key, too: the route sees to it that it keeps to them.
    case agent
  }

  /// What a good answer is.
  struct Answer: Sendable {
    let status: HTTPResponse.Status
    let description: String
    /// One, or those that the client may choose from.
    let content: [Content]

    init(_ status: HTTPResponse.Status = .ok, _ description: String, _ content: Content...) {
      self.status = status
      self.description = description
      self.content = content
    }
  }

  enum Content: Sendable, Equatable {
    case nothing
    /// A schema of the OpenAPI document.
    case json(String)
    case text(String)
    /// Server-sent events: the schema of one.
    case events(String)
  }

  typealias Handler = @Sendable (Exchange) async throws -> Reply

  let method: HTTPRequest.Method
  /// `/v1/agents/{agent}/chat`.
  let template: String
  /// `operationId` in the OpenAPI document.
  let name: String
  let summary: String
  let access: Access
  /// The configuration made it.
  let isAlias: Bool
  /// The list that is read in pages, by `?limit=&after=`.
  let list: Cursor.List?
  /// Parameters after `?`, those of ``list`` apart.
  let query: [BodyShape.Field]
  let headers: [RequestHeader]
  let body: BodyShape?
  /// A body that its route reads itself: its schema in the OpenAPI document.
  let bodySchema: String?
  let bodyType: String
  /// The first is the usual one.
  let answers: [Answer]
  /// Statuses of what the route's own work may come to, beside those that follow from the rest of this.
  let fails: [HTTPResponse.Status]
  let handle: Handler

  init(
    _ method: HTTPRequest.Method, _ template: String, name: String, summary: String, access: Access = .user,
    isAlias: Bool = false,
    list: Cursor.List? = nil, query: [BodyShape.Field] = [], headers: [RequestHeader] = [],
    body: BodyShape? = nil, bodySchema: String? = nil, bodyType: String = "application/json",
    answers: [Answer], fails: [HTTPResponse.Status] = [],
    handle: @escaping Handler
  ) {
    self.method = method
    self.template = template
    self.name = name
    self.summary = summary
    self.access = access
    self.isAlias = isAlias
    self.list = list
    self.query = query
    self.headers = headers
    self.body = body
    self.bodySchema = bodySchema
    self.bodyType = bodyType
    self.answers = answers
    self.fails = fails
    self.handle = handle
  }
}
