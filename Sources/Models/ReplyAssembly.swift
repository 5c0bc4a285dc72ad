// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Transport

/// A reply as it is put together, from one whole message or piece by piece.
///
/// Servers differ in what they leave out, so whatever the protocol lets one guess is guessed.
final class ReplyAssembly {
  private struct Call {
    var id = ""
    var name = ""
    var arguments = ""
  }

  private(set) var text = ""
  private var refusal = ""
  private var calls: [Call] = []
  /// Place of the call that a stream last named by an index.
  private var positions: [Int: Int] = [:]
  private var finishReason: String?
  /// The stream broke: what came before it is all there is.
  var isInterrupted = false
  /// The stream said that it is at its end.
  var isDone = false
  private var usage: (input: Int, output: Int)?

  /// Reads a whole response.
  ///
  /// - Throws: ``ProviderFailure`` when it is no reply, whatever its status says.
  convenience init(_ response: HTTPResponse, provider: Provider, now: Timestamp) throws(ProviderFailure) {
    func badReply(_ what: String) -> ProviderFailure {
      ProviderFailure(
        ModelError(
          .badReply, "\(provider.name) \(what)", status: response.status,
          diagnostic: provider.diagnostic(response.body)))
    }
    guard response.status == 200 else {
      throw ProviderFailure(
        status: response.status, headers: response.headers, body: response.body, provider: provider, now: now)
    }
    let json: JSON
    do {
      json = try JSON(parsing: response.body)
    } catch {
      throw badReply("answered with something that is not JSON")
    }
    try Self.checkForError(
      in: json, body: response.body, headers: response.headers, provider: provider, now: now)
    self.init()
    guard read(completion: json) else { throw badReply("gave a reply without an answer") }
  }

  init() {}

  /// Finds an error in the clothes of a reply.
  ///
  /// - Throws: ``ProviderFailure`` of the status that the error names.
  static func checkForError(
    in json: JSON, body: [UInt8], headers: HTTPHeaders, provider: Provider, now: Timestamp
  ) throws(ProviderFailure) {
    guard let fault = json["error"], !fault.isNull else { return }
    guard let status = status(of: fault) else {
      throw ProviderFailure(
        ModelError(
          .badReply, "\(provider.name) answered with an error", status: 200,
          diagnostic: provider.diagnostic(body)))
    }
    throw ProviderFailure(status: status, headers: headers, body: body, provider: provider, now: now)
  }

  /// The status that an error inside of a reply stands for.
  private static func status(of fault: JSON) -> Int? {
    if let code = fault["code"]?.integer ?? fault["code"]?.string.flatMap({ Int64($0) }),
      (400..<600).contains(code)
    {
      return Int(code)
    }
    switch fault["code"]?.string ?? fault["type"]?.string {
    case "rate_limit_exceeded", "insufficient_quota": return 429
    case "server_error": return 500
    default: return nil
    }
  }

  /// Reads a whole `chat.completion`; false when there is no answer in it.
  func read(completion: JSON) -> Bool {
    guard let choice = completion["choices"]?.array?.first, let message = choice["message"],
      message.object != nil, ReplyAssembly.isContent(message["content"])
    else { return false }
    read(content: message["content"])
    read(refusal: message["refusal"])
    for (index, call) in (message["tool_calls"]?.array ?? []).enumerated() { read(call: call, at: index) }
    if let call = message["function_call"], call.object != nil, calls.isEmpty {
      read(call: .object(JSONObject([("function", call)])), at: 0)
    }
    read(finishReason: choice["finish_reason"])
    read(usage: completion["usage"])
    return true
  }

  private static func isContent(_ json: JSON?) -> Bool {
    switch json {
    case nil, .null, .string, .array: true
    default: false
    }
  }

  /// Adds `content`: text, `null`, or a list of parts.
  ///
  /// - Returns: The text in it.
  @discardableResult
  func read(content: JSON?) -> String {
    var piece = ""
    switch content {
    case .string(let string): piece = string
    case .array(let parts):
      for part in parts {
        piece += part["text"]?.string ?? ""
        read(refusal: part["refusal"])
      }
    default: break
    }
    text += piece
    return piece
  }

  func read(refusal json: JSON?) { refusal += json?.string ?? "" }

  func read(finishReason json: JSON?) { finishReason = json?.string ?? finishReason }

  /// Place of the call that a piece belongs to, a new one if need be.
  ///
  /// Some servers leave out the index, and some give the same one to all calls: identifiers tell them apart.
  func position(of index: Int?, id: String) -> Int {
    let known = index.map { positions[$0] } ?? (calls.isEmpty ? nil : calls.count - 1)
    if let known, id.isEmpty || calls[known].id.isEmpty || calls[known].id == id { return known }
    if let index { positions[index] = calls.count }
    return calls.count
  }

  /// Adds a call, or another piece of the one at `index`.
  func read(call: JSON, at index: Int) {
    while calls.count <= index { calls.append(Call()) }
    if let id = call["id"]?.string, !id.isEmpty { calls[index].id = id }
    // `custom` is a tool whose argument is free text.
    let function = call["function"] ?? call["custom"]
    if let name = function?["name"]?.string, !name.isEmpty { calls[index].name = name }
    switch function?["arguments"] ?? function?["input"] {
    case nil, .null: break
    case .string(let piece): calls[index].arguments += piece
    case .some(let value): calls[index].arguments = RawJSON(value).text
    }
  }

  func read(usage json: JSON?) {
    guard let json, json.object != nil else { return }
    func count(_ names: String...) -> Int? {
      names.lazy.compactMap { json[$0]?.double }.first.map { Int(min(max(0, $0.rounded()), Usage.tokensMax)) }
    }
    let input = count("prompt_tokens", "input_tokens")
    let output = count("completion_tokens", "output_tokens")
    if input != nil || output != nil { usage = (input ?? 0, output ?? 0) }
  }

  /// Closes the reply.
  ///
  /// - Throws: ``ModelError`` `badReply` when a call names no tool.
  func reply(model: String, price: ModelPrice?) throws(ModelError) -> ModelReply {
    var spent = Usage(costUSD: nil)
    if let usage {
      spent = Usage(
        inputTokens: usage.input, outputTokens: usage.output,
        costUSD: price?.cost(inputTokens: usage.input, outputTokens: usage.output))
    }
    let reason = finish
    return ModelReply(
      model: model, text: reason == .refusal && text.isEmpty ? refusal : text,
      calls: reason == .toolCalls ? try identifiedCalls() : [], finishReason: reason, usage: spent)
  }

  /// Whether a call names no tool, so that there is no reply to make of it.
  var hasNamelessCall: Bool { calls.contains { $0.name.isEmpty } }

  /// Whether the provider came to an end, and did not just stop in the middle.
  var isComplete: Bool { !isInterrupted && (isDone || finishReason != nil) }

  private var finish: ModelReply.FinishReason {
    switch finishReason {
    case _ where isInterrupted: .interrupted
    // The arguments of a call are cut off too: it may not be made.
    case "length": .length
    case "content_filter": .contentFilter
    case _ where !refusal.isEmpty: .refusal
    // Some servers say `stop` and call nevertheless.
    case _ where !calls.isEmpty: .toolCalls
    default: .stop
    }
  }

  /// The calls, each with an identifier of its own: answers are matched by it.
  private func identifiedCalls() throws(ModelError) -> [ToolCallRequest] {
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
}
