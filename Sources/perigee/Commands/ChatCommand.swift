// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Dispatch
import JSONCodec
import Logging
import Workspace

/// `perigee chat AGENT`.
struct ChatCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chat", abstract: "Talks with an agent in the terminal.",
    discussion: """
      A line is a message; an empty line is skipped; end with Ctrl-D or /quit.

      Examples:
        perigee chat todo
        perigee chat todo --session shopping
        echo 'show my to-dos' | perigee chat todo
        perigee chat todo --record evening
      """)

  @Argument(help: "Name of the agent, as 'todo' or 'market.title'.")
  var agent: String

  @Option(help: "Session to go on with; a new one unless given.")
  var session: String?

  @Option(name: .customLong("as"), help: ArgumentHelp("User on whose behalf.", valueName: "user"))
  var user = Principal.local.id

  @OptionGroup var cassette: CassetteOptions

  @OptionGroup var options: WorkspaceOptions

  func validate() throws {
    if user.isEmpty { throw ValidationError("--as is empty: name a user") }
  }

  func run() async throws {
    let host = try await Host.open(
      options, try options.configuration(), cassette: cassette, logger: .command(.warning))
    do {
      try await converse(host)
    } catch {
      try await host.close()
      throw error
    }
    try await host.close()
  }

  private func converse(_ host: Host) async throws {
    guard host.workspace.host.agents[agent] != nil else { throw CommandError.unknownAgent(agent, host) }
    let interruption = TurnInterruption()
    await interruption.watch()
    var sessionID = session
    var failure: Failure?
    if Console.isInteractive { Console.note(Console.dim("You talk to \(agent). Ctrl-D ends.")) }
    while true {
      if Console.isInteractive { Console.print("> ", terminator: "") }
      guard let line = await StandardInput.line() else { break }
      let message = String(line.trimmed)
      if message == "/quit" { break }
      if message.isEmpty { continue }
      do {
        let request = ChatRequest(agent: agent, message: message, sessionID: sessionID)
        let principal = user == Principal.local.id ? .local : Principal(id: user)
        let transcript = Transcript()
        let reply = try await interruption.turn {
          try await host.runner.chat(request, as: principal, onEvent: transcript.show)
        }
        sessionID = reply.sessionID
        if reply.usingStub {
          Console.note(Console.dim("(no model is configured or reachable: the stub answered)"))
        }
        failure = nil
      } catch let error as Failure {
        // The session goes on: the next message may do better.
        Console.note("error: \(error.message) [\(error.code)]")
        if let diagnostic = error.diagnostic { Console.note(Console.dim(diagnostic)) }
        failure = error
      }
    }
    if let failure, !Console.isInteractive {
      throw CommandError(message: "the last message failed: \(failure.message)", status: .bad)
    }
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

extension CommandError {
  static func unknownAgent(_ name: String, _ host: Host) -> CommandError {
    let names = host.workspace.host.agents.keys.sorted()
    return CommandError(
      message: "there is no agent '\(name)' (\(host.workspace.directory))",
      hint: names.isEmpty
        ? "make one: perigee new agent \(name)" : "the agents are: \(names.joined(separator: ", "))")
  }
}
