// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Models
import Settings
import Telemetry

extension RunTrace {
  /// The spans of a run and of all its calls.
  ///
  /// Source: OpenTelemetry semantic conventions for generative AI.
  ///
  /// - Parameters:
  ///   - agents: Of the run's version.
  ///   - models: What is asked where an agent names none.
  ///   - content: Takes the secrets out of arguments, results and answers; `nil` = they are not shown.
  func spans(
    of traced: TracedRun, agents: [String: Agent], models defaultModel: String,
    providers: [String: Configuration.Provider], content: SecretBlotter?
  ) -> [Telemetry.Span] {
    let keys = Set(spans.map(\.key))
    var all = [root(traced, agents[run.agent])]
    for call in spans where call.name != "stub" {
      var span = Telemetry.Span(
        call.name, kind: call.isRemote ? .client : .internal, traceID: traced.context.traceID,
        spanID: traced.span(of: call.key),
        parentID: Self.parent(of: call.key, among: keys).map(traced.span) ?? traced.context.spanID,
        start: call.startedAt.nanoseconds,
        end: call.startedAt.nanoseconds + Int64(call.durationMilliseconds * 1_000_000),
        attributes: ["perigee.journal.key": .string(call.key)])
      span.describe(
        call, models: agents[run.agent]?.models.first ?? defaultModel, providers: providers,
        content: content)
      span.traceState = traced.context.traceState
      all.append(span)
    }
    return all
  }

  private func root(_ traced: TracedRun, _ agent: Agent?) -> Telemetry.Span {
    var span = Telemetry.Span(
      "", traceID: traced.context.traceID, spanID: traced.context.spanID, parentID: traced.parentID,
      start: run.startedAt.nanoseconds, end: (run.finishedAt ?? run.startedAt).nanoseconds,
      attributes: [
        "gen_ai.agent.version": .string(run.version), "perigee.run.id": .string(run.id),
        "user.id": .string(run.userID), "gen_ai.usage.input_tokens": .int(Int64(run.usage.inputTokens)),
        "gen_ai.usage.output_tokens": .int(Int64(run.usage.outputTokens)),
      ])
    span.traceState = traced.context.traceState
    if let attempt = traced.attempt { name(&span, attempt) } else { name(&span, agent) }
    if let cost = run.usage.costUSD { span.attributes["perigee.cost_usd"] = .double(cost) }
    if run.status != .completed {
      // Nobody saw what an interrupted one would have failed of.
      let failure = run.status == .interrupted ? nil : run.failure
      let code = failure?.metricLabel ?? run.status.rawValue
      span.attributes["error.type"] = .string(code)
      span.status = .error(code)
    }
    return span
  }

  private func name(_ span: inout Telemetry.Span, _ agent: Agent?) {
    let isWorkflow =
      switch agent?.body {
      case .steps, .states: true
      case .prompt, .run, nil: false
      }
    let operation = isWorkflow ? "invoke_workflow" : "invoke_agent"
    span.name = "\(operation) \(run.agent)"
    span.attributes["gen_ai.operation.name"] = .string(operation)
    span.attributes["gen_ai.agent.name"] = .string(run.agent)
    if isWorkflow { span.attributes["gen_ai.workflow.name"] = .string(run.agent) }
    if let sessionID = run.sessionID { span.attributes["gen_ai.conversation.id"] = .string(sessionID) }
  }

  /// Source: OpenTelemetry semantic conventions, messaging spans.
  private func name(_ span: inout Telemetry.Span, _ attempt: TracedRun.Attempt) {
    let action = String(run.agent.trimmingPrefix(Job.agentPrefix))
    span.name = "process \(action)"
    span.kind = .consumer
    span.attributes["messaging.system"] = "perigee"
    span.attributes["messaging.operation.name"] = "process"
    span.attributes["messaging.operation.type"] = "process"
    span.attributes["messaging.destination.name"] = .string(action)
    span.attributes["messaging.message.id"] = .string(attempt.jobID)
    span.attributes["perigee.job.attempt"] = .int(Int64(attempt.number))
  }

