// SPDX-License-Identifier: Apache-2.0

extension OpenAPI {
  /// What operations are grouped by.
  enum Tag: String, CaseIterable {
    case agents, sessions, runs, feedback, approvals, schedules, events, audit, users, versions, channels,
      server
    case deadLetters = "dead letters"
    case openAI = "OpenAI's format"
    case aliases = "other shapes"

    static let allCases: [Tag] = [
      .agents, .sessions, .runs, .feedback, .approvals, .deadLetters, .schedules, .events, .versions, .audit,
      .users,
      .openAI, .channels, .aliases, .server,
    ]

    init(of route: Route) {
      let template = route.template
      if route.isAlias {
        self = .aliases
        return
      }
      let segments = template.split(separator: "/")
      guard segments.first == "v1", segments.count > 1 else {
        self = .server
        return
      }
      if OpenAIDoor.covers(template) {
        self = .openAI
      } else {
        self = Tag(rawValue: String(segments[1]).replacing("-", with: " ")) ?? .server
      }
    }

    var summary: String {
      switch self {
      case .agents: "Talking with agents."
      case .sessions: "The caller's conversations."
      case .runs: "What agents do to answer: each message is a run."
      case .feedback: "What people think of runs, from -1 to 1."
      case .approvals: "What runs ask people."
      case .deadLetters: "Jobs of the queue that failed for good; for operators."
      case .schedules: "Runs that nobody asks for; for operators."
      case .events: "What happens on the server."
      case .versions: "The scripts that are in force, and those that were; for operators."
      case .audit: "Who did what; for admins."
      case .users: "Who they are; all that is kept of one: handed out, or erased."
      case .channels: "Webhooks of messengers, where the configuration has their secrets."
      case .openAI: "Each agent as a model, for OpenAI's clients."
      case .aliases: "Agents in the shapes of other systems, as the configuration lists them."
      case .server: "Health, metrics, and what describes the server."
      }
    }
  }
}
