// SPDX-License-Identifier: Apache-2.0
public import Transport

/// A provider of models and how it is spoken to.
public struct ProviderConfiguration: Sendable {
  public enum Dialect: String, Sendable, CaseIterable {
    /// Chat completions as OpenAI defines them; most local servers speak it too.
    case openai
    /// The same where Azure serves it: deployments in the path, versions in the query.
    case azure
    /// OpenAI's Responses API.
    case responses
    /// Anthropic's messages.
    case anthropic
  }

  /// Where requests go when nobody says otherwise. Source: OpenAI API reference.
  public static let publicBaseURL = "https://api.openai.com/v1"

  /// Services that answer nobody without a key. Source: OpenAI and Anthropic API references.
  private static let keyedBaseURLs: Set<String> = [publicBaseURL, "https://api.anthropic.com/v1"]

  /// First part of `provider/model`.
  public var name: String
  public var dialect: Dialect
  /// Without the path of the single calls, `http://127.0.0.1:8081/v1`.
  public var baseURL: String
  public var apiKey: String?
  /// Sent with every request, beside the key; `authorization` among them takes the key's place.
  public var headers: [(name: String, value: String)]
  /// For one attempt.
  public var timeoutSeconds: Double
  /// Further attempts after the first.
  public var retries: Int
  /// An attempt without an answer for so long is made a second time beside it, once; 0 = never.
  public var hedgeSeconds: Double
  /// Instructions have the role `developer`, not `system`: o1 and newer want it, many servers don't know it.
  public var usesDeveloperRole: Bool
  /// The limit of an answer is `max_completion_tokens`, not `max_tokens`: same story.
  public var usesMaxCompletionTokens: Bool
  /// Azure's `api-version`, or Anthropic's `anthropic-version`; `nil` = none, or the one that is known to work.
  public var apiVersion: String?
  /// Beyond it requests wait; 0 = no limit.
  public var requestsPerMinute: Int
  public var tokensPerMinute: Int

  public init(
    name: String = "openai", dialect: Dialect = .openai, baseURL: String = publicBaseURL,
    apiKey: String? = nil, headers: [(name: String, value: String)] = [], timeoutSeconds: Double = 60,
    retries: Int = 2, hedgeSeconds: Double = 0, usesDeveloperRole: Bool = false,
    usesMaxCompletionTokens: Bool = false, apiVersion: String? = nil, requestsPerMinute: Int = 0,
    tokensPerMinute: Int = 0
  ) {
    self.name = name
    self.dialect = dialect
    self.baseURL = baseURL
    self.apiKey = apiKey
    self.headers = headers
    self.timeoutSeconds = timeoutSeconds
    self.retries = retries
    self.hedgeSeconds = hedgeSeconds
    self.usesDeveloperRole = usesDeveloperRole
    self.usesMaxCompletionTokens = usesMaxCompletionTokens
    self.apiVersion = apiVersion
    self.requestsPerMinute = requestsPerMinute
    self.tokensPerMinute = tokensPerMinute
  }

  /// Whether a request could possibly be answered: the public service wants a key, a local server needs none.
  public var isUsable: Bool {
    !(apiKey ?? "").isEmpty || hasHeader("authorization") || !Self.keyedBaseURLs.contains(trimmedBaseURL)
  }

  /// A request that tells whether the provider is there and takes the key, and costs nothing.
  public var probe: HTTPRequest {
    let dialect = Provider.dialect(self)
    return HTTPRequest(url: dialect.listURL, headers: dialect.headers + headers)
  }

  var trimmedBaseURL: String {
    var url = baseURL[...]
    while url.hasSuffix("/") { url.removeLast() }
    return String(url)
  }
}

/// Neither print nor log shows the key or a header's value.
extension ProviderConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "provider \(name)" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}
