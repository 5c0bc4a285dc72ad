// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import JSONCodec
import Lint
import Workspace

/// `perigee plan AGENT`.
struct PlanCommand: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, json, mermaid
  }

  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Shows what a workflow would do, without running it.",
    discussion: """
      Of steps: the phases, which are what runs beside what, and what each step needs. Of states: where each leads. \
      Mermaid is a diagram as text, which many pages and editors draw. Ends with 1 when the agent is no workflow.

      Examples:
        perigee plan market.create
        perigee plan market.create --json
        perigee plan market.create --format mermaid
      """)

  @Argument(help: "Name of the agent, as 'todo' or 'market.title'.")
  var agent: String

  @Option(help: "text, json or mermaid.")
  var format = Format.text

  @Flag(help: "Prints JSON, as --format json does.")
  var json = false

  @OptionGroup var options: WorkspaceOptions

  func run() async throws {
    let configuration = try options.configuration()
    let bundle = try await ScriptBundle.load(directory: options.workspace, lint: LintSettings(configuration))
    guard let agent = bundle.agents[agent] else {
      throw CommandError.unknownAgent(
        self.agent, of: options.workspace, bundle.agents.keys.sorted(),
        hint: "make one: perigee new agent \(self.agent)")
    }
    guard let plan = WorkflowPlan(agent) else {
      throw CommandError(
        message: "the agent '\(agent.name)' is no workflow: its body is '\(agent.bodyName)'",
        hint: "a plan is of steps or states", status: .bad)
    }
    switch json ? .json : format {
    case .text: Console.print(plan.text)
    case .json: Console.print(plan.json.text)
    case .mermaid: Console.print(plan.mermaid)
    }
  }
}

extension Agent {
  fileprivate var bodyName: String {
    switch body {
    case .prompt: "prompt"
    case .run: "run"
    case .steps: "steps"
    case .states: "states"
    }
  }
}
