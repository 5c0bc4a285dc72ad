// SPDX-License-Identifier: Apache-2.0
public import JSONCodec
import Synchronization

/// Where in a run a rule found something.
public enum GuardStage: String, Sendable {
  case input, output, tool
}

/// What an agent's own guards made of a value.
public struct GuardVerdict: Sendable {
  /// What it became; `nil` = it stays.
  public var value: RawJSON?
  /// Names of the guards that changed it, or of the one that refused it.
  public var rules: [String]
  /// Why it is refused, empty where the guard does not say; `nil` = it is not.
  public var refusal: String?

  public init(value: RawJSON? = nil, rules: [String] = [], refusal: String? = nil) {
    self.value = value
    self.rules = rules
    self.refusal = refusal
  }

  /// - Parameter what: `the message is not taken`.
  fileprivate func failure(_ what: String) -> Failure? {
    refusal.map { .guarded($0.isEmpty ? "\(what): \(rules.joined(separator: ", "))" : $0, rules) }
  }
}

extension Run {
  /// Puts on record that rules found something, for the run's trace and the audit trail; nothing of what it was.
  ///
  /// Runs in which nothing is found write nothing.
  ///
  /// - Parameters:
  ///   - agent: Whose rules they are.
  ///   - key: Of the decision in the journal.
  ///   - tool: That brought it.
  ///   - reading: What a model reads in its place.
  @inline(never) func decided(
    _ stage: GuardStage, isRefused: Bool, _ rules: [String], by agent: Agent, key: String,
    tool: String? = nil,
    reading: GuardedReading? = nil
  ) {
    if rules.isEmpty { return }
    let call = JournalCall(key: key, name: JournalCall.guardrail)
    // In an earlier life of the run it was put on record then.
    if case .ended = try? journal.recall(call) { return }
    let names = JSON.array(rules.map { .string($0) })
    let now = environment.time.now
    var decision = JSONObject([
      ("stage", .string(stage.rawValue)), ("action", .string(isRefused ? "refused" : "masked")),
      ("rules", names),
    ])
    var detail = JSONObject([("rules", names)])
    if let tool {
      decision["tool"] = .string(tool)
      detail["tool"] = .string(tool)
    }
    // A run without a session never goes on.
    if let reading, callers == nil { decision[GuardedReading.member] = reading.json }
    journal.keep(call, .result(RawJSON(.object(decision))), startedAt: now, milliseconds: 0)
    journal.record(
      AuditEntry(
        isRefused ? .guardrailRefused : .guardrailMasked, at: now, by: context.user.actor,
        runID: journal.runID, agent: agent.name, version: environment.host.version,
        detail: RawJSON(.object(detail))))
  }

  /// Lets the agent's own guards see the message, and all guards what its caller sent with it, before anything is done.
  ///
  /// - Throws: ``Failure`` `rejected`, or what a guard raises.
  @inline(never) func guardInput() async throws {
    if agent.hooks.contains(.inputGuards) { try await guardMessage(key: "\(prefix)guard.input") }
    guard let callers, guards != nil || !agent.hooks.isDisjoint(with: [.inputGuards, .toolGuards]) else {
      return
    }
    let offers = agent.hooks.contains(.inputGuards) ? callers.offers : []
    for (index, offer) in offers.enumerated() {
      // A schema with other words is another schema.
      guard try await admitted(offer, key: "\(prefix)guard.offer.\(index)") == offer else {
        throw Failure.guarded("the conversation is not taken: a guard would change its tools", [])
      }
    }
    let before = try await guarded(callers.before, from: 0)
    let after = try await guarded(callers.after, from: callers.before.count)
    turn.withLock { $0.guarded(before: before, after: after) }
  }

  /// Whether the message is kept as the guards left it: only a run that goes on has the one that came.
  private func isKeptAsGuarded(_ key: String) -> Bool {
    let call = JournalCall(key: key, name: JournalCall.guardrail)
    guard depth == 0, journal.isReplay, case .ended(.result(let decision))? = try? journal.recall(call),
      (try? decision.value())?["action"] == "masked"
    else { return false }
    journal.skip(under: "\(key):")
    return true
  }

  private func guardMessage(key: String) async throws {
    if isKeptAsGuarded(key) { return }
    let message = turn.withLock { $0.message }
    let left = try accepted(try await admitted(message, key: key))
    turn.withLock { $0.guarded(left) }
  }

