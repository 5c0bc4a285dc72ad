// SPDX-License-Identifier: Apache-2.0

extension Configuration {
  /// Every key; a key that is not in this table does not exist.
  static let keys: [Key<Configuration>] =
    serverKeys + dataKeys + authKeys + limitKeys + modelKeys + scriptKeys + edgeKeys + channelKeys
    + operationKeys

  private static let serverKeys: [Key<Configuration>] = [
    .value("server.host", \.server.host, .text, "Address to listen on."),
    .value("server.port", \.server.port, .integer(0...65535), "Port to listen on; 0 lets the system choose."),
    .value(
      "server.public_url", \.server.publicURL, .optional(.url(["https", "http"])),
      "How the world reaches the server (webhook signatures, links)."),
    .value(
      "server.trusted_proxies", \.server.trustedProxies, .list(.network),
      "Proxies whose `X-Forwarded-*` headers are believed."),
    .value(
      "server.body_bytes_max", \.server.bodyBytesMax, .size(1024...(1 << 30)),
      "Largest request body; a larger one is answered with 413."),
    .value(
      "server.cors.origins", \.server.cors.origins, .list(.origin),
      "Origins whose pages may call from a browser, as `https://app.example.com`; `*` is any."),
    .value(
      "server.tls.certificate_file", \.server.tls.certificateFile, .optional(.path),
      "PEM file with the certificate chain: HTTPS in place of HTTP, TLS 1.2 or newer."),
    .value(
      "server.tls.key_file", \.server.tls.keyFile, .optional(.path),
      "PEM file with the certificate's key; both files are read again on SIGHUP, and each minute."),
    .value(
      "server.request_seconds", \.server.requestTime, .seconds(1...3600),
      "How long a client may take to send a request, or to take what is sent to it."),
    .value(
      "server.idle_seconds", \.server.idleTime, .seconds(1...3600),
      "How long a connection may be silent between requests."),
    .value(
      "server.drain_seconds", \.server.drain, .seconds(0...3600),
      "How long running turns may take to finish after SIGTERM."),
  ]

  private static let dataKeys: [Key<Configuration>] = [
    .value(
      "data.directory", \.data.directory, .path,
      "Host database, workspace database, cassettes and versions; relative to the workspace."),
    .value(
      "data.store", \.data.store, .optional(.connection(["postgres", "postgresql"])),
      "Where state is kept; null is SQLite in the directory."),
    .value(
      "data.cache", \.data.cache, .optional(.connection(["redis", "rediss"])),
      "Where limits and locks are shared; null is this process."),
    .value(
      "data.synchronous", \.data.synchronous, .choice,
      "`full`: an acknowledged message survives a power cut; `normal`: it survives a crash of the process."),
  ]

  private static let authKeys: [Key<Configuration>] = [
    .value(
      "auth.mode", \.auth.mode, .choice,
      "How callers prove who they are; `none` serves only this machine, `any` takes tokens and keys."),
    .value(
      "auth.jwt.algorithms", \.auth.jwt.algorithms, .list(.choice),
      "Signatures that are accepted."),
    .value(
      "auth.jwt.secret_env", \.auth.jwt.secretEnv, .optional(.secretVariable),
      "Variable with the shared secret of HS algorithms."),
    .value(
      "auth.jwt.secret_file", \.auth.jwt.secretFile, .optional(.secretFile),
      "File with that secret, where the variable is not set."),
    .value(
      "auth.jwt.public_key_file", \.auth.jwt.publicKeyFile, .optional(.path),
      "PEM file with the public key, or the certificate, of RS, ES and EdDSA algorithms."),
    .value(
      "auth.jwt.jwks_file", \.auth.jwt.jwksFile, .optional(.path), "File with public keys as a JWK set."),
    .value(
      "auth.jwt.jwks_url", \.auth.jwt.jwksURL, .optional(.url(["https", "http"])),
      "Where public keys are published as a JWK set; it is fetched again as its `max-age` says."),
    .value(
      "auth.jwt.issuer", \.auth.jwt.issuer, .optional(.text),
      "Required `iss`; null is any. Of RS, ES and EdDSA tokens it also says where its keys are, where no other key does."
    ),
    .value("auth.jwt.audience", \.auth.jwt.audience, .optional(.text), "Required `aud`; null is any."),
    .value(
      "auth.jwt.leeway_seconds", \.auth.jwt.leeway, .seconds(0...600),
      "How far clocks may differ when `exp` and `nbf` are checked."),
    .value("auth.jwt.user_claim", \.auth.jwt.userClaim, .text, "Claim that names the user."),
    .value("auth.jwt.roles_claim", \.auth.jwt.rolesClaim, .text, "Claim that lists the roles."),
    .value(
      "auth.jwt.tenant_claim", \.auth.jwt.tenantClaim, .optional(.text),
      "Claim that names the user's tenant, which every token then has; null is no tenants."),
  ]

