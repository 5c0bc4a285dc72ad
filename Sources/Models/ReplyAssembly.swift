// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// A reply as it is put together, from one whole message or piece by piece.
///
/// Servers differ in what they leave out, so whatever a protocol lets one guess is guessed.
final class ReplyAssembly: AttemptResult {
  struct Call {
    var id = ""
    var name = ""
    /// JSON text, as far as it has come.
    var arguments = ""
  }

  /// Why the provider came to an end.
  enum Ending {
    case stop, length, contentFilter, refusal
  }

  var text = ""
  var refusal = ""
  var ending: Ending?
  /// The stream broke: what came before it is all there is.
  var isInterrupted = false
  /// The stream said that it is at its end.
  var isDone = false
  private var calls: [Call] = []
  /// Place of the call that a stream last named by an index.
  private var positions: [Int: Int] = [:]
  /// Place of the call that the last piece belonged to.
  private var lastPosition: Int?
  private var usage: (input: Int?, output: Int?)
  /// What has to go back as it came, with the results of the calls in it.
  var items: [JSON] = []
  /// A call of this name is no call, but the structured answer that was asked for.
  let answerTool: String?

  init(answerTool: String? = nil) { self.answerTool = answerTool }

  /// Counts tokens as the provider names them; what it does not name stays as it is.
  func count(inputTokens: Double?, outputTokens: Double?) {
    func whole(_ count: Double) -> Int { Int(min(max(0, count.rounded()), Usage.tokensMax)) }
    if let inputTokens { usage.input = whole(inputTokens) }
    if let outputTokens { usage.output = whole(outputTokens) }
  }

  var countedTokens: Int? {
    usage.input == nil && usage.output == nil ? nil : (usage.input ?? 0) + (usage.output ?? 0)
  }

  /// Whether a call names no tool, so that there is no reply to make of it.
  var hasNamelessCall: Bool { calls.contains { $0.name.isEmpty } }

  /// Whether the provider came to an end, and did not just stop in the middle.
  var isComplete: Bool { !isInterrupted && (isDone || ending != nil) }

  /// Whether nothing has come that could be an answer.
  var isEmpty: Bool { text.isEmpty && refusal.isEmpty && calls.isEmpty }

  /// Whether the answer has begun; what the model thinks before it is none.
  var hasBegun: Bool { !isEmpty || isDone || ending != nil }
}

// MARK: Calls

extension ReplyAssembly {
  /// Place of the call that a piece belongs to, a new one if need be.
  ///
  /// Some servers leave out the index, some give the same one to all calls, and some leave out the identifiers.
  func position(of index: Int?, id: String, name: String = "", arguments: String = "") -> Int {
    let known = index.map { positions[$0] } ?? lastPosition
    var position = known ?? calls.count
    defer { lastPosition = position }
    if let known, isContinued(calls[known], id: id, name: name, arguments: arguments) { return known }
    position = calls.count
    // Pieces of several calls may take turns under one index, or under none.
    if !id.isEmpty, known != nil, let earlier = calls.firstIndex(where: { $0.id == id }) {
      position = earlier
    }
    if let index { positions[index] = position }
    return position
  }

  private func isContinued(_ call: Call, id: String, name: String, arguments: String) -> Bool {
    if !id.isEmpty, !call.id.isEmpty { return call.id == id }
    // Named anew, without an identifier, after its arguments were whole: the next call, not more of this one.
    if id.isEmpty, !name.isEmpty, !call.name.isEmpty, !arguments.isEmpty {
      return (try? JSON(parsing: call.arguments)) == nil
    }
    return true
  }

  /// Adds to the call at `index`, which is made if need be.
  ///
  /// - Parameter whole: Arguments that count for more than the pieces before them.
  func extendCall(at index: Int, id: String?, name: String?, arguments: String = "", whole: String? = nil) {
    while calls.count <= index { calls.append(Call()) }
    if let id, !id.isEmpty { calls[index].id = id }
    if let name, !name.isEmpty { calls[index].name = name }
    calls[index].arguments += arguments
    if let whole { calls[index].arguments = whole }
  }

