// SPDX-License-Identifier: Apache-2.0
import JSONCodec

/// One turn of an agent as a state machine: told what happened, it says what to do next.
///
/// It has no clock, no thread and no socket; ``Run`` does what it says.
struct Turn: Sendable {
  enum Action: Sendable {
    /// Call the script's `before`.
    case before(message: String)
    /// Ask the script for its prompt and its tools.
    case prepare
    case callModel([ModelMessage])
    case callTools([PlannedCall])
    /// Call the script's `run`, or do what its steps or states say.
    case runBody
    /// Call the script's `stub`.
    case runStub
    /// Call the script's `after`.
    indirect case after(ScriptReply)
    case finish(Ending)
  }

  /// A call of the model: to be made, or already answered because it cannot be.
  struct PlannedCall: Sendable {
    enum Plan: Sendable {
      case execute(JSON)
      case refuse(Failure)
      /// The caller's to make.
      case handOut
    }

    let request: ToolCallRequest
    let plan: Plan
  }

  final class Ending: Sendable {
    let reply: ScriptReply
    let finishReason: FinishReason
    let usingStub: Bool
    let handedOut: [ToolCallRequest]

    init(
      reply: ScriptReply, finishReason: FinishReason, usingStub: Bool, handedOut: [ToolCallRequest] = []
    ) {
      self.reply = reply
      self.finishReason = finishReason
      self.usingStub = usingStub
      self.handedOut = handedOut
    }
  }

  /// The same call in one run: executed so often, then answered with a nudge, then the run ends.
  static let repeatsMax = 2

  let agent: Agent
  let limits: RunLimits
  private(set) var message: String
  /// The guards and `before` have let the message in.
  private(set) var isChecked = false
  private(set) var steps: [TurnStep] = []
  private(set) var usage = Usage()
  private var history: [Message]
  /// Of what was said before ``history``.
  private var summary: String?
  private(set) var newSummary: ConversationSummary?
  /// In place of ``history``.
  private let callers: CallerConversation?
  /// What stands before and after the message in there, as the guards left it.
  private var sent: (before: [ModelMessage], after: [ModelMessage])?
  /// Calls of the caller's tools in the last answer.
  private var handedOut: [ToolCallRequest] = []
  private var conversation: [ModelMessage] = []
  /// By their identifiers, which are the handles.
  private var longCalls: [String: ToolCall] = [:]
  /// What the provider counted: of the first request, and of the last one with its answer.
  private var counted: (first: Int, last: Int)?
  private var toolbox = Toolbox()
  private(set) var modelCalls = 0
  private var pendingText = ""
  private var pendingVerbatim: VerbatimAnswer?
  private var callCounts: [RepeatKey: Int] = [:]
  private var finishReason = FinishReason.stop
  private var usingStub = false
  /// An agent that was called had its stub answer.
  private var hasHeardStub = false
  /// A call with an effect was made: doing the turn again could do it twice.
  private var hasWritten = false
  /// What was wrong with the model's structured answer, once it was told.
  private var unrepaired: Failure?

  private struct RepeatKey: Hashable {
    let name: String
    let arguments: RawJSON
  }

  init(
    agent: Agent, limits: RunLimits, message: String, history: [Message], callers: CallerConversation? = nil,
    summary: String? = nil
  ) {
    self.agent = agent
    self.limits = limits
    self.message = message
    self.callers = callers
    sent = callers.map { ($0.before, $0.after) }
    self.summary = summary
    self.history = history
  }

  /// Takes what the guards left of the message.
  mutating func guarded(_ message: String) { self.message = message }

  /// Takes what they left of the conversation around it.
  mutating func guarded(before: [ModelMessage], after: [ModelMessage]) { sent = (before, after) }

  mutating func start() -> Action {
    if agent.hooks.contains(.before) { return .before(message: message) }
    isChecked = true
    return body
  }

  /// The message stands, as `before` left it.
  mutating func accepted(_ message: String) -> Action {
    self.message = message
    isChecked = true
    return body
  }

