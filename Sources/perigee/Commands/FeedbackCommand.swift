// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import JSONCodec
import Server
import Storage

/// `perigee feedback`.
struct FeedbackCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "feedback",
    abstract: "Shows what people think of runs, by agent and version, or one by one.",
    discussion: """
      A version whose mean is worse than that of the one before is where to look: perigee diff, perigee bisect.

      Examples:
        perigee feedback
        perigee feedback --agent cloud.support --since 7d
        perigee feedback list --version 9c3b
      """,
    subcommands: [Summary.self, List.self], defaultSubcommand: Summary.self)

  struct Summary: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "summary",
      abstract: "Counts what people think of runs, by agent and version, those that were judged last first.",
      discussion: """
        Scores go from -1, bad, to 1, good; up are those above 0, down those below.

        Examples:
          perigee feedback summary --agent cloud.support
          perigee feedback summary --since 2026-01-31T12:00:00Z --json
        """)

    @Flag(help: "Prints JSON, as GET /v1/feedback/summary does.")
    var json = false

    @OptionGroup var wanted: WantedFeedback
    @OptionGroup var options: WorkspaceOptions

    func run() async throws {
      try await options.withStore { store, _ in
        let sums = try await store.feedbackSummary(wanted.filter)
        guard !json else { return Console.print(FeedbackSums(sums).json.text) }
        guard !sums.isEmpty else { return Console.note(WantedFeedback.none) }
        let head = ["AGENT", "VERSION", "FIRST", "LAST", "COUNT", "UP", "DOWN", "MEAN"]
        for line in Table.lines([head] + sums.map(\.cells), left: 4) { Console.print(line) }
      }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "Lists what people think of runs, the latest first.",
      discussion: """
        Examples:
          perigee feedback list --agent cloud.support --version 9c3b
          perigee feedback list --since 24h --json
        """)

    @Flag(help: "Prints JSON, as GET /v1/feedback does.")
    var json = false

    @Option(help: ArgumentHelp("How many, the latest first; 1 to 200.", valueName: "count"))
    var limit = 50

    @OptionGroup var wanted: WantedFeedback
    @OptionGroup var options: WorkspaceOptions

    func validate() throws {
      if !(1...200).contains(limit) { throw ValidationError("--limit must be 1 to 200") }
    }

    func run() async throws {
      try await options.withStore { store, _ in
        let page = try await store.feedback(wanted.filter, page: PageRequest(limit: limit))
        guard !json else { return Console.print(page.json.text) }
        guard !page.items.isEmpty else { return Console.note(WantedFeedback.none) }
        let head = ["AT", "RUN", "AGENT", "VERSION", "USER", "SCORE", "COMMENT"]
        for line in Table.lines([head] + page.items.map(\.cells), left: 7) { Console.print(line) }
      }
    }
  }
}

/// Which feedback a command shows.
struct WantedFeedback: ParsableArguments {
  static let none = "Nobody has said anything yet; programs do so by POST /v1/feedback."

  @Option(help: ArgumentHelp("Only of this agent's runs.", valueName: "agent"))
  var agent: String?

  @Option(help: ArgumentHelp("Only of runs on this version, or one that begins with it.", valueName: "v"))
  var version: String?

  @Option(
    help: ArgumentHelp(
      "Only what was said since: 24h, 7d, 2026-01-31 or 2026-01-31T12:00:00Z.", valueName: "time"))
  var since: String?

  var filter: FeedbackFilter {
    FeedbackFilter(agent: agent, version: version, since: since.flatMap(Self.time))
  }

  func validate() throws {
    if let since, Self.time(since) == nil {
      throw ValidationError("--since is a time ago, as 24h or 7d, or a moment, as 2026-01-31T12:00:00Z")
    }
  }

  private static func time(_ text: String) -> Timestamp? {
    Timestamp(parsing: text) ?? WrittenDuration(text).map { SystemTime().now + (.zero - $0.duration) }
  }
}

extension FeedbackSummary {
  fileprivate var cells: [String] {
    [
      agent, version.shortVersion, firstAt.description, lastAt.description, "\(count)", "\(positive)",
      "\(negative)", mean.scoreText,
    ]
  }
}

extension Feedback {
  fileprivate var cells: [String] {
    [
      at.description, runID, agent, version.shortVersion, userID, score.scoreText,
      comment?.onOneLine ?? "",
    ]
  }
}

extension Double {
  /// A score for people: `0.75`, `-1`.
  var scoreText: String {
    let rounded = (self * 100).rounded() / 100
    return Int(exactly: rounded).map { "\($0)" } ?? "\(rounded)"
  }
}

extension String {
  /// What somebody wrote, for a terminal.
  var onOneLine: String { split(whereSeparator: \.isNewline).joined(separator: " ").withoutControls }
}
