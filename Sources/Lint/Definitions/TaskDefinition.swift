// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// Reads what steps and states have in common: their one action, and how it is done.
enum TaskDefinition {
  static let actions = ["agent", "tool", "run", "approval", "webhook", "sleep"]
  static let options = ["input", "retry", "timeout", "by", "detail", "fields"]

  /// - Parameter owner: The agent's table, for what it may reach.
  static func task(_ reader: DefinitionReader, _ name: String, _ owner: DefinitionReader) -> WorkflowTask? {
    let hasInput = reader.function("input")
    let retry = retry(reader)
    let timeout = duration(reader, "timeout")
    guard let action = action(reader, name, owner) else { return nil }
    checkFields(of: action, reader, name)
    return WorkflowTask(
      name: name, action: action, hasInput: hasInput, retry: retry, timeoutSeconds: timeout)
  }

  private static func action(
    _ reader: DefinitionReader, _ name: String, _ owner: DefinitionReader
  ) -> WorkflowAction? {
    let given = actions.filter(reader.isPresent)
    guard given.count == 1 else {
      if given.isEmpty, reader.isOpen { return nil }
      reader.report(
        nil, .actions,
        given.isEmpty
          ? "'\(name)' does nothing: it needs one of \(actions.joined(separator: ", "))"
          : "'\(name)' does \(given.joined(separator: " and ")); one action a step")
      return nil
    }
    switch given[0] {
    case "agent": return reader.string("agent").map { .agent($0) }
    case "tool": return reader.string("tool").map { .tool($0) }
    case "run": return reader.function("run") ? .function : nil
    case "approval": return approval(reader, name)
    case "webhook": return webhook(reader, owner)
    default: return duration(reader, "sleep").map { .sleep(seconds: $0) }
    }
  }

  private static func checkFields(of action: WorkflowAction, _ reader: DefinitionReader, _ name: String) {
    if !action.isApproval {
      for key in ["by", "detail", "fields"] where reader.isPresent(key) {
        reader.report(key, .conflict, "'\(key)' is of an approval, which '\(name)' is not")
      }
    }
    switch action {
    case .function:
      if reader.isPresent("input") {
        reader.report("input", .conflict, "'run' reads the results itself; '\(name)' needs no 'input'")
      }
    case .sleep:
      for key in ["input", "retry", "timeout"] where reader.isPresent(key) {
        reader.report(key, .conflict, "'\(name)' sleeps, and takes no '\(key)'")
      }
    case .approval:
      if reader.isPresent("retry") {
        reader.report("retry", .conflict, "a decision stands: the approval '\(name)' takes no 'retry'")
      }
    case .agent, .tool, .webhook: break
    }
  }

  private static func retry(_ reader: DefinitionReader) -> WorkflowTask.Retry {
    guard let table = reader.table("retry", noun: "retry") else { return .none }
    table.allow(["attempts", "backoff"])
    let attempts = table.integer("attempts", in: 1...WorkflowTask.Retry.attemptsMax)
    if !table.isPresent("attempts"), !table.isOpen {
      table.report(nil, .missingField, "'retry' needs 'attempts', the first one included")
    }
    return WorkflowTask.Retry(
      attempts: attempts ?? 1,
      backoffSeconds: duration(table, "backoff") ?? WorkflowTask.Retry.none.backoffSeconds)
  }

  /// Seconds, or a text such as "48h".
  private static func duration(_ reader: DefinitionReader, _ key: String) -> Double? {
    guard let value = reader.value(key) else { return nil }
    let seconds =
      value.double.flatMap(WorkflowDuration.seconds) ?? value.string.flatMap(WorkflowDuration.seconds)
    if seconds == nil {
      reader.report(
        key, .outOfRange, "'\(key)' is seconds, or a text such as \"30s\", \"90m\" or \"48h\"; at most 365d")
    }
    return seconds
  }

  // MARK: Approvals

  private static func approval(_ reader: DefinitionReader, _ name: String) -> WorkflowAction? {
    if !reader.isPresent("timeout"), !reader.isOpen {
      reader.problems.add(
        path: reader.path, .patience, "the approval '\(name)' waits for ever", hint: "add timeout = \"48h\"",
        severity: .warning)
    }
    let detail = reader.value("detail")
    if let mark = detail?.innerMark, mark != "unknown" {
      reader.report("detail", .wrongType, "'detail' is data only: it has a \(mark) in it; use 'input'")
    }
    var roles: [String] = []
    if let by = reader.table("by", noun: "by") {
      by.allow(["roles"])
      roles = by.strings("roles") ?? []
    }
    let form = reader.schema("fields")
    return reader.string("approval").map {
      .approval(ApprovalStep(title: $0, detail: detail, form: form, roles: roles))
    }
  }

  // MARK: Webhooks

  private static func webhook(_ reader: DefinitionReader, _ owner: DefinitionReader) -> WorkflowAction? {
    guard let url = reader.string("webhook") else { return nil }
    let place = SourceRange.line(1)
    let literal = Expression(kind: .string(Array(url.utf8)), range: place)
    guard let request = LiteralRequest("http.post", [literal]) else {
      reader.report(
        "webhook", .outOfRange, "'webhook' is an address such as \"https://hooks.example.com/listed\"")
      return nil
    }
    guard !owner.isUnknown("access"), !(owner.object["access"]?.hasUnknown ?? false), !owner.isOpen else {
      return .webhook(url)
    }
    let nobody = ProblemList(file: "", table: { nil }, all: WorkspaceProblems())
    let access = AccessDefinition.decode(DefinitionReader(owner.object, path: [], problems: nobody, noun: ""))
    if !access.requests.contains(where: { $0.allows("POST", host: request.host, port: request.port) }) {
      let host = request.hasPort ? "\(request.host):\(request.port)" : request.host
      reader.problems.add(
        path: reader.path + ["webhook"], .webhookHost, "access.http does not list '\(host)'",
        hint: "add access = { http = { \"\(host)\" } } to the agent", at: .value)
    }
    return .webhook(url)
  }
}
