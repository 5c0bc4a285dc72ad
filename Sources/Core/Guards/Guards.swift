// SPDX-License-Identifier: Apache-2.0
import Guardrails
import JSONCodec
import Synchronization

/// The rules of one agent, ready to be used.
final class Guards: Sendable {
  private let input: Inspector?
  private let output: Inspector?

  init(_ rules: GuardRules) {
    input = rules.input.isEmpty ? nil : Inspector(rules.input)
    output = rules.output.isEmpty ? nil : Inspector(rules.output)
  }

  /// - Throws: ``Failure`` `rejected` that names the rules, and nothing of what was found.
  func check(_ message: String) throws(Failure) {
    guard let findings = input?.findings(in: message), !findings.isEmpty else { return }
    let names = Self.names(findings)
    throw Failure(
      .rejected, "the message is not taken: it holds \(names.joined(separator: ", "))",
      detail: ["reason": "guardrail", "rules": .array(names.map { .string($0) })])
  }

  /// What an answer becomes, and the rules that changed it.
  func masked(_ reply: ScriptReply) -> (reply: ScriptReply, rules: [String]) {
    guard let output else { return (reply, []) }
    var (reply, findings) = (reply, output.findings(in: reply.text))
    let isData = reply.data.map { $0.text == reply.text } ?? false
    reply.text = Inspector.masked(reply.text, findings)
    if let data = try? reply.data?.value() {
      let masked = RawJSON(data.masked(output, &findings))
      // An answer that is its data stays so: masked as text it might be no JSON any more.
      if isData { reply.text = masked.text }
      reply.data = masked
    }
    return (reply, Self.names(findings))
  }

  /// What a model's words become, and the rules that changed them; structured output is masked when it has been read.
  func masked(_ text: String) -> (text: String, rules: [String]) {
    guard let findings = output?.findings(in: text), !findings.isEmpty else { return (text, []) }
    return (Inspector.masked(text, findings), Self.names(findings))
  }

  /// Masks a text as it comes; `nil` = it may be shown as it is.
  func stream() -> GuardedStream? { output.map { GuardedStream(StreamingInspector($0)) } }

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

extension JSON {
  /// Each of its texts by itself; the names of members stay.
  fileprivate func masked(_ inspector: Inspector, _ findings: inout [Finding]) -> JSON {
    switch self {
    case .string(let text):
      let found = inspector.findings(in: text)
      findings += found
      return .string(Inspector.masked(text, found))
    case .array(let elements): return .array(elements.map { $0.masked(inspector, &findings) })
    case .object(let object):
      return .object(
        JSONObject(object.members.map { ($0.key, $0.value.masked(inspector, &findings)) }))
    default: return self
    }
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

  /// `nil` = nothing is looked for.
  func guards(of agent: Agent) -> Guards? {
    if agent.guards.isEmpty { return commonGuards }
    let rules = agent.guards.union(common)
    return made.withLock { made in
      if let guards = made[rules] { return guards }
      let guards = Guards(rules)
      made[rules] = guards
      return guards
    }
  }
}
