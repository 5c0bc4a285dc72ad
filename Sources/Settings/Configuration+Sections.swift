// SPDX-License-Identifier: Apache-2.0
public import Identity

extension Configuration {
  /// Address, limits and TLS of the listener.
  public struct Server: Sendable, Hashable {
    public var host = "127.0.0.1"
    /// 0 lets the system choose.
    public var port = 8080
    /// How the world reaches the server: `http://` or `https://`, no trailing slash.
    public var publicURL: String?
    /// IP addresses or networks (`10.0.0.0/8`) whose `X-Forwarded-*` is believed.
    public var trustedProxies: [String] = []
    public var bodyBytesMax = 1 << 20
    public var cors = CORS()
    public var tls = TLS()
    public var requestTime: Duration = .seconds(60)
    public var idleTime: Duration = .seconds(75)
    public var drain: Duration = .seconds(30)

    /// Whether nothing beyond this machine reaches it.
    public var isLoopback: Bool { Network.isLoopback(host) }
  }

  /// Origins that browsers may call from.
  public struct CORS: Sendable, Hashable {
    public var origins: [String] = []
  }

  /// PEM files of the listener; both are set, or neither is.
  public struct TLS: Sendable, Hashable {
    public var certificateFile: String?
    public var keyFile: String?
  }

  /// Where state is kept.
  public struct Data: Sendable, Hashable {
    /// Relative to the workspace.
    public var directory = ".perigee"
    /// `nil` is SQLite in ``directory``.
    public var store: ConnectionURL?
    /// `nil` is a cache in the process.
    public var cache: ConnectionURL?
    public var synchronous = Synchronous.full
  }

  /// How hard SQLite pushes a commit to the disk.
  public enum Synchronous: String, Sendable, Hashable, CaseIterable {
    case full, normal
  }

  /// Who may call.
  public struct Auth: Sendable, Hashable {
    public var mode = AuthMode.none
    public var jwt = JWT()
  }

  /// How a caller proves who they are.
  public enum AuthMode: String, Sendable, Hashable, CaseIterable {
    case none, jwt
    case apiKey = "api_key"
    case any
  }

  /// How a bearer token is verified.
  public struct JWT: Sendable, Hashable {
    public var algorithms: [SignatureAlgorithm] = [.hs256]
    public var secretEnv: String? = "PERIGEE_JWT_SECRET"
    public var secretFile: String?
    public var publicKeyFile: String?
    public var jwksFile: String?
    public var jwksURL: String?
    public var issuer: String?
    public var audience: String?
    public var leeway: Duration = .seconds(30)
    public var userClaim = "sub"
    public var rolesClaim = "roles"
    public var tenantClaim: String?

    /// Whether ``issuer`` is asked where its keys are, because nothing else says so.
    public var discoversKeys: Bool {
      publicKeyFile == nil && jwksFile == nil && jwksURL == nil
        && algorithms.contains { !$0.isSymmetric }
    }
  }

  /// What one caller, and the whole server, may use; 0 is no limit where said.
  public struct Limits: Sendable, Hashable {
    public var requestsPerMinute = 60
    public var requestsPerHour = 1000
    public var runsConcurrent = 16
    public var runsTotal = 20000
    public var runsQueued = 1000
    public var queueTime: Duration = .seconds(10)
    public var connections = 50_000
    public var connectionsPerAddress = 1000
    public var messageCharsMax = 10000
    public var tokensPerDay = 0
    public var costUSDPerDay = 0.0
    public var tokensPerSession = 0
    public var costUSDPerSession = 0.0
  }

  /// One model provider.
  public struct Provider: Sendable, Hashable {
    public var dialect = Dialect.openai
    public var baseURL = "https://api.openai.com/v1"
    public var apiKeyEnv: String?
    public var apiKeyFile: String?
    /// Azure's `api-version` query parameter, Anthropic's `anthropic-version` header.
    public var apiVersion: String?
    /// Sent with every request.
    public var headers: [String: String] = [:]
    /// Headers whose values stand in environment variables: header → variable.
    public var headersEnv: [String: String] = [:]
    /// Instructions have the role `developer`, not `system`.
    public var developerRole = false
    /// The limit of an answer is `max_completion_tokens`, not `max_tokens`.
    public var maxCompletionTokens = false
    public var timeout: Duration = .seconds(60)
    public var retries = 2
    /// Without an answer for so long a request is made a second time; zero = never.
    public var hedge: Duration = .zero
    public var requestsPerMinute = 0
    public var tokensPerMinute = 0

    public init(apiKeyEnv: String? = nil) { self.apiKeyEnv = apiKeyEnv }

    /// Whether it is the company that its dialect comes from, and no other that speaks it.
    public var isMaker: Bool { baseURL == dialect.baseURL }
  }

  /// Wire protocol of a provider.
  public enum Dialect: String, Sendable, Hashable, CaseIterable {
    case openai, azure, responses, anthropic

    /// Where the provider itself serves; `nil` when each customer has an address of their own.
    ///
    /// Source: platform.openai.com/docs/api-reference, docs.anthropic.com/en/api.
    var baseURL: String? {
      switch self {
      case .openai, .responses: "https://api.openai.com/v1"
      case .anthropic: "https://api.anthropic.com/v1"
      case .azure: nil
      }
    }
  }

  /// Which model answers, and what it costs.
  public struct Models: Sendable, Hashable {
    /// `name`, or `provider/name`.
    public var `default` = "gpt-4o-mini"
    /// `nil` leaves it to the provider.
    public var temperature: Double?
    /// `nil` leaves it to the provider.
    public var maxTokens: Int?
    public var prices = ["gpt-4o-mini": Price(inputPerMillion: 0.15, outputPerMillion: 0.6)]
  }

