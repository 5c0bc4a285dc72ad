// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// Branches beside each other that write one record, in a file in which nothing holds their results together.
enum GuardedBranches: WorkspaceRule {
  static let unguarded = Explanation(
    "W309", .warning, "branches write one record without guard.same",
    "Two branches of one `parallel`, or two steps that do not wait for each other, write the record that one id names. If one of them worked on another record, as a model may, both are kept. Let each return the id, and call `guard.same` on the results. It is told where the text shows all of it: both get the same value as `id` or `…_id` (whose it is, as `user_id`, is none) and call a tool with effect \"write\", an agent that lists one, or `db.exec` on one table; and the file never calls `guard.same`.",
    wrong: flow("return parallel{"),
    right: flow("return guard.same(\"listing_id\", parallel{").replacing(
      "end,\n  }", with: "end,\n  })"),
    path: "agents/flow.lua",
    beside: [
      "tools/listings.lua":
        "local parameters = { listing_id = \"string\" }\nlocal function run(_, args) return args end\nreturn {\n  set_title = { description = \"Titles.\", parameters = parameters, run = run },\n  set_price = { description = \"Prices.\", parameters = parameters, run = run },\n}\n"
    ])
  static let explanations = [unguarded]

  private static func flow(_ call: String) -> String {
    """
    return { tools = { "set_title", "set_price" }, run = function(_, input)
      \(call)
        title = function() return tools.call("set_title", { listing_id = input.listing_id }) end,
        price = function() return tools.call("set_price", { listing_id = input.listing_id }) end,
      }
    end }

    """
  }

  static func check(_ workspace: LintWorkspace, _ findings: inout [Diagnostic]) {
    // Who writes is asked by few workspaces.
    var known: Writers?
    for summary in workspace.sortedFiles() {
      guard let file = summary.linted, !file.model.changesEnvironment else { continue }
      let calls = file.model.members.filter {
        $0.variable == nil && $0.root.text == "parallel"
          && ["parallel", "parallel.settle"].contains($0.path)
      }
      let steps = steps(of: file)
      guard !calls.isEmpty || steps != nil, !file.model.members.contains(where: isGuard) else { continue }
      let writers = known ?? Writers(workspace)
      known = writers
      var found = Findings(file: file.path)
      for call in calls { check(call, in: file, writers, &found) }
      if let steps { check(steps, of: file, writers, &found) }
      findings += found.list
    }
  }

  private static func isGuard(_ member: FileModel.Member) -> Bool {
    member.variable == nil && member.root.text == "guard" && member.path == "guard.same"
  }

  // MARK: parallel

  /// What one branch writes: whose id, and the value that it got from outside.
  private struct Record: Hashable {
    /// `listing_id`, or the table of `db.exec`.
    let name: String
    /// The variable that the value begins with, `nil` for a global, and the way from there.
    let variable: Int?
    let path: [String]
  }

  private static func check(
    _ call: FileModel.Member, in file: LintedFile, _ writers: Writers, _ findings: inout Findings
  ) {
    guard case .table(let table)? = call.arguments?.first?.core.kind else { return }
    var first: [Record: String] = [:]
    for field in table.fields {
      guard let branch = function(of: field.value, in: file.model), let name = field.keyText else { continue }
      let records = records(of: branch, in: file.model, writers)
      if let record = records.first(where: { first[$0] != nil }), let other = first[record] {
        report("branches '\(other)' and '\(name)'", record.name, at: call.range, &findings)
        return
      }
      for record in records where first[record] == nil { first[record] = name }
    }
  }

  private static func report(
    _ who: String, _ record: String, at range: SourceRange, _ findings: inout Findings
  ) {
    findings.add(
      unguarded, at: range, "the \(who) write one record ('\(record)'), and nothing checks that they do",
      hint: "return the id from each, and call guard.same(\"…_id\", results)")
  }

  private static func function(of value: Expression, in model: FileModel) -> Int? {
    if case .function(let body) = value.core.kind { return model.function(body) }
    return model.variable(value.core).flatMap(model.function(ofVariable:))
  }

  /// In the order of the text, so that a finding is the same each time.
  private static func records(of branch: Int, in model: FileModel, _ writers: Writers) -> [Record] {
    var records: [Record] = []
    for call in model.members where call.variable == nil && model.isFunction(call.function, in: branch) {
      guard let arguments = call.arguments, let name = arguments.first?.text else { continue }
      switch call.path {
      case "tools.call" where writers.tools[name] != nil, "agents.run" where writers.agents.contains(name):
        guard arguments.count > 1, case .table(let table) = arguments[1].core.kind else { continue }
        for field in table.fields {
          guard let key = field.keyText, isRecordID(key) else { continue }
          if let record = record(key, field.value, branch, model) { records.append(record) }
        }
      case "db.exec":
        guard let table = writtenTable(name) else { continue }
        for value in arguments.dropFirst() {
          guard let record = record(table, value, branch, model), isRecordID(record.path.last ?? "") else {
            continue
          }
          records.append(record)
        }
      default: continue
      }
    }
    return records
  }

