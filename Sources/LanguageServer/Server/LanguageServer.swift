// SPDX-License-Identifier: Apache-2.0
import JSONCodec
public import Lint

/// The language server of Perigee's scripts.
///
/// Everything that changes or asks goes through one line, in the order in which it came: an answer is about the text
/// that the client had when it asked. Source: LSP 3.17,
/// https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification.
public actor LanguageServer {
  enum Phase { case new, running, shutDown }

  /// How long after an edit its findings are told, together with those of the edits that follow meanwhile.
  static let publishDelay = Duration.milliseconds(100)

  let stream: any MessageStream
  let folders: any WorkspaceFolders
  let api: HostAPI
  let version: String
  private let log: @Sendable (String) -> Void
  let inbox = Inbox()

  private(set) var phase = Phase.new
  var client = ClientAbilities()
  var projects: [String: Project] = [:]
  var documents: [String: Document] = [:]
  /// What the client was told last, by URI.
  var published: [String: Published] = [:]
  var publishing: Task<Void, Never>?
  var watches: [String: Task<Void, Never>] = [:]
  private var requestsSent: Int64 = 0

  /// - Parameters:
  ///   - version: Of Perigee, for the client to show.
  ///   - log: Takes lines for whoever looks for a fault.
  public init(
    _ stream: any MessageStream, folders: any WorkspaceFolders, api: HostAPI, version: String,
    log: @escaping @Sendable (String) -> Void
  ) {
    self.stream = stream
    self.folders = folders
    self.api = api
    self.version = version
    self.log = log
  }

  /// Answers until the client says `exit`, or its stream ends.
  ///
  /// - Returns: Whether the client said `shutdown` before.
  /// - Throws: ``ProtocolError`` for a stream that is not the protocol.
  public func run() async throws -> Bool {
    let reader = Task { await self.readMessages() }
    defer {
      reader.cancel()
      publishing?.cancel()
      for watch in watches.values { watch.cancel() }
    }
    while true {
      switch await inbox.next() {
      case .message(.notification("exit", _)): return phase == .shutDown
      case .message(let message): await handle(message)
      case .publish:
        publishing = nil
        await publish()
      case .changed(let root): await readAgain(root)
      case .end(let error):
        if let error { throw error }
        return phase == .shutDown
      }
    }
  }

  /// Reads ahead of what is being answered.
  @concurrent
  private nonisolated func readMessages() async {
    var decoder = MessageDecoder()
    while true {
      let bytes = await stream.read()
      guard !bytes.isEmpty else {
        return await inbox.put(
          .end(decoder.isInMessage ? ProtocolError("the input ended within a message") : nil))
      }
      do {
        await inbox.put(try decoder.decode(bytes).map(Message.init))
      } catch {
        return await inbox.put(.end(error))
      }
    }
  }

  // MARK: Messages

  private func handle(_ message: Message) async {
    switch message {
    case .request(let id, let method, let parameters): await answer(id, method, parameters)
    case .notification(let method, let parameters): await take(method, parameters)
    case .cancelled(let id):
      await respond(id, with: .failure(ResponseError(.requestCancelled, "the request was cancelled")))
    case .invalid(let id, let error):
      log(error.message)
      await send(["jsonrpc": "2.0", "id": id?.json ?? .null, "error": error.json])
    case .response: break
    }
  }

  private func answer(_ id: RequestID, _ method: String, _ parameters: JSON) async {
    do {
      await respond(id, with: .success(try await result(of: method, parameters)))
    } catch let error as ResponseError {
      await respond(id, with: .failure(error))
    } catch {
      log("\(method): \(error)")
      await respond(id, with: .failure(ResponseError(.internalError, "\(method) failed: \(error)")))
    }
  }

  private func result(of method: String, _ parameters: JSON) async throws -> JSON {
    switch (phase, method) {
    case (.new, "initialize"):
      phase = .running
      return initialize(parameters)
    case (.new, _):
      throw ResponseError(.serverNotInitialized, "'\(method)' came before 'initialize'")
    case (.shutDown, _): throw ResponseError(.invalidRequest, "'\(method)' came after 'shutdown'")
    case (.running, "initialize"): throw ResponseError(.invalidRequest, "'initialize' came a second time")
    case (.running, "shutdown"):
      phase = .shutDown
      publishing?.cancel()
      return .null
    case (.running, _):
      guard let feature = Self.features[method] else {
        throw ResponseError(.methodNotFound, "there is no method '\(method)'")
      }
      return try await feature(self, parameters)
    }
  }

  private func take(_ method: String, _ parameters: JSON) async {
    guard phase == .running else { return }
    switch method {
    case "initialized": await initialized()
    case "textDocument/didOpen": await didOpen(parameters)
    case "textDocument/didChange": didChange(parameters)
    case "textDocument/didSave": await didSave(parameters)
    case "textDocument/didClose": await didClose(parameters)
    case "workspace/didChangeWatchedFiles": await didChangeWatchedFiles(parameters)
    case "workspace/didChangeWorkspaceFolders": await didChangeFolders(parameters)
    default: if !method.hasPrefix("$/") { log("nothing is done about '\(method)'") }
    }
  }

  func note(_ text: String) { log(text) }

  // MARK: Sending

  private func respond(_ id: RequestID, with result: Result<JSON, ResponseError>) async {
    switch result {
    case .success(let value): await send(["jsonrpc": "2.0", "id": id.json, "result": value])
    case .failure(let error): await send(["jsonrpc": "2.0", "id": id.json, "error": error.json])
    }
  }

  func notify(_ method: String, _ parameters: JSON) async {
    await send(["jsonrpc": "2.0", "method": .string(method), "params": parameters])
  }

  /// Asks the client for something; what it answers changes nothing.
  func ask(_ method: String, _ parameters: JSON) async {
    requestsSent += 1
    await send([
      "jsonrpc": "2.0", "id": .string("perigee-\(requestsSent)"), "method": .string(method),
      "params": parameters,
    ])
  }

  private func send(_ message: JSON) async {
    await stream.write(MessageDecoder.encode(RawJSON(message).bytes))
  }
}