  private static let limitKeys: [Key<Configuration>] = [
    .value(
      "limits.requests_per_minute", \.limits.requestsPerMinute, .count,
      "For each user, key or address; 0 is no limit."),
    .value(
      "limits.requests_per_hour", \.limits.requestsPerHour, .count,
      "For each user, key or address; 0 is no limit."),
    .value(
      "limits.runs_concurrent", \.limits.runsConcurrent, .count, "Runs of one user at once; 0 is no limit."),
    .value(
      "limits.runs_total", \.limits.runsTotal, .integer(1...1_000_000),
      "Runs of the server at once."),
    .value(
      "limits.runs_queued", \.limits.runsQueued, .count,
      "Runs that may wait for one of those to end, for `limits.queue_seconds`; above it the answer is 503."),
    .value(
      "limits.queue_seconds", \.limits.queueTime, .seconds(0...300), "How long such a run waits."),
    .value(
      "limits.connections", \.limits.connections, .count, "Connections at once; 0 is no limit."),
    .value(
      "limits.connections_per_address", \.limits.connectionsPerAddress, .count,
      "Connections of one address at once, this machine and trusted proxies apart; 0 is no limit."),
    .value(
      "limits.message_chars_max", \.limits.messageCharsMax, .integer(1...10_000_000),
      "Longest message, in characters."),
    .value(
      "limits.tokens_per_day", \.limits.tokensPerDay, .count, "Tokens of one user a day (UTC); 0 is no limit."
    ),
    .value(
      "limits.cost_usd_per_day", \.limits.costUSDPerDay, .number(0...Double.infinity),
      "US dollars of one user a day (UTC); 0 is no limit."),
    .value(
      "limits.tokens_per_session", \.limits.tokensPerSession, .count,
      "Tokens of one session; 0 is no limit."),
    .value(
      "limits.cost_usd_per_session", \.limits.costUSDPerSession, .number(0...Double.infinity),
      "US dollars of one session; 0 is no limit."),
  ]

  private static let modelKeys: [Key<Configuration>] = [
    .map(
      "providers", \.providers, Provider.keys, placeholder: "name", new: Provider(),
      "Model providers by name."),
    .value(
      "models.default", \.models.default, .text,
      "Model of agents that name none; a model of another provider is written `provider/model`."),
    .value(
      "models.temperature", \.models.temperature, .optional(.number(0...2)),
      "Temperature of agents that state none; null leaves it to the provider."),
    .value(
      "models.max_tokens", \.models.maxTokens, .optional(.integer(1...10_000_000)),
      "Longest answer of agents that state none, in tokens; null leaves it to the provider."),
    .map(
      "models.prices", \.models.prices, Price.keys, placeholder: "model", new: Price(), addsNames: false,
      "What models cost."),
  ]

  private static let scriptKeys: [Key<Configuration>] = [
    .value(
      "scripts.memory_max", \.scripts.memoryBytesMax, .size((1 << 20)...(16 << 30)), "Memory of one cell."),
    .value(
      "scripts.run_seconds", \.scripts.runTime, .seconds(0.001...86400), "Longest run, waiting included."),
    .value("scripts.cpu_ms", \.scripts.cpuTime, .milliseconds(1...3_600_000), "Lua time of one run."),
    .value(
      "scripts.runs_per_cell", \.scripts.runsPerCell, .integer(1...1024), "Runs that share a Lua state."),
    .value("scripts.env", \.scripts.env, .list(.variable), "Variables that `ctx.env` may show."),
    .map(
      "scripts.secrets", \.scripts.secrets, SecretBinding.keys, placeholder: "name", new: SecretBinding(),
      "Secrets that scripts may send but not read."),
  ]

