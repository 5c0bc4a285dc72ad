// SPDX-License-Identifier: Apache-2.0
public import Core
import HTTPTypes
public import Logging
import Metrics
import Telemetry

/// The messengers by which people talk with agents, and what they are answered.
///
/// A message has one turn, however often it comes, and one place answers it: the reply to the messenger's request, or
/// once it is put off whoever sends ``ChannelStore/dueAnswers(at:limit:)``.
public struct Channels: Sendable {
  /// What is said in place of an answer.
  public struct Texts: Sendable, Hashable {
    public var failed: String
    public var waiting: String
    /// What a message without words says to the agent.
    public var empty: String

    public init(failed: String, waiting: String, empty: String) {
      self.failed = failed
      self.waiting = waiting
      self.empty = empty
    }
  }

  private let all: [String: any MessageChannel]
  let store: any ChannelStore
  let runner: Runner
  let time: any TimeSource
  /// How the world reaches the server, which is what requests are signed for; `nil` = as each request says.
  let publicURL: String?
  private let texts: Texts
  private let logger: Logger
  private let underWay = TurnsUnderWay()

  public init(
    _ channels: [any MessageChannel], store: any ChannelStore, runner: Runner, time: any TimeSource,
    publicURL: String?, texts: Texts, logger: Logger
  ) {
    all = Dictionary(channels.map { ($0.name, $0) }) { $1 }
    self.store = store
    self.runner = runner
    self.time = time
    self.publicURL = publicURL
    self.texts = texts
    self.logger = logger
  }

  public subscript(name: String) -> (any MessageChannel)? { all[name] }

  /// By their names.
  var channels: [any MessageChannel] { all.sorted { $0.key < $1.key }.map(\.value) }

  /// A process that has not put a message off by then, so long after its time, is gone.
  private static let grace = Duration.seconds(120)
}

// MARK: While the messenger's request waits

extension Channels {
  /// Answers a message that came.
  ///
  /// - Returns: Texts for the reply; none when they go out later, or the message came before.
  func answer(
    _ message: ChannelMessage, by channel: any MessageChannel, trace: TraceContext?,
    connection: Connection?, onEnd: @escaping Runner.OnEnd
  ) async throws -> [String] {
    var message = message
    if message.text.allSatisfy(\.isWhitespace) { message.text = texts.empty }
    let (now, key) = (time.now, message.key)
    guard try await store.receive(message, dueAt: now + channel.lateAnswer + Self.grace, at: now) else {
      count("duplicate", channel)
      return []
    }
    underWay.insert(key)
    let (replies, reply) = AsyncStream<[String]>.makeStream()
    // No turn is quicker than that.
    if channel.lateAnswer <= .zero, await putOff(key) { reply.yield([]) }
    // A task of its own: the turn goes on when the reply does not wait for it any more.
    Task { [message] in reply.yield(await turn(message, by: channel, trace: trace, onEnd: onEnd)) }
    let timer = Task {
      try await time.sleep(for: channel.lateAnswer)
      if await putOff(key) { reply.yield([]) }
    }
    defer { timer.cancel() }
    // Nobody reads the reply any more.
    connection?.onDeparture { Task { if await putOff(key) { reply.yield([]) } } }
    for await texts in replies {
      if !texts.isEmpty { count("replied", channel) }
      return texts
    }
    return []
  }

  /// - Returns: Whether the answer is somebody else's from now on.
  private func putOff(_ key: ChannelMessage.Key) async -> Bool {
    do {
      return try await store.putOff(key)
    } catch {
      // The reply says it, or nobody before the message is due.
      logger.error("an answer cannot be put off: \(error)", metadata: Self.metadata(key))
      return false
    }
  }

