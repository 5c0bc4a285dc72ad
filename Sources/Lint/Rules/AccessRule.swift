// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// Host calls that the `access` of a tool or an agent does not name.
enum AccessRule: FileRule {
  static let denied = Explanation(
    "W213", .error, "host call that access does not name",
    "A function may touch what its `access` names and nothing else: the call raises `denied`. Behind a local function it is a warning, for the call may be on a way that this tool does not take.",
    wrong:
      "return { add = {\n  description = \"Adds.\",\n  access = { db = \"read\" },\n  run = function() return db.exec(\"delete from notes\") end,\n} }\n",
    right:
      "return { add = {\n  description = \"Adds.\",\n  access = { db = \"write\" },\n  run = function() return db.exec(\"delete from notes\") end,\n} }\n",
    path: "tools/notes.lua", beside: DefinitionExplanations.user("add"))
  static let host = Explanation(
    "W215", .error, "host that access.http does not list",
    "The URL names a host, a port or a method that the list does not allow: the request is refused. A bare host means ports 80 and 443.",
    wrong:
      "return { rate = {\n  description = \"Rate.\",\n  access = { http = { \"api.example.com\" } },\n  run = function() return http.get(\"https://api.example.org/rate\").body end,\n} }\n",
    right:
      "return { rate = {\n  description = \"Rate.\",\n  access = { http = { \"api.example.com\" } },\n  run = function() return http.get(\"https://api.example.com/rate\").body end,\n} }\n",
    path: "tools/rates.lua", beside: DefinitionExplanations.user("rate"))
  static let explanations = [denied, host]

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    guard let root = file.value?.object, !file.model.changesEnvironment else { return }
    switch file.kind {
    case .agent(let name):
      guard var access = access(root) else { return }
      access.models = true
      let functions = file.contract.map(\.function)
      check(functions, access, "the agent '\(name)'", in: file, &findings)
    case .tools:
      for (name, entries) in Dictionary(grouping: file.contract, by: { $0.path[0] }).sorted(by: {
        $0.key < $1.key
      }) {
        guard let tool = root[name]?.object, let access = access(tool) else { continue }
        check(entries.map(\.function), access, "the tool '\(name)'", in: file, &findings)
      }
    case .module, .evals, .other: break
    }
  }

  /// nil when the text does not tell it.
  private static func access(_ owner: JSONObject) -> Access? {
    guard owner[StaticValue.openKey] == nil, !(owner["access"]?.hasUnknown ?? false) else { return nil }
    let nobody = ProblemList(file: "", table: { nil }, all: WorkspaceProblems())
    let reader = DefinitionReader(owner, path: [], problems: nobody, noun: "")
    let access = AccessDefinition.decode(reader)
    // A faulty access is told as such, and once.
    return nobody.all.isEmpty ? access : nil
  }

  private static func check(
    _ entries: [Int], _ access: Access, _ subject: String, in file: LintedFile, _ findings: inout Findings
  ) {
    let model = file.model
    var own: Set<Int> = []
    for index in model.functions.indices where entries.contains(where: { model.isFunction(index, in: $0) }) {
      own.insert(index)
    }
    var reached = own
    var waiting = Array(own)
    while let function = waiting.popLast() {
      for member in model.members where member.function == function && member.arguments != nil {
        guard member.fields.isEmpty, let called = member.variable.flatMap(model.function(ofVariable:)) else {
          continue
        }
        for index in model.functions.indices where model.isFunction(index, in: called) {
          if reached.insert(index).inserted { waiting.append(index) }
        }
      }
    }
    for member in model.members where member.variable == nil && reached.contains(member.function) {
      guard let arguments = member.arguments, let call = file.api.functions[member.path],
        let capability = call.capability
      else { continue }
      let severity: Diagnostic.Severity = own.contains(member.function) ? .error : .warning
      if !capability.isGranted(by: access) {
        findings.add(
          denied, at: member.range, "'\(call.path)' is not allowed in \(subject)",
          hint: "add access = { \(capability.text) } to it", severity: severity)
      } else if capability.key == "http", let request = LiteralRequest(call.path, arguments) {
        checkHost(request, access, subject, severity, in: file, &findings)
      }
    }
  }

  private static func checkHost(
    _ request: LiteralRequest, _ access: Access, _ subject: String, _ severity: Diagnostic.Severity,
    in file: LintedFile, _ findings: inout Findings
  ) {
    let place = "\(request.host)\(request.hasPort ? ":\(request.port)" : "")"
    if !access.requests.contains(where: {
      $0.allows(request.method ?? "GET", host: request.host, port: request.port)
    })
      && !(request.method == nil
        && access.requests.contains { $0.host.matches(host: request.host, port: request.port) })
    {
      let isMethod = access.requests.contains { $0.host.matches(host: request.host, port: request.port) }
      findings.add(
        host, at: request.range,
        "access.http of \(subject) does not list \(isMethod ? "\(request.method ?? "GET") for " : "")'\(place)'",
        hint: "it lists \(access.requests.map { "\"\($0)\"" }.joined(separator: ", "))", severity: severity)
    } else if !file.settings.hosts.isEmpty,
      !file.settings.hosts.contains(where: { $0.matches(host: request.host, port: request.port) })
    {
      findings.add(
        host, at: request.range, "http.allow in perigee.yaml does not list '\(place)'", severity: severity)
    }
  }
}

extension HostAPI.Capability {
  /// Whether an access names it.
  fileprivate func isGranted(by access: Access) -> Bool {
    let wanted: Access.Level = level == "write" ? .write : .read
    switch key {
    case "db": return access.database >= wanted
    case "kv": return access.keyValue >= wanted
    case "memory": return access.memory >= wanted
    case "files": return access.files >= wanted
    case "http": return !access.requests.isEmpty
    case "llm": return access.models
    case "queue": return access.queue
    default: return true
    }
  }
}

/// A request whose address is written out, at least up to the end of its host.
struct LiteralRequest {
  /// nil = computed.
  let method: String?
  let host: String
  let port: Int
  let hasPort: Bool
  let range: SourceRange

  init?(_ function: String, _ arguments: [Expression]) {
    guard let first = arguments.first else { return nil }
    var url = first
    var method: String? = function == "http.post" ? "POST" : "GET"
    if function == "http.request" {
      guard case .table(let table) = first.core.kind,
        let field = table.fields.last(where: { $0.keyText == "url" })
      else { return nil }
      url = field.value
      if let given = table.fields.last(where: { $0.keyText == "method" }) {
        method = given.value.text?.uppercased()
      }
    }
    var text = url.text
    var isWhole = true
    if case .binary(let head, let operations) = url.core.kind, operations.first?.operator == .concatenate {
      text = head.text
      isWhole = false
    }
    guard let text, let scheme = ["https://", "http://"].first(where: text.hasPrefix) else { return nil }
    let rest = text.dropFirst(scheme.count)
    let authority = rest.prefix { !"/?#".contains($0) }
    guard isWhole || authority.count < rest.count, !authority.contains("@"), !authority.isEmpty else {
      return nil
    }
    let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.count == 1 || Int(parts[1]) != nil else { return nil }
    self.method = method
    host = parts[0].lowercased()
    hasPort = parts.count == 2
    port = hasPort ? Int(parts[1]) ?? 0 : scheme == "https://" ? 443 : 80
    range = url.range
  }
}