  private static let edgeKeys: [Key<Configuration>] = [
    .value(
      "http.allow", \.http.allow, .list(.hostPattern),
      "Hosts that scripts may reach at all; empty leaves it to each tool's own list."),
    .value(
      "http.private_addresses", \.http.privateAddresses, .bool,
      "Whether scripts may reach loopback and private networks."),
    .value("http.timeout_seconds", \.http.timeout, .seconds(0.001...3600), "Longest request of a script."),
    .value(
      "http.body_bytes_max", \.http.bodyBytesMax, .size(1024...(1 << 30)), "Largest answer to a script."),
    .value("guardrails", \.guardrails, .map, "Checks of input and output for every agent."),
    .list(
      "routes", \.routes, Route.keys, new: Route(),
      "Addresses under which agents answer in other systems' shapes."),
  ]

  private static let channelKeys: [Key<Configuration>] = [
    .value(
      "channels.whatsapp.auth_token_env", \.channels.whatsapp.authTokenEnv, .optional(.secretVariable),
      "Variable with Twilio's auth token; without a token the channel is off."),
    .value(
      "channels.whatsapp.auth_token_file", \.channels.whatsapp.authTokenFile, .optional(.secretFile),
      "File with that token, where the variable is not set."),
    .value(
      "channels.whatsapp.account_sid_env", \.channels.whatsapp.accountSIDEnv, .optional(.secretVariable),
      "Variable with Twilio's account SID; where it is not set, late answers go by that of the message."),
    .value(
      "channels.whatsapp.number", \.channels.whatsapp.number, .optional(.text),
      "Number that late answers come from, such as +14155238886; null is the one that was written to."),
    .value(
      "channels.whatsapp.late_answer_seconds", \.channels.whatsapp.lateAnswer, .seconds(0...15),
      "After this an answer goes out as a message of its own."),
    .value(
      "channels.whatsapp.api_url", \.channels.whatsapp.apiURL, .url(["https", "http"]),
      "Where Twilio's REST API is."),
    .value(
      "channels.telegram.token_env", \.channels.telegram.tokenEnv, .optional(.secretVariable),
      "Variable with the bot's token; without token and secret the channel is off."),
    .value(
      "channels.telegram.token_file", \.channels.telegram.tokenFile, .optional(.secretFile),
      "File with that token, where the variable is not set."),
    .value(
      "channels.telegram.secret_env", \.channels.telegram.secretEnv, .optional(.secretVariable),
      "Variable with the `secret_token` that the webhook was set with."),
    .value(
      "channels.telegram.secret_file", \.channels.telegram.secretFile, .optional(.secretFile),
      "File with it, where the variable is not set."),
    .value(
      "channels.telegram.late_answer_seconds", \.channels.telegram.lateAnswer, .seconds(0...50),
      "After this an answer goes out as a message of its own."),
    .value(
      "channels.telegram.api_url", \.channels.telegram.apiURL, .url(["https", "http"]),
      "Where Telegram's bot API is."),
    .value(
      "channels.texts.failed", \.channels.texts.failed, .text,
      "What somebody who writes by a channel is told when there is no answer."),
    .value(
      "channels.texts.waiting", \.channels.texts.waiting, .text,
      "What they are told while the run waits for a person."),
    .value(
      "channels.texts.empty", \.channels.texts.empty, .text,
      "What a message without words, such as a photo, says to the agent."),
  ]

  private static let operationKeys: [Key<Configuration>] = [
    .value(
      "queue.workers", \.queue.workers, .integer(0...1000),
      "Jobs that the server does at once; 0 leaves them to `perigee worker`."),
    .value(
      "events.keep_days", \.events.keepDays, .integer(1...3650), "Days after which events are forgotten."),
    .value(
      "events.health_seconds", \.events.health, .seconds(0...86_400),
      "How often a `system.health_check` event tells how the server is; 0 is never."),
    .map(
      "events.webhooks", \.events.webhooks, EventWebhook.keys, placeholder: "name", new: EventWebhook(),
      "Addresses that are told what happened, signed and until they have it."),
    .value("reload.watch", \.reload.watch, .bool, "Whether saved scripts come into force by themselves."),
    .value(
      "reload.canary_percent", \.reload.canaryPercent, .integer(0...100),
      "Share of the sessions that try a changed folder first; 0 is all at once."),
    .value("log.level", \.log.level, .choice, "Least serious record that is written."),
    .value("log.format", \.log.format, .choice, "`auto` is text on a terminal and JSON elsewhere."),
    .value(
      "log.content", \.log.content, .bool,
      "Whether messages, and arguments and results of tools, are logged, at `info`."),
    .value(
      "telemetry.otlp_endpoint", \.telemetry.otlpEndpoint, .optional(.url(["https", "http"])),
      "Where traces are sent (OTLP over HTTP)."),
    .value(
      "telemetry.content", \.telemetry.content, .bool, "Whether messages and arguments may be exported."),
    .value(
      "retention.days", \.retention.days, .integer(0...36500),
      "Days after which sessions that are not used, runs and the audit trail are deleted; 0 keeps them."),
    .value(
      "retention.session_hours", \.retention.sessionHours, .optional(.integer(1...876_000)),
      "Hours after which a session that is not used goes, with its messages and runs; null: after `retention.days`."
    ),
  ]
}

