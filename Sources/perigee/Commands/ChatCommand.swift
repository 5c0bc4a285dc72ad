// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Dispatch
import Logging

/// `perigee chat AGENT`.
struct ChatCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chat", abstract: "Talks with an agent in the terminal.",
    discussion: """
      A line is a message; an empty line is skipped. Ctrl-C cancels the turn.
      End with Ctrl-D or /quit.

      With --server the agent runs there. A lost connection is opened again, and
      the answer goes on where it stopped.

      Examples:
        perigee chat todo
        perigee chat todo --session shopping
        echo 'show my to-dos' | perigee chat todo
        perigee chat todo --record evening
        perigee chat todo --server http://127.0.0.1:8080
        perigee chat todo --server http://127.0.0.1:8080 --session shopping
        perigee chat todo --server https://agents.example.com --token-env MY_TOKEN
      """)

  @Argument(help: "Name of the agent, as 'todo' or 'market.title'.")
  var agent: String

  @Option(help: "Session to go on with; a new one unless given.")
  var session: String?

  @Option(help: ArgumentHelp("Address of a running server to talk to.", valueName: "url"))
  var server: String?

  @Option(
    help: ArgumentHelp(
      "Variable of the environment with the token or API key that the server wants.", valueName: "variable"))
  var tokenEnv: String?

  @Option(
    name: .customLong("retry-seconds"),
    help: ArgumentHelp(
      "How long a lost connection may take to come back. (default: 60)", valueName: "seconds"))
  var retrySeconds: Int?

  @Option(
    name: .customLong("as"),
    help: ArgumentHelp("User on whose behalf. (default: \(Principal.local.id))", valueName: "user"))
  var user: String?

  @OptionGroup var cassette: CassetteOptions

  @OptionGroup var options: WorkspaceOptions

  func validate() throws {
    if let user, user.isEmpty { throw ValidationError("--as is empty: name a user") }
    guard server != nil else {
      if retrySeconds != nil {
        throw ValidationError("--retry-seconds is for a server: name it with --server")
      }
      if tokenEnv != nil { throw ValidationError("--token-env is for a server: name it with --server") }
      return
    }
    if let retrySeconds, !(0...86_400).contains(retrySeconds) {
      throw ValidationError("--retry-seconds must be 0 to 86400")
    }
    if user != nil {
      throw ValidationError("--server and --as exclude each other: the server knows its users")
    }
    let own = [
      ("--workspace", options.givenWorkspace), ("--data", options.data), ("--record", cassette.record),
      ("--cassette", cassette.cassette),
    ]
    if let (name, _) = own.first(where: { $0.1 != nil }) {
      throw ValidationError(
        "--server and \(name) exclude each other: the server has its own workspace and models")
    }
  }

  func run() async throws {
    let conversation = try await open()
    do {
      try await converse(conversation)
    } catch {
      try await conversation.close()
      throw error
    }
    try await conversation.close()
  }

  private func token() throws -> String? {
    guard let tokenEnv else { return nil }
    guard let token = options.environment[tokenEnv], !token.isEmpty else {
      throw CommandError(
        message: "--token-env: \(tokenEnv) is not set", hint: "export \(tokenEnv)=$(perigee token --user you)"
      )
    }
    return token
  }

  private func open() async throws -> any Conversation {
    if let server {
      return try await RemoteConversation(
        RemoteServer(server, token: try token()), agent: agent, sessionID: session,
        patience: .seconds(retrySeconds ?? 60))
    }
    let host = try await Host.open(
      options, try options.configuration(), cassette: cassette, logger: .command(.warning))
    let user = user ?? Principal.local.id
    return try await LocalConversation(
      host, agent: agent, sessionID: session, as: user == Principal.local.id ? .local : Principal(id: user))
  }

  private func converse(_ conversation: any Conversation) async throws {
    let interruption = TurnInterruption()
    await interruption.watch()
    var failure: Failure?
    if Console.isInteractive { Console.note(dim: "You talk to \(agent). Ctrl-D ends.") }
    while true {
      if Console.isInteractive { Console.print("> ", terminator: "") }
      guard let line = await StandardInput.line() else { break }
      let message = String(line.trimmed)
      if message == "/quit" { break }
      if message.isEmpty { continue }
      let transcript = Transcript()
      defer { transcript.close() }
      do {
        let usingStub = try await interruption.turn { try await conversation.say(message, transcript) }
        transcript.close()
        if usingStub { Console.note(dim: "(no model is configured or reachable: the stub answered)") }
        failure = nil
      } catch let error as Failure {
        // The session goes on: the next message may do better.
        transcript.close()
        Console.note("error: \(error.message) [\(error.code)]")
        if let diagnostic = error.diagnostic { Console.note(dim: diagnostic) }
        failure = error
      }
    }
    guard let failure, !Console.isInteractive else { return }
    if failure.code == .cancelled { throw CancellationError() }
    throw CommandError(message: "the last message failed: \(failure.message)", status: .bad)
  }
}

extension String {
  /// Without white space at either end.
  var trimmed: Substring {
    var text = drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}

/// Standard input, a line when one is asked for.
enum StandardInput {
  private static let queue = DispatchQueue(label: "perigee.stdin")

  /// Reads the next line off the cooperative pool; `nil` at the end.
  static func line() async -> String? {
    await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: readLine()) }
    }
  }

  /// Reads everything.
  static func all() async -> String {
    var lines: [String] = []
    while let line = await line() { lines.append(line) }
    return lines.joined(separator: "\n")
  }
}
