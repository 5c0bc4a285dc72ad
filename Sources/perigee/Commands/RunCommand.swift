// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import JSONCodec
import Logging
import Server
import Workspace

/// `perigee run AGENT`.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs an agent once and prints its answer.",
    discussion: """
      The input is JSON, an object with "message", or else the message itself; '-' reads it from standard input.

      Examples:
        perigee run todo --input 'show my to-dos'
        perigee run todo --input '{"message": "add milk"}' --as ada --json
        cat request.json | perigee run market.create --input - --trace
        perigee run todo --input 'add milk' --record milk
        perigee run todo --input 'add milk' --cassette milk
      """)

  @Argument(help: "Name of the agent, as 'todo' or 'market.title'.")
  var agent: String

  @Option(help: ArgumentHelp("JSON, text, or - for standard input.", valueName: "json|-"))
  var input: String = "-"

  @Option(name: .customLong("as"), help: ArgumentHelp("User on whose behalf.", valueName: "user"))
  var user = Principal.local.id

  @Option(help: "Session to go on with; a new one unless given.")
  var session: String?

  @Flag(help: "Prints the whole answer, as the HTTP API gives it.")
  var json = false

  @Flag(help: "Prints the run's timeline on standard error.")
  var trace = false

  @OptionGroup var cassette: CassetteOptions

  @OptionGroup var options: WorkspaceOptions

  func validate() throws {
    if user.isEmpty { throw ValidationError("--as is empty: name a user") }
  }

  func run() async throws {
    if input == "-", Console.isInteractive { Console.note(dim: "Reading the input; Ctrl-D ends it.") }
    let text = input == "-" ? await StandardInput.all() : input
    let request = try request(text)
    let host = try await Host.open(
      options, try options.configuration(), cassette: cassette, logger: .command(trace ? .debug : .warning))
    do {
      try await Interruption.cancelling { try await answer(request, host) }
    } catch {
      try await host.close()
      throw error
    }
    try await host.close()
  }

  private func request(_ text: String) throws -> ChatRequest {
    var request = ChatRequest(agent: agent, message: text, sessionID: session)
    if text.trimmed.hasPrefix("{") {
      let value: JSON
      do {
        value = try JSON(parsing: text)
      } catch {
        throw CommandError(message: "--input is not JSON: \(error)")
      }
      request.input = value.object ?? JSONObject()
      // Input without words is its own message.
      request.message = request.input["message"]?.string ?? RawJSON(value).text
    }
    return request
  }

  private func answer(_ request: ChatRequest, _ host: Host) async throws {
    guard host.workspace.deployment.active.agents[agent] != nil else {
      throw CommandError.unknownAgent(agent, host)
    }
    let timeline = trace ? Timeline(host.time) : nil
    let principal = user == Principal.local.id ? Principal.local : Principal(id: user)
    let outcome =
      if let timeline {
        try await host.runner.chat(request, as: principal, onEvent: timeline.note)
      } else {
        try await host.runner.chat(request, as: principal)
      }
    let reply: ChatReply
    switch outcome {
    case .answered(let answer): reply = answer
    case .waiting(let run):
      if json { return Console.print(run.json.text) }
      throw Failure(waiting: run)
    }
    if reply.usingStub {
      Console.note(dim: "(no model is configured or reachable: the stub answered)")
    }
    Console.print(json ? reply.json.text : reply.text)
  }
}

/// What happened in a run, line by line, with the time since it began.
private struct Timeline: Sendable {
  private let time: any TimeSource
  private let start: Duration

  init(_ time: any TimeSource) {
    self.time = time
    start = time.elapsed
  }

  private func say(_ text: String) {
    let milliseconds = Int((time.elapsed - start) / .milliseconds(1))
    Console.note(
      dim: "\(String(repeating: " ", count: max(0, 6 - "\(milliseconds)".count)))\(milliseconds) ms  \(text)")
  }

  @Sendable func note(_ event: RunEvent) {
    switch event {
    case .started(let runID, let sessionID): say("run \(runID), session \(sessionID)")
    case .text(let text): say("text, \(text.count) characters")
    case .toolStarted(_, let name, let arguments): say("tool \(name) \(arguments.text.prefix(200))")
    case .toolFinished(let call):
      say("tool \(call.name) done: \(call.content.prefix(200))")
      if case .failed(let failure) = call.outcome, let diagnostic = failure.diagnostic { say(diagnostic) }
    case .approvalRequested(let approval): say("asks \(approval.id): \(approval.question.title)")
    case .waiting: say("waits")
    case .completed(let reply): end(reply)
    case .failed(let failure):
      say("failed: \(failure)")
      if let diagnostic = failure.diagnostic { say(diagnostic) }
    }
  }

  private func end(_ reply: ChatReply) {
    let usage = reply.usage
    let cost = usage.costUSD.map { "\($0) USD" } ?? "cost unknown"
    let estimated = usage.isEstimated ? " (estimated)" : ""
    say(
      "\(reply.finishReason.rawValue): \(usage.inputTokens) tokens in, \(usage.outputTokens) out\(estimated), \(cost)"
    )
  }
}