  /// nil for a value that the branch makes itself, or that is computed.
  private static func record(
    _ name: String, _ value: Expression, _ branch: Int, _ model: FileModel
  ) -> Record? {
    guard let (root, fields) = value.core.fieldPath else { return nil }
    let variable = model.meanings[value.core.range.start.offset]
    if let variable {
      guard !model.isFunction(model.variables[variable].function, in: branch) else { return nil }
    }
    return Record(name: name, variable: variable, path: [root] + fields.map(\.text))
  }

  /// Names whose record it is, not who wrote it.
  private static func isRecordID(_ name: String) -> Bool {
    let name = name.lowercased()
    return (name == "id" || name.hasSuffix("_id"))
      && !["user_id", "session_id", "run_id", "caller_id", "tenant_id"].contains(name)
  }

  /// Table that a statement changes; nil for one that only adds, or that is none of these.
  private static func writtenTable(_ sql: String) -> String? {
    let words = sql.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init)
    switch words.first {
    case "update":
      // UPDATE OR IGNORE listings
      let rest = words.dropFirst()
      return rest.first == "or" ? rest.dropFirst(2).first : rest.first
    case "delete", "replace": return words.count > 2 && ["from", "into"].contains(words[1]) ? words[2] : nil
    default: return nil
    }
  }

  // MARK: steps

  private static func steps(of file: LintedFile) -> JSONObject? {
    guard case .agent = file.kind, let steps = file.value?["steps"], !steps.isUnknown else { return nil }
    return steps.object
  }

  /// Tools of two steps that may run beside each other, both on the workflow's input as it came.
  private static func check(
    _ steps: JSONObject, of file: LintedFile, _ writers: Writers, _ findings: inout Findings
  ) {
    guard let table = file.returned else { return }
    var ids: [(step: String, ids: Set<String>)] = []
    for step in steps.members {
      guard let name = step.value["tool"]?.string, step.value["input"] == nil, step.value["for_each"] == nil,
        // What may be skipped may be in another's place.
        step.value["when"] == nil,
        let tool = writers.tools[name], step.value["needs"]?.hasUnknown != true
      else { continue }
      ids.append((step.key, tool))
    }
    for (index, later) in ids.enumerated() {
      for earlier in ids[..<index] {
        guard let shared = later.ids.intersection(earlier.ids).min(),
          !waits(later.step, for: earlier.step, steps), !waits(earlier.step, for: later.step, steps)
        else { continue }
        report(
          "steps '\(earlier.step)' and '\(later.step)'", shared,
          at: table.position(of: ["steps", later.step]).range, &findings)
        return
      }
    }
  }

  private static func waits(_ step: String, for other: String, _ steps: JSONObject) -> Bool {
    var seen: Set<String> = []
    var waiting = [step]
    while let name = waiting.popLast() {
      for need in steps[name]?["needs"]?.array?.compactMap(\.string) ?? [] {
        if need == other { return true }
        if seen.insert(need).inserted { waiting.append(need) }
      }
    }
    return false
  }

  // MARK: Who writes

  /// Tools with an effect, and agents whose models may call one.
  private struct Writers {
    /// With the ids of records that each must be given.
    var tools: [String: Set<String>] = [:]
    var agents: Set<String> = []

    init(_ workspace: LintWorkspace) {
      for file in workspace.sortedFiles() where file.kind == .tools {
        for tool in file.linted?.value?.object?.members ?? [] {
          guard let fields = tool.value.object, fields[StaticValue.openKey] == nil,
            fields["effect"] == nil || fields["effect"]?.string == "write",
            tool.key != ToolDefinition.schemaKey
          else { continue }
          tools[tool.key] = Self.ids(fields["parameters"])
        }
      }
      for file in workspace.sortedFiles() {
        guard case .agent(let name) = file.kind,
          file.references.contains(where: { $0.kind == .tool && $0.place == .list && tools[$0.name] != nil })
        else { continue }
        agents.insert(name)
      }
    }

    private static func ids(_ parameters: JSON?) -> Set<String> {
      guard let object = parameters?.object else { return [] }
      if object["type"]?.string == "object", let properties = object["properties"]?.object {
        let required = Set(object["required"]?.array?.compactMap(\.string) ?? [])
        return Set(properties.keys).intersection(required).filter(isRecordID)
      }
      return Set(
        object.members.filter { member in
          let isOptional =
            member.value.string?.hasSuffix("?") ?? false || member.value["optional"] == true
            || member.value["default"] != nil
          return !isOptional && isRecordID(member.key)
        }.map(\.key))
    }
  }
}
