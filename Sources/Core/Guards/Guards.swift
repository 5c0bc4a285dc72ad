// SPDX-License-Identifier: Apache-2.0
import Guardrails
import JSONCodec
import Synchronization

/// The rules of one agent, ready to be used.
final class Guards: Sendable {
  private let input: Inspector?
  private let output: Inspector?
  private let toolsRefused: Inspector?
  private let toolsMasked: Inspector?
  private let rules: GuardRules

  init(_ rules: GuardRules) {
    func inspector(_ detectors: Set<Detector>) -> Inspector? {
      detectors.isEmpty ? nil : Inspector(detectors)
    }
    input = inspector(rules.input)
    output = inspector(rules.output)
    toolsRefused = inspector(rules.toolsRefused)
    toolsMasked = inspector(rules.toolsMasked)
    self.rules = rules
  }

  /// - Parameter input: What comes with the message.
  /// - Throws: ``Failure`` `rejected` that names the rules, and nothing of what was found.
  func check(_ message: String, _ input: @autoclosure () -> JSONObject) throws(Failure) {
    if let most = rules.inputBytesMax {
      let size = message.utf8.count + RawJSON(.object(input())).bytes.count
      if size > most {
        throw .guarded("the message is not taken: it has more than \(most) bytes", "max_input_size")
      }
    }
    if let types = rules.fileTypes, let name = input().fileNames.first(where: { !$0.hasType(of: types) }) {
      // The ending alone: the name is the user's.
      throw .guarded(
        "the message is not taken: files may be \(types.sorted().joined(separator: ", ")), not '\(name.fileType)'",
        "allowed_file_types")
    }
    guard let inspector = self.input else { return }
    var findings = inspector.findings(in: message)
    // Texts in parts are the message, and what else is in them is no text.
    var beside = input()
    beside["parts"] = nil
    if !beside.isEmpty { _ = inspector.masked(.object(beside), &findings) }
    guard !findings.isEmpty else { return }
    let names = Self.names(findings)
    throw .guarded("the message is not taken: it holds \(names.joined(separator: ", "))", names)
  }

  /// - Throws: As ``check(_:_:)``, for what somebody writes about an answer.
  func check(comment: String) throws(Failure) {
    let names = Self.names(input?.findings(in: comment) ?? [])
    guard names.isEmpty else {
      throw .guarded("the comment is not taken: it holds \(names.joined(separator: ", "))", names)
    }
  }

  /// Looks at what people say in a conversation that the caller keeps, at what stands in it as instructions, and at
  /// what the model is told of the caller's tools.
  ///
  /// - Throws: As ``check(_:_:)``.
  func check(_ conversation: CallerConversation) throws(Failure) {
    guard let input else { return }
    for offer in conversation.offers {
      let findings = input.findings(in: offer)
      guard findings.isEmpty else {
        let names = Self.names(findings)
        throw .guarded(
          "the conversation is not taken: its tools hold \(names.joined(separator: ", "))", names)
      }
    }
    for message in conversation.before + conversation.after {
      switch message.content {
      case .system(let text), .user(let text, _):
        let findings = input.findings(in: text)
        guard findings.isEmpty else {
          let names = Self.names(findings)
          throw .guarded("the conversation is not taken: it holds \(names.joined(separator: ", "))", names)
        }
      case .assistant, .tool: break
      }
    }
  }

  /// What of an earlier answer a model reads, if its caller has kept it.
  func recalled(_ said: JSON) -> (said: JSON, rules: [String]) {
    guard let input else { return (said, []) }
    var found: [Finding] = []
    let masked = input.masked(said, &found)
    return found.isEmpty ? (said, []) : (masked, Self.names(found))
  }

  /// - Throws: ``Failure`` `limit` for an answer that is too long.
  func measure(_ reply: ScriptReply) throws(Failure) {
    guard let most = rules.outputBytesMax,
      reply.text.utf8.count + (reply.data?.bytes.count ?? 0) > most
    else { return }
    throw Failure(
      .limit, "the answer has more than \(most) bytes",
      detail: ["reason": "guardrail", "rules": ["size_limits"]])
  }

  /// What a model gets to read of what a tool brought, its result or its error; and the rules that changed it.
  ///
  /// - Parameter name: The tool's.
  func reading(_ outcome: ToolCall.Outcome, of name: String) -> GuardedReading {
    var found: [Finding] = []
    if let toolsRefused {
      switch outcome {
      case .result(let json):
        if let value = try? json.value() { _ = toolsRefused.masked(value, &found) }
      case .failed(let failure): _ = toolsRefused.masked(failure, &found)
      }
      if !found.isEmpty {
        let rules = Self.names(found)
        return GuardedReading(
          .failed(
            .guarded("what \(name) brought is withheld: it holds \(rules.joined(separator: ", "))", rules)),
          rules: rules, isRefused: true)
      }
    }
    guard let toolsMasked else { return GuardedReading(outcome) }
    let masked: ToolCall.Outcome
    switch outcome {
    case .result(let json):
      guard let value = try? json.value() else { return GuardedReading(outcome) }
      masked = .result(RawJSON(toolsMasked.masked(value, &found)))
    case .failed(let failure): masked = .failed(toolsMasked.masked(failure, &found))
    }
    return found.isEmpty ? GuardedReading(outcome) : GuardedReading(masked, rules: Self.names(found))
  }

