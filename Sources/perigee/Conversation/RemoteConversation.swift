// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Synchronization
import Transport

/// A conversation with an agent of a running server.
final class RemoteConversation: Conversation {
  private let server: RemoteServer
  private let agent: String
  /// How long a lost connection may take to come back.
  private let patience: Duration
  private let sessionID: Mutex<String?>

  /// Asks the server for the agent first.
  ///
  /// - Throws: ``CommandError`` when there is no such server, or no such agent.
  init(_ server: RemoteServer, agent: String, sessionID: String?, patience: Duration) async throws {
    self.server = server
    self.agent = agent
    self.patience = patience
    self.sessionID = Mutex(sessionID)
    let names: [String]
    do {
      names = try await server.agents()
    } catch {
      await server.client.shutdown()
      throw error
    }
    guard names.contains(agent) else {
      await server.client.shutdown()
      throw CommandError.unknownAgent(agent, of: server.origin, names, hint: "the server has none")
    }
  }

  func say(_ message: String, _ transcript: Transcript) async throws -> Bool {
    let turn = RemoteTurn(
      server, agent: agent, message: message, sessionID: sessionID.withLock { $0 }, patience: patience,
      transcript: transcript, onSession: { [self] id in sessionID.withLock { $0 = id } })
    // A task of its own: a cancelled one could not hear how the run ends.
    let task = Task { try await turn.complete() }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      turn.cancel()
    }
  }

  func close() async throws { await server.client.shutdown() }
}

/// A Perigee server, and how it is spoken to.
struct RemoteServer: Sendable {
  /// Without a slash at its end.
  let origin: String
  let client: HTTPClient
  /// What shows who asks.
  fileprivate let credentials: [(name: String, value: String)]

  /// - Parameter token: Or an API key; `nil` = the server asks for none.
  /// - Throws: ``CommandError`` when the text is no address of a server.
  init(_ text: String, token: String? = nil) throws {
    credentials = token.map { [("Authorization", "Bearer \($0)")] } ?? []
    var origin = text
    while origin.hasSuffix("/") { origin.removeLast() }
    guard origin.hasPrefix("http://") || origin.hasPrefix("https://"),
      !origin.contains(where: { $0 == "?" || $0 == "#" || $0.isWhitespace })
    else {
      throw CommandError(
        message: "--server '\(text)' is not the address of a server", hint: "write http://127.0.0.1:8080")
    }
    self.origin = origin
    client = try HTTPClient()
  }

  /// Names of the server's agents.
  fileprivate func agents() async throws -> [String] {
    let response: HTTPResponse
    do {
      response = try await client.send(
        HTTPRequest(url: origin + "/v1/agents", headers: credentials, connectTimeout: .seconds(5)))
    } catch let error as TransportError {
      throw CommandError(
        message: "\(origin) cannot be reached: \(error.message)", hint: "start it: perigee serve")
    }
    guard response.status == 200, let list = (try? JSON(parsing: response.body))?["data"]?.array else {
      throw CommandError(
        message: "\(origin) does not answer like a Perigee server: \(Failure(response.status, response.body))"
      )
    }
    return list.compactMap { $0["name"]?.string }
  }

  func messageRequest(agent: String, body: [UInt8], key: String) -> HTTPRequest {
    events(
      "POST", "/v1/agents/\(agent.pathSegment)/chat",
      headers: [("Content-Type", "application/json"), ("Idempotency-Key", key)], body: body)
  }

  func eventsRequest(ofRun id: String, after number: Int) -> HTTPRequest {
    events(
      "GET", "/v1/runs/\(id.pathSegment)/events", headers: [("Last-Event-ID", String(number))], body: nil)
  }

  func cancelRequest(ofRun id: String) -> HTTPRequest {
    HTTPRequest(
      method: "POST", url: "\(origin)/v1/runs/\(id.pathSegment)/cancel", headers: credentials,
      connectTimeout: .seconds(5),
      timeout: .seconds(10))
  }

  /// A run may take long; the server says something every 15 seconds, or is taken for lost.
  private func events(
    _ method: String, _ path: String, headers: [(name: String, value: String)], body: [UInt8]?
  ) -> HTTPRequest {
    HTTPRequest(
      method: method, url: origin + path, headers: credentials + headers + [("Accept", "text/event-stream")],
      body: body,
      connectTimeout: .seconds(5), timeout: .seconds(86_400), idleTimeout: .seconds(40),
      responseBytesMax: 1 << 30)
  }
}

extension Failure {
  /// What a problem document says, or an answer that is none.
  init(_ status: Int, _ body: [UInt8]) {
    guard let document = try? JSON(parsing: body), let failure = Failure(problem: document) else {
      self.init(.upstream, "the server answered \(status) without saying why")
      return
    }
    self = failure
  }

  /// Reads a problem document; `nil` when it is none.
  init?(problem: JSON) {
    guard let code = problem["code"]?.string, let detail = problem["detail"]?.string else { return nil }
    let request = code == Code.internal.rawValue ? problem["request_id"]?.string : nil
    self.init(Code(rawValue: code), detail, diagnostic: request.map { "request \($0)" })
  }
}

extension String {
  /// As one step of a path. Source: RFC 3986, 2.3.
  fileprivate var pathSegment: String {
    utf8.reduce(into: "") { text, byte in
      let scalar = Unicode.Scalar(byte)
      let isPlain = byte < 0x80 && (Character(scalar).isLetter || Character(scalar).isNumber)
      if isPlain || "-._~".unicodeScalars.contains(scalar) {
        text.unicodeScalars.append(scalar)
      } else {
        text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
  }
}