  private var body: Action {
    switch agent.body {
    case .prompt: .prepare
    case .run, .steps, .states: .runBody
    }
  }

  /// No model can answer: the stub does, or one plain sentence.
  mutating func modelIsMissing() throws(Failure) -> Action {
    usingStub = true
    if agent.hooks.contains(.stub) { return .runStub }
    return try answered(
      ScriptReply(
        text:
          "No model is configured, so \(agent.name) cannot answer. Set OPENAI_API_KEY, or give the agent a stub."
      ))
  }

  mutating func prepared(prompt: String, toolbox: Toolbox) throws(Failure) -> Action {
    self.toolbox = toolbox
    var past = Conversation.window(history, tokensMax: agent.historyTokens)
    // More were loaded to make a summary of, and none was made.
    while past.count > agent.historyMessages, let first = past.first {
      past = past.drop { $0.runID == first.runID }
    }
    conversation.reserveCapacity(past.count + 2)
    if !prompt.isEmpty { conversation.append(.system(prompt)) }
    if let summary { conversation.append(.system("What was said before, in short:\n\(summary)")) }
    conversation += sent?.before ?? Conversation.modelMessages(past)
    keepLong(callers?.calls ?? [])
    for index in past.indices { for step in past[index].steps { keepLong(step.calls) } }
    history = []
    conversation.append(.user(message))
    if let sent { conversation += sent.after }
    return try nextModelCall()
  }

  /// What to fold, and the summary so far; `nil` while the history fits.
  var compaction: (Compaction, summary: String?)? {
    Compaction(history, messagesMax: agent.historyMessages, tokensMax: agent.historyTokens).map {
      ($0, summary)
    }
  }

  mutating func compacted(_ compaction: Compaction, into text: String) {
    history = Array(compaction.kept)
    summary = text
    newSummary = ConversationSummary(text: text, keptFromRunID: compaction.kept.first?.runID)
  }

  /// Keeps the results that the model sees only the beginning of, so that it may read on.
  private mutating func keepLong(_ calls: [ToolCall]) {
    for call in calls where call.isLong {
      longCalls[call.id] = call
      toolbox.offerRest()
    }
  }

  /// More of a result that was cut.
  ///
  /// - Throws: ``Failure`` `not_found` for a handle that no result has.
  func rest(_ arguments: JSON) throws(Failure) -> RawJSON {
    let handle = arguments["handle"]?.string ?? ""
    guard let call = longCalls[handle] else {
      throw Failure(.notFound, "no result that was cut has the handle '\(handle)'")
    }
    return LongResult.part(of: call.content, from: Int(clamping: arguments["offset"]?.integer ?? 0))
  }

  var toolDescriptions: [ToolDescription] { toolbox.descriptions }

  func target(of request: ToolCallRequest) -> Toolbox.Target? { toolbox[request.name] }

  private mutating func nextModelCall() throws(Failure) -> Action {
    if modelCalls >= limits.steps { return try stopAtLimit() }
    modelCalls += 1
    return .callModel(conversation)
  }

  /// A budget has nothing left for the call that was to come.
  ///
  /// - Throws: ``Failure`` of the session's or the day's budget for a turn that has done nothing yet; what is wrong
  ///   with the answer that there would be no repair of.
  mutating func exhausted(_ budget: Budget.Exhausted, at now: Timestamp) throws(Failure) -> Action {
    if let unrepaired { throw unrepaired }
    let failure = budget.failure(at: now)
    if case .run = budget.level {
      return budget.isPriceUnknown ? try stop(.limit, failure.message) : try stopAtLimit()
    }
    if modelCalls == 1, steps.isEmpty { throw failure }
    return try stop(.limit, failure.message)
  }

  private mutating func stopAtLimit() throws(Failure) -> Action {
    try stop(.limit, "I stopped at this agent's limit before I was done.")
  }