  var callCount: Int { calls.count }

  /// Whether the call at `index` is the structured answer.
  func isAnswer(at index: Int) -> Bool {
    answerTool != nil && calls.indices.contains(index) && calls[index].name == answerTool
  }
}

// MARK: The reply

extension ReplyAssembly {
  /// Closes the reply.
  ///
  /// - Parameter requestBytes: Size of what was asked, to estimate tokens from where the provider names none.
  /// - Throws: ``ModelError`` `badReply` when a call names no tool.
  func reply(
    of target: ModelClient.Target, price: TokenPrice?, requestBytes: Int
  ) throws(ModelError) -> ModelReply {
    let requested = calls.filter { answerTool == nil || $0.name != answerTool }
    var text = text
    // Beside other calls the answer came too early: it is asked for again when they have their results.
    if requested.isEmpty, let answer = calls.first { text = answer.arguments }
    let reason = finish(hasCalls: !requested.isEmpty)
    let identified = reason == .toolCalls ? try identified(requested) : []
    return ModelReply(
      model: target.name, text: reason == .refusal && text.isEmpty ? refusal : text, calls: identified,
      finishReason: reason, usage: spent(price: price, requestBytes: requestBytes),
      verbatim: verbatim(of: identified).map { VerbatimAnswer(origin: target.origin, items: $0) })
  }

  /// The items, where the results of these calls can refer to them.
  private func verbatim(of requests: [ToolCallRequest]) -> [RawJSON]? {
    guard !items.isEmpty, !requests.isEmpty, requests.map(\.id) == calls.map(\.id) else { return nil }
    return items.map(RawJSON.init)
  }

  private func finish(hasCalls: Bool) -> ModelReply.FinishReason {
    switch ending {
    case _ where isInterrupted: .interrupted
    // The arguments of a call are cut off too: it may not be made.
    case .length: .length
    case .contentFilter: .contentFilter
    case .refusal: .refusal
    case _ where !refusal.isEmpty: .refusal
    // Some servers say `stop` and call nevertheless.
    case _ where hasCalls: .toolCalls
    default: .stop
    }
  }

  /// The calls, each with an identifier of its own: answers are matched by it.
  private func identified(_ calls: [Call]) throws(ModelError) -> [ToolCallRequest] {
    var seen: Set<String> = []
    var requests: [ToolCallRequest] = []
    for call in calls {
      guard !call.name.isEmpty else {
        throw ModelError(.badReply, "the provider's reply calls no named tool")
      }
      var id = call.id
      if id.isEmpty || !seen.insert(id).inserted {
        id = "call_" + Identifier.randomUUID()
        seen.insert(id)
      }
      requests.append(
        ToolCallRequest(id: id, name: call.name, arguments: call.arguments.isEmpty ? "{}" : call.arguments))
    }
    return requests
  }

  /// What has come so far.
  var part: AnswerPart {
    AnswerPart(
      inputTokens: usage.input, outputTokens: usage.output ?? Usage.estimatedTokens(bytes: answerBytes))
  }

  /// What the provider counted; what it left out is estimated, so that a budget counts something.
  func spent(price: TokenPrice?, requestBytes: Int) -> Usage {
    let output = usage.output ?? Usage.estimatedTokens(bytes: answerBytes)
    let input = usage.input ?? Usage.estimatedTokens(bytes: requestBytes)
    return Usage(
      inputTokens: input, outputTokens: output,
      costUSD: price?.cost(inputTokens: input, outputTokens: output),
      isEstimated: usage.input == nil || usage.output == nil)
  }

  private var answerBytes: Int {
    text.utf8.count + refusal.utf8.count
      + calls.reduce(0) { $0 + $1.name.utf8.count + $1.arguments.utf8.count }
  }
}