  /// - Throws: ``Failure`` `internal` for a message that a script left empty.
  func accepted(_ message: String) throws(Failure) -> String {
    if message.isBlank { throw Failure(.internal, "the agent '\(agent.name)' made an empty message of it") }
    return message
  }

  /// What the agent's own guards leave of what somebody says.
  private func admitted(_ text: String, key: String) async throws -> String {
    guard agent.hooks.contains(.inputGuards) else { return text }
    let verdict = try await openScript().guarded(RawJSON(.string(text)), at: .input, key: key)
    decided(.input, isRefused: verdict.refusal != nil, verdict.rules, by: agent, key: key)
    if let failure = verdict.failure("the message is not taken") { throw failure }
    return try verdict.value?.value().string ?? text
  }

  /// What a model reads of a conversation that its caller keeps: people's words and tools' results as ever; in the
  /// model's own, which nobody vouches for, is masked what would be refused in a message.
  private func guarded(_ messages: [ModelMessage], from start: Int) async throws -> [ModelMessage] {
    var guarded = messages
    for (index, message) in messages.enumerated() {
      let key = "\(prefix)guard.sent.\(start + index)"
      switch message.content {
      case .system(let text): guarded[index] = .system(try await admitted(text, key: key))
      case .user(let text, let images):
        guarded[index] = .user(try await admitted(text, key: key), images: images)
      case .assistant(let text, let calls, _):
        guarded[index] = try await recalled(text, calls, key: key) ?? message
      case .tool(let id, let name, let content):
        let json = (try? JSON(parsing: content)).flatMap { $0.object == nil && $0.array == nil ? nil : $0 }
        let brought = ToolCall.Outcome.result(RawJSON(json ?? .string(content)))
        guard let read = try await self.guarded(brought, of: name, key: key, in: await openScript()) else {
          continue
        }
        guarded[index] = .tool(callID: id, name: name, content: read.content)
      }
    }
    return guarded
  }

  /// An answer that a caller says was given; `nil` = as it is.
  private func recalled(_ text: String?, _ calls: [ToolCallRequest], key: String) async throws
    -> ModelMessage?
  {
    let arguments = calls.map { (try? JSON(parsing: $0.arguments)) ?? .string($0.arguments) }
    var said: JSON = ["text": text.map { .string($0) } ?? .null, "arguments": .array(arguments)]
    var rules: [String] = []
    if let guards { (said, rules) = guards.recalled(said) }
    if agent.hooks.contains(.inputGuards) {
      let verdict = try await openScript().guarded(RawJSON(said), at: .input, key: key)
      rules += verdict.rules
      if verdict.refusal != nil {
        said = [
          "text": .string("[\(verdict.rules.joined(separator: ", "))]"),
          "arguments": .array(calls.map { _ in [:] }),
        ]
      } else if let value = try verdict.value?.value() {
        said = value
      }
    }
    decided(.input, isRefused: false, rules, by: agent, key: key)
    guard !rules.isEmpty else { return nil }
    return .assistant(
      said["text"]?.string,
      calls: zip(calls, said["arguments"]?.array ?? []).map { call, arguments in
        ToolCallRequest(id: call.id, name: call.name, arguments: arguments.string ?? RawJSON(arguments).text)
      })
  }

  /// What models and watchers get to see of what a tool brought; `nil` = all as it is.
  ///
  /// - Parameters:
  ///   - name: The tool's.
  ///   - key: Of the decision in the journal.
  /// - Throws: What a guard raises: then nobody gets to see anything.
  func guarded(
    _ brought: ToolCall.Outcome, of name: String, key: @autoclosure () -> String,
    in script: @autoclosure () async throws -> any ScriptRun
  ) async throws -> ToolCall.Outcome? {
    guard guards != nil || agent.hooks.contains(.toolGuards) || journal.isReplaying else { return nil }
    let reading = reading(brought, of: name, key: key())
    var (read, rules, isRefused) = (reading.outcome, reading.rules, reading.isRefused)
    if !isRefused, agent.hooks.contains(.toolGuards) {
      let verdict = try await script().guarded(read.guardedValue, at: .tool, key: key())
      if let failure = verdict.failure("what \(name) brought is withheld") {
        (read, rules, isRefused) = (.failed(failure), verdict.rules, true)
      } else if let value = verdict.value {
        read = try read.replaced(by: value)
        rules += verdict.rules
      }
    }
    if rules.isEmpty { return nil }
    decided(
      .tool, isRefused: isRefused, rules, by: agent, key: key(), tool: name,
      reading: reading.rules.isEmpty ? nil : reading)
    return read
  }