  private func turn(
    _ message: ChannelMessage, by channel: any MessageChannel, trace: TraceContext?,
    onEnd: @escaping Runner.OnEnd
  ) async -> [String] {
    defer { underWay.remove(message.key) }
    do {
      guard let answer = try await outcome(of: message, trace: trace, onEnd: onEnd) else { return [] }
      if channel.reply(answer.texts, to: message.address) == nil { _ = try await store.putOff(message.key) }
      return try await store.keep(answer, to: message.key, at: time.now) ? answer.texts : []
    } catch {
      // It is due after a while, and found as its run was kept.
      logger.error("an answer cannot be kept: \(error)", metadata: Self.metadata(message.key))
      return []
    }
  }

  /// Does the turn of a message.
  ///
  /// - Returns: `nil` when the server stops meanwhile: the run goes on at the next start.
  private func outcome(
    of message: ChannelMessage, trace: TraceContext?, onEnd: @escaping Runner.OnEnd
  ) async throws -> ChannelAnswer? {
    var request = message.request
    request.trace = trace
    do throws(Failure) {
      switch try await runner.chat(request, as: message.user, onEnd: onEnd) {
      case .answered(let reply): return saying(reply.text, in: message.key.channel)
      case .waiting(let run): return ChannelAnswer(texts: [texts.waiting], waitingRunID: run.runID)
      }
    } catch {
      if error.code == .cancelled, runner.hasStopped { return nil }
      report(error, message)
      return telling(error, in: message.key.channel)
    }
  }

  private func report(_ failure: Failure, _ message: ChannelMessage) {
    var metadata = Self.metadata(message.key)
    metadata["agent"] = .string(message.agent)
    metadata["code"] = .string(failure.code.rawValue)
    if let diagnostic = failure.diagnostic { metadata["diagnostic"] = .string(diagnostic) }
    logger.log(
      level: Problem(failure, isDraining: false).status.kind == .serverError ? .warning : .debug,
      "a message by a channel was not answered: \(failure.message)", metadata: metadata)
  }
}

// MARK: Later

extension Channels {
  /// Whether the turn of a message is under way in this process.
  public func isUnderWay(_ key: ChannelMessage.Key) -> Bool { underWay.contains(key) }

  /// Returns when no turn is under way in this process, and what they said is kept.
  public func settle() async { await underWay.end() }

  /// Finds what a message is answered with whose process is gone, or whose run had to wait; it is due then.
  public func word(_ due: DueAnswer) async throws {
    let key = due.message.key
    let answer: ChannelAnswer?
    switch due.work {
    case .send: return
    case .forget, .ended(.cancelled, _, _): answer = ChannelAnswer(texts: [])
    case .begin:
      underWay.insert(key)
      defer { underWay.remove(key) }
      answer = try await outcome(of: due.message, trace: nil) { _, _ in }
    case .ended(.completed, _, let text): answer = saying(text, in: key.channel)
    case .ended(_, let failure, _):
      answer = telling(failure ?? Failure(.internal, "the run was interrupted"), in: key.channel)
    }
    if let answer { _ = try await store.keep(answer, to: key, at: time.now) }
  }

  public func count(_ outcome: String, _ channel: any MessageChannel) {
    Counter(
      label: "perigee_channel_answers_total", dimensions: [("channel", channel.name), ("outcome", outcome)]
    ).increment()
  }

  public static func metadata(_ key: ChannelMessage.Key) -> Logger.Metadata {
    ["channel": .string(key.channel), "message": .string(key.id)]
  }
}

// MARK: Words

extension Channels {
  private func saying(_ text: String, in channel: String) -> ChannelAnswer {
    ChannelAnswer(texts: text.pieces(max: all[channel]?.textMax ?? .max))
  }

  /// What is the sender's to mend is told as it is, and a turn that gave way to the next message says nothing.
  private func telling(_ failure: Failure, in channel: String) -> ChannelAnswer {
    if failure.code == .cancelled { return ChannelAnswer(texts: []) }
    let problem = Problem(failure, isDraining: false)
    return saying(problem.status.kind == .clientError ? problem.detail : texts.failed, in: channel)
  }
}