extension Configuration.Provider {
  static let keys: [Key<Self>] = [
    .value("dialect", \.dialect, .choice, "Wire protocol."),
    .value(
      "base_url", \.baseURL, .url(["https", "http"]),
      "Where the protocol is served; without it the dialect's own address, which azure has not."),
    .value(
      "api_key_env", \.apiKeyEnv, .optional(.secretVariable),
      "Variable with the API key; `OPENAI_API_KEY` for `openai`, null elsewhere."),
    .value(
      "api_key_file", \.apiKeyFile, .optional(.secretFile),
      "File with the key, where the variable is not set."),
    .value(
      "api_version", \.apiVersion, .optional(.text),
      "Azure's `api-version`; Anthropic's `anthropic-version`, 2023-06-01 unless said."),
    .value(
      "headers", \.headers, .headers(.text),
      "Sent with every request; a secret one goes into `headers_env`."),
    .value(
      "headers_env", \.headersEnv, .headers(.secretVariable),
      "Variables with the values of further headers, by header; one that is not set is not sent."),
    .value(
      "developer_role", \.developerRole, .bool,
      "Whether instructions have the role `developer`, as newer models want, and not `system`."
    ),
    .value(
      "max_completion_tokens", \.maxCompletionTokens, .bool,
      "Whether the limit of an answer is called so, as newer models want it, and not `max_tokens`."),
    .value("timeout_seconds", \.timeout, .seconds(0.001...3600), "Longest call."),
    .value("retries", \.retries, .integer(0...10), "Further attempts after a failure that may pass."),
    .value(
      "hedge_seconds", \.hedge, .seconds(0...600),
      "A call without a first word (unstreamed: an answer) for so long is made a second time, and the quicker"
        + " answers; both are paid. 0 is never."),
    .value("requests_per_minute", \.requestsPerMinute, .count, "Calls beyond it wait; 0 is no limit."),
    .value(
      "tokens_per_minute", \.tokensPerMinute, .count, "Calls that would go beyond it wait; 0 is no limit."),
  ]
}

extension Configuration.Price {
  static let keys: [Key<Self>] = [
    .value(
      "input_per_million", \.inputPerMillion, .number(0...1_000_000), "US dollars for a million input tokens."
    ),
    .value(
      "output_per_million", \.outputPerMillion, .number(0...1_000_000),
      "US dollars for a million output tokens."),
  ]
}

extension Configuration.SecretBinding {
  static let keys: [Key<Self>] = [
    .value("env", \.env, .secretVariable, required: true, "Variable with the secret."),
    .value("hosts", \.hosts, .list(.hostPattern), required: true, "Hosts that it may be sent to."),
  ]
}

extension Configuration.EventWebhook {
  static let keys: [Key<Self>] = [
    .value("url", \.url, .url(["https", "http"]), required: true, "Address that each event is POSTed to."),
    .value(
      "secret_env", \.secretEnv, .optional(.secretVariable),
      "Variable with the secret that signs; without one nothing is signed."),
    .value(
      "secret_file", \.secretFile, .optional(.secretFile), "File with it, where the variable is not set."),
    .value(
      "types", \.types, .list(.text), "Which are sent: `agent.executed`, `workflow.*`; empty is all."),
    .value("timeout_seconds", \.timeout, .seconds(0.001...300), "Longest request."),
  ]
}

extension Configuration.Route {
  static let keys: [Key<Self>] = [
    .value(
      "path", \.path, .route, required: true,
      "Path on this server; `{user_id}` and `{agent}` stand for one segment."),
    .value("agent", \.agent, .optional(.text), "Agent that answers; null is the path's `{agent}`."),
    .value("shape", \.shape, .choice, required: true, "Whose requests and answers it speaks."),
    .value(
      "message_chars_max", \.messageCharsMax, .optional(.integer(1...1_000_000)),
      "Longest message; null is what the shape allows: 9999 of todo, 4000 of agents."),
  ]
}