  /// What the rules leave of what a tool brought. What a model has read it reads again, whatever they are by now.
  private func reading(_ brought: ToolCall.Outcome, of name: String, key: String) -> GuardedReading {
    recordedReading(key, of: brought) ?? guards?.reading(brought, of: name) ?? GuardedReading(brought)
  }

  /// What the rules leave of what a model says; it reads that again if it asks for tools.
  ///
  /// - Parameter key: Of its call in the journal.
  func guarded(_ reply: ModelReply, key: String) -> String {
    let isRead = !reply.calls.isEmpty
    if isRead, journal.isReplaying,
      let reading = recordedReading("\(key).guard", of: .result(RawJSON(.string(reply.text))))
    {
      decided(.output, isRefused: false, reading.rules, by: agent, key: "\(key).guard")
      return reading.text ?? reply.text
    }
    guard let (text, rules) = guards?.masked(reply.text), !rules.isEmpty else { return reply.text }
    masked.withLock { $0 = MaskedWords(text: text, rules: isRead ? [] : Set(rules)) }
    if isRead {
      let reading = GuardedReading(.result(RawJSON(.string(text))), rules: rules)
      decided(.output, isRefused: false, rules, by: agent, key: "\(key).guard", reading: reading)
    }
    return text
  }

  /// What an earlier life of the run left of a value; `nil` = no model has read it.
  private func recordedReading(_ key: String, of value: ToolCall.Outcome) -> GuardedReading? {
    guard journal.isReplaying else { return nil }
    if let recorded = journal.recorded(key), let decision = try? recorded.value() {
      let rules = (decision["rules"]?.array ?? []).compactMap(\.string)
      if let reading = decision[GuardedReading.member] { return GuardedReading(json: reading, rules: rules) }
      // Functions alone decided, which do so again.
      return GuardedReading(value)
    }
    // The model went on, so nothing was found.
    let next = turn.withLock { $0.modelCalls } + 1
    return journal.isRecorded("\(prefix)model.\(next)") ? GuardedReading(value) : nil
  }

  /// Steps as people get to see them.
  func shown(_ steps: [TurnStep]) -> [TurnStep] {
    // Functions judge answers, and what a model says beside a call is none.
    let hidesText = agent.hooks.contains(.outputGuards)
    guard hidesText || guards?.masksOutput == true else { return steps }
    let isMasked = turn.withLock { $0.output == nil }
    return steps.map { step in
      let text = hidesText ? "" : isMasked ? step.text : guards?.masked(step.text).text ?? step.text
      return TurnStep(text: text, calls: guards.map { step.calls.map($0.shown) } ?? step.calls)
    }
  }

  /// A failure whose text of an answer, one that fits no schema, hides what the answer would have hidden.
  func guarded(_ failure: Failure) -> Failure {
    guard let text = failure.misfittingText, guards != nil || agent.hooks.contains(.outputGuards) else {
      return failure
    }
    // Functions judge answers, and this is none.
    let shown = agent.hooks.contains(.outputGuards) ? "" : guards?.masked(text).text ?? text
    return failure.withMisfittingText(shown)
  }

  /// The end with an answer that the guards have seen.
  @inline(never) func guarded(_ ending: Turn.Ending) async throws -> Turn.Ending {
    guard guards != nil || agent.hooks.contains(.outputGuards) else { return ending }
    let words = masked.withLock { $0 }
    var (reply, rules) = (ending.reply, words.rules)
    let key = "\(prefix)guard.output"
    do {
      if let guards {
        try guards.measure(reply)
        let (masked, found) = guards.masked(reply, except: words.text)
        reply = masked
        rules.formUnion(found)
      }
      // Calls that the caller is to make are no answer.
      if agent.hooks.contains(.outputGuards), ending.finishReason != .toolCalls {
        let verdict = try await openScript().guarded(reply.guardedValue, at: .output, key: key)
        if let failure = verdict.failure("the answer is withheld") { throw failure }
        if let value = verdict.value { reply = try reply.replaced(by: value) }
        rules.formUnion(verdict.rules)
      }
    } catch let failure as Failure where !failure.guardRules.isEmpty {
      decided(.output, isRefused: true, failure.guardRules, by: agent, key: key)
      throw failure
    }
    decided(.output, isRefused: false, rules.sorted(), by: agent, key: key)
    return Turn.Ending(
      reply: reply, finishReason: ending.finishReason, usingStub: ending.usingStub,
      handedOut: ending.handedOut)
  }
}

