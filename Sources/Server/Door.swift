// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import Hummingbird
import Logging
import Telemetry

/// Answers every request: names it, finds its route and its user, turns errors into problems, counts and logs.
final class Door: HTTPResponder {
  /// The framework's per-request logger is not used: a line is written only once its answer is known.
  struct Context: InitializableFromSource, Sendable {
    init(source: ApplicationRequestContextSource) {}
  }

  /// A body up to this size is read to its end when nobody wants it, so that the connection can be kept.
  static let unwantedBodyBytesMax = 64 << 10

  let table: RouteTable
  let authenticator: Authenticator
  let origins: CrossOrigin
  /// What every answer says that says nothing else there.
  let fields: HTTPFields
  let limits: RequestLimits
  let time: any TimeSource
  let metrics: ServerMetrics
  let drain: Drain
  let bodyBytesMax: Int
  let sampler: Sampler
  let onSpan: (@Sendable (Span) -> Void)?
  let logger: Logger

  init(
    table: RouteTable, authenticator: Authenticator, origins: CrossOrigin, isEncrypted: Bool,
    limits: RequestLimits, time: any TimeSource,
    metrics: ServerMetrics, drain: Drain, bodyBytesMax: Int,
    sampler: Sampler, onSpan: (@Sendable (Span) -> Void)?, logger: Logger
  ) {
    self.table = table
    self.authenticator = authenticator
    self.origins = origins
    fields = .safe(isEncrypted: isEncrypted)
    self.limits = limits
    self.time = time
    self.metrics = metrics
    self.drain = drain
    self.bodyBytesMax = bodyBytesMax
    self.sampler = sampler
    self.onSpan = onSpan
    self.logger = logger
  }

  func respond(to request: Request, context: Context) async -> Response {
    let start = time.elapsed
    let requestID = Self.requestID(request.headers[.requestID])
    let connection = Connection.current
    let path = request.uri.path
    let match = table.match(request.method, path)
    let trace = onSpan == nil ? nil : RequestTrace(request, match, sampler: sampler, at: time.now)
    var user: Principal?
    let result: Result<Reply, any Error>
    do {
      result = .success(try await answer(request, match, path, connection, trace?.context, &user))
    } catch {
      result = .failure(error)
    }
    return finish(
      result, of: request, match, user, connection, trace, requestID: requestID, since: start)
  }

  @inline(never) private func finish(
    _ result: Result<Reply, any Error>, of request: Request, _ match: RouteTable.Match,
    _ user: Principal?, _ connection: Connection?, _ trace: RequestTrace?, requestID: String,
    since start: Duration
  ) -> Response {
    let path = request.uri.path
    var reply: Reply
    var problem: Problem?
    switch result {
    case .success(let answer): reply = answer
    case .failure(let error):
      let caught = Problem(error, isDraining: drain.isOn)
      reply = OpenAIDoor.covers(path) ? caught.openAIReply : caught.reply(requestID: requestID)
      problem = caught
    }
    let closes = drain.isOn || mustClose(request, connection)
    if closes { connection?.closeAfterAnswer() }
    let nanoseconds = (time.elapsed - start).nanoseconds
    metrics.answered(
      request.method, route: match.template, status: reply.status.code, nanoseconds: nanoseconds)
    log(request, reply, problem, match, user, trace, requestID: requestID, nanoseconds: nanoseconds)
    if let trace, let onSpan {
      trace.end(&reply, problem, after: nanoseconds) { onSpan($0) }
    }
    origins.mark(&reply.headers, for: request)
    return reply.response(fields, requestID: requestID, isHead: request.method == .head, closes: closes)
  }

  private func answer(
    _ request: Request, _ match: RouteTable.Match, _ path: String, _ connection: Connection?,
    _ trace: TraceContext?, _ caller: inout Principal?
  ) async throws -> Reply {
    if drain.isOn { throw Problem.draining }
    if let coding = request.headers[.transferEncoding], coding.lowercased() != "chunked" {
      throw Problem.unknownCoding
    }
    if let preflight = origins.preflight(request) { return preflight }
    switch match {
    case .none: throw Problem.noSuchPath(path)
    case .wrongMethod(_, let allowed): throw Problem.wrongMethod(request.method, allowed: allowed)
    case .route(let route, let parameters):
      if case .open = route.access {
        return try await route.handle(exchange(request, parameters, .anonymous, connection, trace))
      }
      let user = try await identify(request, connection)
      caller = user
      if case .user = route.access, !user.keyAgents.isEmpty {
        throw Failure(.denied, "this API key is for talking with \(user.keyAgents.joined(separator: ", "))")
      }
      let fields = try limits.admit(user)
      do {
        var reply = try await route.handle(exchange(request, parameters, user, connection, trace))
        if !fields.isEmpty { reply.headers.append(contentsOf: fields) }
        return reply
      } catch  where !fields.isEmpty {
        var problem = Problem(error, isDraining: drain.isOn)
        problem.headers.append(contentsOf: fields)
        throw problem
      }
    }
  }