  /// US dollars for a million tokens.
  public struct Price: Sendable, Hashable {
    public var inputPerMillion: Double
    public var outputPerMillion: Double

    public init(inputPerMillion: Double = 0, outputPerMillion: Double = 0) {
      self.inputPerMillion = inputPerMillion
      self.outputPerMillion = outputPerMillion
    }
  }

  /// What a script may use and see.
  public struct Scripts: Sendable, Hashable {
    /// For each cell.
    public var memoryBytesMax = 32 << 20
    public var runTime: Duration = .seconds(300)
    /// Lua time of one run.
    public var cpuTime: Duration = .milliseconds(2000)
    public var runsPerCell = 32
    /// Names of environment variables that `ctx.env` may show.
    public var env: [String] = []
    public var secrets: [String: SecretBinding] = [:]
  }

  /// A secret that scripts may send to some hosts, and never read.
  public struct SecretBinding: Sendable, Hashable {
    /// Name of the environment variable that holds it.
    public var env: String
    public var hosts: [String]

    public init(env: String = "", hosts: [String] = []) {
      self.env = env
      self.hosts = hosts
    }
  }

  /// Outbound requests of scripts, on top of each tool's own list.
  public struct HTTP: Sendable, Hashable {
    /// Hosts (`api.example.com`, `*.example.org:8443`); empty leaves it to the tools.
    public var allow: [String] = []
    public var privateAddresses = false
    public var timeout: Duration = .seconds(30)
    public var bodyBytesMax = 10 << 20
  }

  /// An address under which an agent answers in another system's shape.
  public struct Route: Sendable, Hashable {
    /// Begins with `/`; `{name}` stands for one segment.
    public var path: String
    /// `nil` = the one that `{agent}` in the path names.
    public var agent: String?
    public var shape: Shape
    /// `nil` = what the shape allows, or `limits.message_chars_max`.
    public var messageCharsMax: Int?

    public init(path: String = "", agent: String? = nil, shape: Shape = .todo, messageCharsMax: Int? = nil) {
      self.path = path
      self.agent = agent
      self.shape = shape
      self.messageCharsMax = messageCharsMax
    }

    public enum Shape: String, Sendable, Hashable, CaseIterable {
      case todo, agents, webchat, whatsapp, telegram
    }
  }

  /// Messengers.
  public struct Channels: Sendable, Hashable {
    public var whatsapp = WhatsApp()
    public var telegram = Telegram()
    public var texts = Texts()

    /// What is said in place of an answer.
    public struct Texts: Sendable, Hashable {
      public var failed = "Sorry, something went wrong. Please try again later."
      public var waiting = "This needs somebody's approval first. The answer follows here."
      /// What a message without words, such as a photo, says to the agent.
      public var empty = "(no text)"
    }
  }

  /// WhatsApp by way of Twilio.
  public struct WhatsApp: Sendable, Hashable {
    public var authTokenEnv: String? = "TWILIO_AUTH_TOKEN"
    public var authTokenFile: String?
    public var accountSIDEnv: String? = "TWILIO_ACCOUNT_SID"
    /// The number that answers, as `+14155238886`.
    public var number: String?
    /// After this an answer is sent as a message of its own instead of in the webhook's reply.
    public var lateAnswer: Duration = .seconds(10)
    public var apiURL = "https://api.twilio.com"
  }

  /// A bot of Telegram's.
  public struct Telegram: Sendable, Hashable {
    public var tokenEnv: String? = "TELEGRAM_BOT_TOKEN"
    public var tokenFile: String?
    /// Of the text that Telegram shows with each request.
    public var secretEnv: String? = "TELEGRAM_SECRET_TOKEN"
    public var secretFile: String?
    public var lateAnswer: Duration = .seconds(10)
    public var apiURL = "https://api.telegram.org"
  }

  /// How new versions of the scripts come into force.
  public struct Reload: Sendable, Hashable {
    public var watch = false
    /// Share of the sessions that try a changed folder first; 0 is all at once.
    public var canaryPercent = 0
  }

  public struct Log: Sendable, Hashable {
    public var level = LogLevel.info
    public var format = LogFormat.auto
    /// Whether messages and arguments may be logged.
    public var content = false
  }

  public enum LogLevel: String, Sendable, Hashable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
  }

  /// `auto` is text on a terminal and JSON elsewhere.
  public enum LogFormat: String, Sendable, Hashable, CaseIterable {
    case auto, text, json
  }

  public struct Telemetry: Sendable, Hashable {
    public var otlpEndpoint: String?
    /// Whether messages and arguments may be exported.
    public var content = false
  }

  /// Work for later.
  public struct Queue: Sendable, Hashable {
    /// Jobs that the server does at once; 0 leaves them to `perigee worker`.
    public var workers = 4
  }

  /// What happened, for those who want to know.
  public struct Events: Sendable, Hashable {
    public var keepDays = 7
    /// How often the server tells how it is; 0 = never.
    public var health: Duration = .seconds(60)
    public var webhooks: [String: EventWebhook] = [:]
  }

  /// An address that is told what happened.
  public struct EventWebhook: Sendable, Hashable {
    public var url = ""
    /// Name of the environment variable with the secret that signs.
    public var secretEnv: String?
    public var secretFile: String?
    /// Empty = all.
    public var types: [String] = []
    public var timeout: Duration = .seconds(10)

    public init() {}
  }

  public struct Retention: Sendable, Hashable {
    /// 0 keeps everything.
    public var days = 90
    /// Hours without a message after which a session goes; `nil` = as everything does.
    public var sessionHours: Int?
  }
}