  /// Ends a turn that did not come to an answer, without claiming that it did.
  private mutating func stop(_ reason: FinishReason, _ sentence: String) throws(Failure) -> Action {
    finishReason = reason
    return try answered(ScriptReply(text: pendingText.isEmpty ? sentence : "\(pendingText)\n\n\(sentence)"))
  }

  private mutating func count(_ used: Usage) {
    guard !used.isEstimated, used.inputTokens > 0 else { return }
    counted = (counted?.first ?? used.inputTokens, used.tokens)
  }

  /// Tokens that the answer and its tool calls add to the conversation, as the provider counted them; `nil` where it
  /// did not.
  var answerTokens: Int? { counted.map { max(0, $0.last - $0.first) } }

  mutating func heardStub() { hasHeardStub = true }

  /// Counts what a model call took, the script's own calls included.
  mutating func spent(_ used: Usage) { usage += used }

  /// - Throws: ``Failure`` `upstream` when the answer does not fit the agent's `output`, a second time or without
  ///   budget for a second one.
  mutating func replied(_ reply: ModelReply) throws(Failure) -> Action {
    usage += reply.usage
    count(reply.usage)
    switch reply.finishReason {
    case .stop, .toolCalls: finishReason = .stop
    case .length: finishReason = .length
    case .contentFilter: finishReason = .contentFilter
    case .refusal: finishReason = .refusal
    case .interrupted: finishReason = .interrupted
    }
    guard reply.calls.isEmpty else {
      pendingText = reply.text
      pendingVerbatim = reply.verbatim
      return try plan(reply.calls)
    }
    // A refusal, or half an answer, is no bad JSON: it goes out as what it is.
    guard let output, finishReason == .stop else {
      return try answered(ScriptReply(text: reply.text))
    }
    let answer: StructuredAnswer
    do {
      answer = try StructuredAnswer(reply.text, fitting: output)
    } catch {
      return try repair(error)
    }
    return try answered(ScriptReply(text: answer.text, data: answer.data))
  }

  /// Tells the model what is wrong with its answer: a call of the model like any other.
  private mutating func repair(_ misfit: StructuredAnswer.Misfit) throws(Failure) -> Action {
    let failure = misfit.failure("the agent's output")
    guard unrepaired == nil, modelCalls < limits.steps else { throw failure }
    unrepaired = failure
    conversation += misfit.repair
    return try nextModelCall()
  }

  /// What the model's answer has to be.
  var output: Schema? { agent.output ?? callers?.output }

  private mutating func plan(_ requests: [ToolCallRequest]) throws(Failure) -> Action {
    var planned: [PlannedCall] = []
    for request in requests {
      let plan = toolbox.plan(request)
      if case .handOut = plan {
        handedOut.append(request)
        continue
      }
      guard case .execute(let arguments) = plan else {
        planned.append(PlannedCall(request: request, plan: plan))
        continue
      }
      hasWritten = hasWritten || toolbox.hasEffect(request.name)
      let key = RepeatKey(name: request.name, arguments: arguments.canonical)
      let count = callCounts[key, default: 0] + 1
      callCounts[key] = count
      if count > Turn.repeatsMax + 1 {
        return try stop(
          .repeatedCall, "I stopped because I kept calling \(request.name) with the same arguments.")
      }
      planned.append(
        PlannedCall(request: request, plan: count > Turn.repeatsMax ? .refuse(.repeated(request.name)) : plan)
      )
    }
    // The agent's own calls are made first: their results wait for the caller's next request.
    return planned.isEmpty ? try handOut() : .callTools(planned)
  }

  /// Ends the turn with the calls that are the caller's to make; it is no answer, so `after` does not see it.
  private mutating func handOut() throws(Failure) -> Action {
    finishReason = .toolCalls
    return try finished(ScriptReply(text: showsTextAtOnce ? pendingText : ""))
  }

  /// Whether the model's words may be shown before the turn has ended: neither `after`, a function that guards the
  /// answer nor `output` has to agree.
  var showsTextAtOnce: Bool { agent.hooks.isDisjoint(with: [.after, .outputGuards]) && output == nil }