  /// What an answer becomes, with the calls that are shown with it; and the rules that changed its text or its data.
  ///
  /// - Parameter words: A text that was masked when the model said it: a mask is not looked at again.
  func masked(_ reply: ScriptReply, except words: String?) -> (reply: ScriptReply, rules: [String]) {
    guard let output else { return (reply, []) }
    var (reply, findings) = (reply, reply.text == words ? [] : output.findings(in: reply.text))
    let isData = reply.isData
    reply.text = Inspector.masked(reply.text, findings, style: rules.style)
    if let data = try? reply.data?.value() {
      let masked = RawJSON(output.masked(data, &findings, rules.style))
      if isData { reply.text = masked.text }
      reply.data = masked
    }
    reply.calls = reply.calls.map(shown)
    return (reply, Self.names(findings))
  }

  var masksOutput: Bool { output != nil }

  /// Whether anything but messages is looked at.
  var mayHide: Bool { output != nil || toolsRefused != nil || toolsMasked != nil }

  /// What people get to see of a call.
  func shown(_ call: ToolCall) -> ToolCall {
    guard let output else { return call }
    var found: [Finding] = []
    let outcome: ToolCall.Outcome =
      switch call.outcome {
      case .result(let json): .result(masked(json, output, &found))
      case .failed(let failure): .failed(output.masked(failure, &found, rules.style))
      }
    let arguments = masked(call.arguments, output, &found)
    if found.isEmpty { return call }
    return ToolCall(
      id: call.id, name: call.name, arguments: arguments, outcome: outcome, startedAt: call.startedAt,
      durationMilliseconds: call.durationMilliseconds)
  }

  /// What they see of its arguments while it is under way.
  func shown(_ arguments: RawJSON) -> RawJSON {
    guard let output else { return arguments }
    var found: [Finding] = []
    return masked(arguments, output, &found)
  }

  private func masked(_ json: RawJSON, _ inspector: Inspector, _ findings: inout [Finding]) -> RawJSON {
    guard let value = try? json.value() else { return json }
    let before = findings.count
    let masked = inspector.masked(value, &findings, rules.style)
    return findings.count == before ? json : RawJSON(masked)
  }

  /// What a model's words become, and the rules that changed them; structured output is masked when it has been read.
  func masked(_ text: String) -> (text: String, rules: [String]) {
    guard let findings = output?.findings(in: text), !findings.isEmpty else { return (text, []) }
    return (Inspector.masked(text, findings, style: rules.style), Self.names(findings))
  }

  /// Masks a text as it comes; `nil` = it may be shown as it is.
  func stream() -> GuardedStream? { output.map { GuardedStream(StreamingInspector($0, style: rules.style)) } }

  private static func names(_ findings: [Finding]) -> [String] {
    Set(findings.map(\.detector)).map(\.name).sorted()
  }
}

/// A text on its way, of which that is held back that may become a finding.
final class GuardedStream: Sendable {
  private let inspector: Mutex<StreamingInspector>

  fileprivate init(_ inspector: consuming StreamingInspector) { self.inspector = Mutex(inspector) }

  /// What of it may be shown by now.
  func push(_ texts: [String]) -> [String] {
    inspector.withLock { inspector in texts.map { inspector.push($0) } }.filter { !$0.isEmpty }
  }

  /// The rest.
  func finish() -> String { inspector.withLock { $0.finish() } }
}

extension Failure {
  static func guarded(_ message: String, _ rules: String...) -> Failure {
    guarded(message, rules)
  }

  static func guarded(_ message: String, _ rules: [String]) -> Failure {
    Failure(
      .rejected, message, detail: ["reason": "guardrail", "rules": .array(rules.map { .string($0) })])
  }
}

extension JSONObject {
  /// Names of the files that come with a message: under `files`, `attachments` and `file`, each a name, or an object
  /// with `name` or `filename`, and under `parts` as OpenAI's clients send them. One with several counts by each, one
  /// without any has an empty one.
  fileprivate var fileNames: [String] {
    ["files", "attachments", "file", "parts"].flatMap { key -> [String] in
      guard let value = self[key], !value.isNull else { return [] }
      return (value.array ?? [value]).flatMap { file in
        let names = [file, file["name"], file["filename"], file["file"]?["filename"]].compactMap {
          $0?.string
        }
        return names.isEmpty ? [""] : names
      }
    }
  }
}

extension String {
  /// The ending of a file's name, in lower case: `.txt`; empty without one.
  fileprivate var fileType: String {
    guard let point = lastIndex(of: "."), !self[point...].contains("/") else { return "" }
    return self[point...].lowercased()
  }

  fileprivate func hasType(of types: Set<String>) -> Bool {
    types.contains(fileType) || types.contains { lowercased().hasSuffix($0) }
  }
}

/// The guards of all agents, made once for each set of rules: making them takes longer than a turn.
final class GuardCabinet: Sendable {
  /// Of the workspace; every agent's rules come on top.
  private let common: GuardRules
  private let commonGuards: Guards?
  private let made = Mutex<[GuardRules: Guards]>([:])

  init(_ common: GuardRules) {
    self.common = common
    commonGuards = common.isEmpty ? nil : Guards(common)
  }

  /// - Parameter agent: `nil` = one that is gone: the workspace's rules are left.
  /// - Returns: `nil` = nothing is looked for.
  func guards(of agent: Agent?) -> Guards? {
    guard let agent, !agent.guards.isEmpty else { return commonGuards }
    let rules = agent.guards.union(common)
    return made.withLock { made in
      if let guards = made[rules] { return guards }
      let guards = Guards(rules)
      made[rules] = guards
      return guards
    }
  }
}
