// SPDX-License-Identifier: Apache-2.0
import Core
import HTTPTypes

extension Services {
  var agentRoutes: [Route] {
    [
      Route(
        .get, "/v1/agents", name: "listAgents", summary: "Lists the agents that are loaded, by name.",
        answers: [.init(.ok, "All agents.", .json("AgentList"))]
      ) { _ in
        let host = host()
        let agents = host.agents.values.sorted { $0.name < $1.name }
        return .document(
          Page(items: agents.map { AgentDocument(agent: $0, version: host.version) }, next: nil))
      },
      Route(
        .get, "/v1/agents/{agent}", name: "getAgent", summary: "Shows one agent.",
        answers: [.init(.ok, "The agent.", .json("Agent"))]
      ) { exchange in
        let host = host()
        let name = exchange.parameters[0]
        guard let agent = host.agents[name] else {
          throw Failure(.notFound, "there is no agent '\(name)'")
        }
        return .document(AgentDocument(agent: agent, version: host.version))
      },
    ]
  }
}