  private func exchange(
    _ request: Request, _ parameters: [String], _ user: Principal, _ connection: Connection?,
    _ trace: TraceContext?
  ) -> Exchange {
    Exchange(
      request: request, parameters: parameters, user: user, bodyBytesMax: bodyBytesMax,
      connection: connection, trace: trace, authenticator: authenticator)
  }

  private func identify(_ request: Request, _ connection: Connection?) async throws -> Principal {
    do {
      return try await authenticator.identify(request, from: connection)
    } catch let problem as Problem where problem.status == .unauthorized {
      try limits.admitStranger(from: authenticator.proxies.client(of: request, from: connection?.address))
      throw problem
    }
  }

  /// Whether the connection ends here: the client wants that, or more of an unwanted body would have to be read.
  private func mustClose(_ request: Request, _ connection: Connection?) -> Bool {
    if request.headers[.connection]?.lowercased() == "close" { return true }
    let isLarge =
      request.headers[.transferEncoding] != nil
      || request.declaredBodyBytes ?? 0 > Self.unwantedBodyBytesMax
    return isLarge && connection?.hasReadBody == false
  }

  private func log(
    _ request: Request, _ reply: Reply, _ problem: Problem?, _ match: RouteTable.Match, _ user: Principal?,
    _ trace: RequestTrace?, requestID: String, nanoseconds: Int64
  ) {
    let status = reply.status.code
    let level: Logger.Level = status >= 500 ? .error : status >= 400 ? .info : .debug
    guard logger.logLevel <= level else { return }
    var metadata: Logger.Metadata = [
      "request_id": .string(requestID), "method": .string(request.method.rawValue),
      "path": .string(request.uri.path), "status": .stringConvertible(status),
      "duration_ms": .stringConvertible(nanoseconds / 1_000_000),
    ]
    if let user { metadata["user"] = .string(user.id) }
    if let run = reply.run {
      metadata["run"] = .string(run.runID)
      metadata["session"] = .string(run.sessionID)
      metadata["agent"] = .string(run.agent)
      metadata["version"] = .string(run.version)
    } else if case .route(let route, let parameters) = match, route.template.hasPrefix("/v1/agents/{agent}"),
      let agent = parameters.first
    {
      metadata["agent"] = .string(agent)
    }
    if let trace { metadata["trace_id"] = .string(trace.context.traceID.hex) }
    if let problem {
      metadata["code"] = .string(problem.code)
      metadata["detail"] = .string(problem.detail)
      if let diagnostic = problem.diagnostic { metadata["diagnostic"] = .string(diagnostic) }
    }
    logger.log(level: level, "request answered", metadata: metadata)
  }

  /// What the client calls the request, when that is a sane name; else a new one.
  private static func requestID(_ sent: String?) -> String {
    if let sent, ChatRequest.isSessionID(sent) { return sent }
    return Identifier.randomUUID()
  }
}

extension RouteTable.Match {
  /// What metrics call the route.
  var template: String {
    switch self {
    case .route(let route, _): route.template
    case .wrongMethod(let template, _): template
    case .none: "none"
    }
  }
}

extension HTTPFields {
  /// No browser guesses what an answer is, keeps it, or shows it within another page.
  fileprivate static func safe(isEncrypted: Bool) -> HTTPFields {
    var fields: HTTPFields = [
      .xContentTypeOptions: "nosniff", .cacheControl: "no-store",
      .contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'",
    ]
    if isEncrypted { fields[.strictTransportSecurity] = "max-age=31536000" }
    return fields
  }
}

extension Principal {
  /// Who calls a route that is open to all; it owns nothing.
  static let anonymous = Principal(id: "", roles: [])
}