  /// Takes the results, in the order of the plan.
  mutating func ran(_ calls: [ToolCall]) throws(Failure) -> Action {
    let step = TurnStep(text: pendingText, calls: calls)
    steps.append(step)
    keepLong(calls)
    Conversation.append(step, verbatim: pendingVerbatim, to: &conversation)
    return try handedOut.isEmpty ? nextModelCall() : handOut()
  }

  /// Records a call that the script itself made.
  mutating func recorded(_ call: ToolCall, hasEffect: Bool) {
    steps.append(TurnStep(text: "", calls: [call]))
    hasWritten = hasWritten || hasEffect
  }

  /// The provider gave no answer: the stub does, unless something was done already that it might do again.
  ///
  /// - Parameters:
  ///   - failure: What it is without a stub.
  ///   - hasActed: Something was done that the run's tools are not alone with.
  /// - Throws: The failure, when there is no stub to fall back to.
  mutating func modelFailed(
    _ kind: ModelError.Kind, _ failure: Failure, hasActed: Bool
  ) throws(Failure) -> Action {
    guard agent.hooks.contains(.stub), !hasWritten, !hasActed, kind != .cassette else { throw failure }
    usingStub = true
    return .runStub
  }

  /// `run`, `stub` or the model came to an answer.
  ///
  /// - Throws: ``Failure`` `internal` when the script's data do not fit the agent's `output`.
  mutating func answered(_ reply: ScriptReply) throws(Failure) -> Action {
    var reply = reply
    reply.calls = steps.flatMap(\.calls)
    return agent.hooks.contains(.after) ? .after(reply) : try finished(reply)
  }

  /// The answer stands, as `after` left it.
  ///
  /// - Throws: ``Failure`` `internal` when its data do not fit the agent's `output`.
  func finished(_ reply: ScriptReply) throws(Failure) -> Action {
    var reply = reply
    reply.data = try checked(reply.data)
    reply.calls = steps.flatMap(\.calls)
    return .finish(
      Ending(
        reply: reply, finishReason: finishReason, usingStub: usingStub || hasHeardStub,
        handedOut: finishReason == .toolCalls ? handedOut : []))
  }
}

extension Turn {
  /// Data that a script made are checked as a model's are; a stub, or a turn that was cut short, may have none.
  private func checked(_ data: RawJSON?) throws(Failure) -> RawJSON? {
    guard let output = agent.output else { return data }
    guard let data else {
      if usingStub || finishReason != .stop { return nil }
      throw Failure(.internal, "the agent '\(agent.name)' returned no data, which its output asks for")
    }
    do {
      return RawJSON(try output.validate(try data.value()))
    } catch {
      throw Failure(
        .internal, "the data of agent '\(agent.name)' do not fit its output", diagnostic: "\(error)")
    }
  }
}

extension Failure {
  fileprivate static func repeated(_ name: String) -> Failure {
    Failure(
      .conflict,
      "\(name) was already called \(Turn.repeatsMax) times with these arguments; use the results you have, "
        + "or answer the user")
  }

  /// What a provider's failure is to the caller: always `upstream`, with its kind in `detail`.
  init(_ error: ModelError) {
    let isRetryable =
      switch error.kind {
      case .connection, .timeout, .rateLimited, .server, .badReply, .unavailable: true
      case .quotaExceeded, .unauthorized, .notFound, .badRequest, .notConfigured, .cassette: false
      }
    self.init(
      .upstream, error.message, retryable: isRetryable, detail: ["kind": .string("\(error.kind)")],
      retryAfterSeconds: error.retryAfterSeconds, diagnostic: error.diagnostic)
  }

  /// Of which kind the model's failure was of which this is all that is left; `nil` = it was none.
  var modelErrorKind: ModelError.Kind? {
    code == .upstream ? (detail?["kind"]?.string).flatMap(ModelError.Kind.init(rawValue:)) : nil
  }
}