  /// The key of the call within which one lies: `tool.0.1` of `tool.0.1#1:2`, `run:4` of `run:4/model.0`.
  static func parent(of key: String, among keys: Set<String>) -> String? {
    var rest = key[...]
    while let end = rest.lastIndex(where: { "/#:.".contains($0) }) {
      rest = rest[..<end]
      if keys.contains(String(rest)) { return String(rest) }
    }
    return nil
  }
}

extension RunTrace.Span {
  fileprivate var isModel: Bool { name.hasPrefix("model") }
  fileprivate var isRemote: Bool {
    isModel || name.hasPrefix("embed") || name.hasPrefix("llm.") || name.hasPrefix("http.")
  }
}

extension Telemetry.Span {
  fileprivate mutating func describe(
    _ call: RunTrace.Span, models requested: String, providers: [String: Configuration.Provider],
    content: SecretBlotter?
  ) {
    let reply = call.modelReply
    switch call.name.split(separator: " ", maxSplits: 1).map(String.init) {
    case _ where call.isModel:
      // The one that answered, which may be the second that was asked.
      let model = reply?.model ?? requested
      name = "chat \(model)"
      attributes["gen_ai.operation.name"] = "chat"
      attributes["gen_ai.request.model"] = .string(model)
      attributes["gen_ai.provider.name"] = .string(Self.provider(of: model, among: providers))
    case let words where words.first == "tool" && words.count == 2:
      name = "execute_tool \(words[1])"
      attributes["gen_ai.operation.name"] = "execute_tool"
      attributes["gen_ai.tool.name"] = .string(words[1])
      attributes["gen_ai.tool.type"] = "function"
      if let content {
        if let arguments = call.arguments {
          attributes["gen_ai.tool.call.arguments"] = .string(content.blot(arguments.text))
        }
        if let result = call.result {
          attributes["gen_ai.tool.call.result"] = .string(content.blot(result.text))
        }
      }
    case let words where words.first == "agent" && words.count == 2:
      name = "invoke_agent \(words[1])"
      attributes["gen_ai.operation.name"] = "invoke_agent"
      attributes["gen_ai.agent.name"] = .string(words[1])
    default: break
    }
    if let usage = call.usage {
      attributes["gen_ai.usage.input_tokens"] = .int(Int64(usage.inputTokens))
      attributes["gen_ai.usage.output_tokens"] = .int(Int64(usage.outputTokens))
      if let cost = usage.costUSD { attributes["perigee.cost_usd"] = .double(cost) }
    }
    if let reply {
      attributes["gen_ai.response.finish_reasons"] = .strings([reply.finishReason.rawValue])
      if let content { attributes["gen_ai.output.messages"] = .string(content.blot(reply.text)) }
    }
    if let failure = call.failure {
      attributes["error.type"] = .string(failure.code.metricLabel)
      status = .error(content?.blot(failure.message) ?? failure.code.metricLabel)
    } else if call.status == .open {
      attributes["error.type"] = "unknown_outcome"
      status = .error("nobody has seen it end")
    }
  }

  /// Source: semantic conventions, `gen_ai.provider.name`.
  private static func provider(of model: String, among providers: [String: Configuration.Provider]) -> String
  {
    let prefix = model.firstIndex(of: "/").map { String(model[..<$0]) }
    let name =
      prefix.flatMap { providers[$0] == nil ? nil : $0 }
      ?? (providers["openai"] == nil ? providers.keys.min() : "openai") ?? "openai"
    return switch providers[name]?.dialect {
    case .azure: "azure.ai.openai"
    case .anthropic: "anthropic"
    case .openai, .responses: name
    case nil: name
    }
  }
}

extension Timestamp {
  fileprivate var nanoseconds: Int64 { milliseconds * 1_000_000 }
}
