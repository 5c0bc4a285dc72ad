// SPDX-License-Identifier: Apache-2.0
import Core
import Synchronization
import Workspace

/// A conversation with one agent, wherever that runs: every message stands in the session of the first.
protocol Conversation: Sendable {
  /// Says a message and shows what happens; cancelling the task cancels the turn.
  ///
  /// - Returns: Whether the agent's stub answered.
  /// - Throws: ``Failure`` when the turn failed and the next one may do better; another error when none can.
  func say(_ message: String, _ transcript: Transcript) async throws -> Bool

  func close() async throws
}

/// A conversation with an agent of the workspace, in this process.
final class LocalConversation: Conversation {
  private let host: Host
  private let agent: String
  private let user: Principal
  private let sessionID: Mutex<String?>

  /// - Throws: ``CommandError`` when there is no such agent; the host is closed then.
  init(_ host: Host, agent: String, sessionID: String?, as user: Principal) async throws {
    guard host.workspace.deployment.active.agents[agent] != nil else {
      let error = CommandError.unknownAgent(agent, host)
      try await host.close()
      throw error
    }
    self.host = host
    self.agent = agent
    self.user = user
    self.sessionID = Mutex(sessionID)
  }

  func say(_ message: String, _ transcript: Transcript) async throws -> Bool {
    let request = ChatRequest(agent: agent, message: message, sessionID: sessionID.withLock { $0 })
    let outcome = try await host.runner.chat(request, as: user) { [self] event in
      // From the start on: a turn that is cancelled belongs to the session, too.
      if case .started(_, let id) = event { sessionID.withLock { $0 = id } }
      transcript.show(event)
    }
    return try outcome.reply().usingStub
  }

  func close() async throws { try await host.close() }
}

extension CommandError {
  static func unknownAgent(_ name: String, _ host: Host) -> CommandError {
    let names = host.workspace.deployment.active.agents.keys.sorted()
    return unknownAgent(
      name, of: host.workspace.directory, names,
      hint: "make one: perigee new agent \(name)")
  }

  /// - Parameter hint: What to do where there are no agents at all.
  static func unknownAgent(
    _ name: String, of place: String, _ names: [String], hint: String
  ) -> CommandError {
    CommandError(
      message: "there is no agent '\(name)' (\(place))",
      hint: names.isEmpty ? hint : "the agents are: \(names.joined(separator: ", "))")
  }
}
