// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import JSONCodec
import Server
import Storage

/// `perigee approvals`.
struct ApprovalsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "approvals", abstract: "Lists the questions that runs wait for.",
    discussion: """
      Examples:
        perigee approvals
        perigee approvals --all --json
      """)

  @Flag(help: "Lists those that are decided, expired or cancelled, too.")
  var all = false

  @Flag(help: "Prints JSON, as GET /v1/approvals does.")
  var json = false

  @Option(help: ArgumentHelp("How many, the latest first; 1 to 200.", valueName: "count"))
  var limit = 50

  @OptionGroup var options: WorkspaceOptions

  func validate() throws {
    if !(1...200).contains(limit) { throw ValidationError("--limit must be 1 to 200") }
  }

  func run() async throws {
    try await options.withStore { store, _ in
      let page = try await store.approvals(
        visibleTo: .local, status: all ? nil : .pending, page: PageRequest(limit: limit))
      guard !json else { return Console.print(page.json.text) }
      guard !page.items.isEmpty else { return Console.note("Nothing waits for a person.") }
      let head = ["APPROVAL", "AGENT", "USER", "STATUS", "ASKED", "TITLE"]
      for line in Table.lines([head] + page.items.map(\.cells), left: 6) { Console.print(line) }
    }
  }
}

extension Approval {
  fileprivate var cells: [String] {
    [
      id, agent, userID, decision?.choice ?? status.rawValue, createdAt.description,
      question.title
        + (question.choices == ["approve", "reject"] ? "" : " (\(question.choices.joined(separator: ", ")))"),
    ]
  }
}

/// `perigee approve ID`.
struct ApproveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "approve", abstract: "Answers a question that a run waits for: yes, or what it offers.",
    discussion: """
      The run goes on within a second where a server runs with this data folder, else when one starts.

      Examples:
        perigee approve 0192f0c1-7a52-8000-8d0a-6f1c2b3a4d5e --comment 'fine'
        perigee approve 0192f0c1-7a52-8000-8d0a-6f1c2b3a4d5e --values '{"sum": 250}'
        perigee approve 0192f0c1-7a52-8000-8d0a-6f1c2b3a4d5e --decision done
      """)

  @Argument(
    help: ArgumentHelp("The question's identifier, as 'perigee approvals' shows it.", valueName: "id"))
  var id: String

  @Option(help: ArgumentHelp("One of the question's choices.", valueName: "choice"))
  var decision = "approve"

  @Option(help: ArgumentHelp("What the question's fields ask for, a JSON object.", valueName: "json"))
  var values: String?

  @OptionGroup var answer: AnswerOptions
  @OptionGroup var options: WorkspaceOptions

  func run() async throws {
    var filled: JSON?
    if let values {
      guard let json = try? JSON(parsing: values), json.object != nil else {
        throw CommandError(message: "--values is no JSON object")
      }
      filled = json
    }
    try await answer.decide(id, decision, values: filled, options)
  }
}

/// `perigee reject ID`.
struct RejectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reject", abstract: "Answers a question that a run waits for: no.",
    discussion: """
      Examples:
        perigee reject 0192f0c1-7a52-8000-8d0a-6f1c2b3a4d5e --comment 'too much'
      """)

  @Argument(
    help: ArgumentHelp("The question's identifier, as 'perigee approvals' shows it.", valueName: "id"))
  var id: String

  @OptionGroup var answer: AnswerOptions
  @OptionGroup var options: WorkspaceOptions

  func run() async throws { try await answer.decide(id, "reject", options) }
}

/// What answers have in common.
struct AnswerOptions: ParsableArguments {
  @Option(help: "The reasons, for the run and for who reads its trace.")
  var comment: String?

  @Option(name: .customLong("as"), help: ArgumentHelp("Who decides.", valueName: "user"))
  var user = Principal.local.id

  @Flag(help: "Prints the answered question as JSON.")
  var json = false

  func decide(_ id: String, _ choice: String, values: JSON? = nil, _ options: WorkspaceOptions) async throws {
    try await options.withStore { store, _ in
      // Who may open the data folder runs the server.
      let principal = Principal(id: user, roles: Principal.local.roles)
      let decided = try await store.decide(
        approval: id, choice, comment: comment, values: values, as: principal, at: SystemTime().now)
      Console.print(
        json ? decided.json.text : "\(decided.decision?.choice ?? ""): \(decided.question.title)")
    }
  }
}