/// A model's last words as the rules left them.
struct MaskedWords: Sendable {
  /// `nil` = as they were.
  var text: String?
  var rules: Set<String> = []
}

/// What a model reads in place of something.
struct GuardedReading: Sendable {
  var outcome: ToolCall.Outcome
  /// Names of those that changed it; empty = it is as it was.
  var rules: [String] = []
  var isRefused = false

  init(_ outcome: ToolCall.Outcome, rules: [String] = [], isRefused: Bool = false) {
    self.outcome = outcome
    self.rules = rules
    self.isRefused = isRefused
  }

  /// Of a decision in the journal.
  static let member = "reading"

  /// A decision without it.
  static func removed(from decision: RawJSON) -> RawJSON {
    guard var members = try? decision.value().object, members[member] != nil else { return decision }
    members[member] = nil
    return RawJSON(.object(members))
  }

  /// As it stands in the journal, beside its rules: `{"result": …}`, `{"error": …}` or `{"refusal": …}`.
  var json: JSON {
    switch outcome {
    case .result(let json): ["result": (try? json.value()) ?? .null]
    case .failed(let failure):
      [isRefused ? "refusal" : "error": (try? failure.json.value()) ?? .null]
    }
  }

  /// Reads ``json``.
  init(json: JSON, rules: [String]) {
    self.rules = rules
    isRefused = json["refusal"] != nil
    outcome =
      (json["refusal"] ?? json["error"]).map { .failed(Failure(json: $0)) }
      ?? .result(RawJSON(json["result"] ?? .null))
  }

  fileprivate var text: String? {
    if case .result(let json) = outcome { try? json.value().string } else { nil }
  }
}

// MARK: What guards that are functions get to see

extension ScriptReply {
  /// An answer that is its data stays so: changed as a text it might be no JSON any more.
  var isData: Bool { data.map { $0.text == text } ?? false }

  fileprivate var guardedValue: RawJSON {
    var writer = JSONWriter(reservingCapacity: text.utf8.count + 32)
    writer.object {
      if !isData { $0.member("text", text) }
      if let data { $0.member("data", data) }
    }
    return writer.raw
  }

  fileprivate func replaced(by value: RawJSON) throws -> ScriptReply {
    let value = try value.value()
    let data = value["data"].map { RawJSON($0) }
    return ScriptReply(text: value["text"]?.string ?? data?.text ?? "", data: data, calls: calls)
  }
}

extension ToolCall.Outcome {
  fileprivate var guardedValue: RawJSON {
    switch self {
    case .result(let json): json
    case .failed(let failure):
      RawJSON(["message": .string(failure.message), "detail": failure.detail ?? .null])
    }
  }

  fileprivate func replaced(by value: RawJSON) throws -> ToolCall.Outcome {
    guard case .failed(let failure) = self else { return .result(value) }
    let value = try value.value()
    return .failed(
      failure.saying(value["message"]?.string ?? "", value["detail"].flatMap { $0.isNull ? nil : $0 }))
  }

  /// What a model reads of it; a text without quotes.
  fileprivate var content: String {
    switch self {
    case .result(let json): (try? json.value().string) ?? json.text
    case .failed(let failure): failure.modelText
    }
  }
}

extension Failure {
  /// The same in other words.
  func saying(_ message: String, _ detail: JSON?) -> Failure {
    Failure(
      code, message, retryable: retryable, detail: detail, retryAfterSeconds: retryAfterSeconds,
      diagnostic: diagnostic)
  }
}

extension Failure {
  /// The rules for which it was refused.
  var guardRules: [String] { (detail?["rules"]?.array ?? []).compactMap(\.string) }
}
