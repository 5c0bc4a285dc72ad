// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes
import JSONCodec

extension Services {
  var agentRoutes: [Route] {
    [
      Route(
        .get, "/v1/agents", name: "listAgents", summary: "Lists the agents that are loaded, by name.",
        access: .agent, answers: [.init(.ok, "All agents.", .json("AgentList"))]
      ) { exchange in .document(AgentListDocument(host: host(), problems: problems(for: exchange.user))) },
      Route(
        .get, "/v1/agents/{agent}", name: "getAgent", summary: "Shows one agent.",
        access: .agent, answers: [.init(.ok, "The agent.", .json("Agent"))]
      ) { exchange in
        let host = host()
        let name = exchange.parameters[0]
        guard let agent = host.agents[name] else {
          throw Failure(.notFound, "there is no agent '\(name)'")
        }
        return .document(AgentDocument(agent: agent, host: host, problems: problems(for: exchange.user)))
      },
    ]
  }

  /// They show lines of the scripts, which are not for everybody.
  private func problems(for user: Principal) -> [ScriptProblem] {
    user.runsHost ? scripts.problems : []
  }
}

/// All agents of a version, and all that keeps the folder as it is now from coming into force.
struct AgentListDocument: Document {
  let host: any ScriptHost
  let problems: [ScriptProblem]

  func write(to writer: inout JSONWriter) {
    let agents = host.agents.values.sorted { $0.name < $1.name }
    writer.object {
      $0.member("data", agents.map { AgentDocument(agent: $0, host: host, problems: problems) })
      $0.member("next", JSON.null)
      $0.member("problems", problems)
    }
  }
}

/// An agent with the version of the scripts that it is in, and what is wrong with later ones.
struct AgentDocument: Document {
  let agent: Agent
  let host: any ScriptHost
  /// Of the whole workspace.
  let problems: [ScriptProblem]

  func write(to writer: inout JSONWriter) {
    writer.object {
      $0.member("name", agent.name)
      $0.member("description", agent.description)
      $0.member("models", JSON.array(agent.models.map { .string($0) }))
      switch agent.tools {
      case .names(let names): $0.member("tools", JSON.array(names.map { .string($0) }))
      // Chosen anew for each run.
      case .function: $0.member("tools", JSON.null)
      }
      $0.member("agents", JSON.array(agent.agents.map { .string($0) }))
      $0.member("version", host.version)
      $0.member("state", host.lifecycles[agent.name].map { .string($0.state.rawValue) } ?? JSON.null)
      $0.member("problems", problems.filter { concerns($0.file) })
    }
  }

  /// Whether the agent is made of a file: its own, its tools', or a module, which anything may require.
  private func concerns(_ file: String) -> Bool {
    if file == agent.file { return true }
    guard file.hasPrefix("tools/") else { return !file.hasPrefix("agents/") }
    switch agent.tools {
    case .function: return true
    case .names(let names): return names.contains { host.tools[$0]?.file == file }
    }
  }
}

extension ScriptProblem: Document {
  func write(to writer: inout JSONWriter) {
    writer.object {
      $0.member("file", file)
      $0.member("line", line)
      $0.member("column", column)
      $0.member("severity", severity)
      $0.member("code", code)
      $0.member("message", message)
      $0.member("hint", hint.map(JSON.string) ?? .null)
      $0.member("text", text)
    }
  }
}
