// SPDX-License-Identifier: Apache-2.0
import Core
import HostModules
import JSONCodec
import Lint
import LuaHost

/// Makes a ``ScriptBundle`` of files: lints, compiles, evaluates and checks them, and collects what is wrong.
struct ScriptBundleLoader {
  let files: WorkspaceFiles
  let problems: WorkspaceProblems
  let defaults: RunLimits
  /// What was loaded, by path: handed to the next loader, it does only what has changed.
  private(set) var scripts: [String: LoadedScript]
  /// What the files' text says, as ``scripts`` for the next loader; `nil` = only their syntax is looked at.
  private(set) var linted: LintWorkspace?

  private var parsed: [String: ParsedFile] = [:]
  /// Files that cannot be read, or are wrong as they are written; they are not run.
  private var broken: Set<String>
  private let isWhole: Bool
  private(set) var programs: [String: Program] = [:]
  private var agents: [String: Agent] = [:]
  private var tools: [String: Tool] = [:]
  private var schemas: [String: String] = [:]

  init(
    files: WorkspaceFiles, problems: WorkspaceProblems, defaults: RunLimits,
    earlier: [String: LoadedScript] = [:], linted: LintWorkspace?
  ) {
    self.files = files
    self.problems = problems
    self.defaults = defaults
    self.linted = linted
    broken = Set(problems.diagnostics.map(\.file))
    isWhole = broken.isEmpty
    scripts = earlier.filter { $0.value.digest == files.files[$0.key]?.digest }
  }

  /// - Throws: ``WorkspaceError`` with every problem.
  mutating func load() async throws(WorkspaceError) -> ScriptBundle {
    await lint()
    compile()
    // With a module missing, whatever requires it would be told as faulty, too.
    if !broken.contains(where: { $0.hasPrefix("lib/") }) { await evaluate() }
    // Of files that were not run, lint knows the names, and has told what is wrong with them.
    if broken.isEmpty || linted == nil && isWhole { checkNames() }
    guard !problems.hasErrors else { throw WorkspaceError(diagnostics: problems.diagnostics, files: files) }
    return ScriptBundle(
      version: files.version, agents: agents, tools: tools, files: files, texts: files.texts,
      programs: programs, schemas: schemas, warnings: problems.diagnostics)
  }

  /// Reports every error that the files' text shows.
  mutating func lint() async {
    let findings: [Diagnostic]
    if var workspace = linted {
      for path in workspace.files.keys where files.files[path] == nil { workspace.remove(path: path) }
      await workspace.update(
        files.scripts.mapValues(\.bytes)
          .filter { workspace.files[$0.key]?.parsed.source.bytes != $0.value })
      linted = workspace
      parsed = workspace.files.mapValues(\.parsed)
      findings = workspace.findings()
    } else {
      for (path, source) in files.scripts where scripts[path] == nil {
        parsed[path] = ParsedFile(parsing: SourceText(name: path, bytes: source.bytes))
      }
      findings = parsed.values.flatMap(\.diagnostics)
    }
    for finding in findings where finding.severity == .error {
      problems.add(finding)
      broken.insert(finding.file)
    }
  }

  mutating func compile() {
    for (path, source) in files.scripts.sorted(by: { $0.key < $1.key }) where !broken.contains(path) {
      if let script = scripts[path] {
        programs[path] = script.program
        continue
      }
      do {
        let program = try Program.compile(name: path, source: source.bytes)
        programs[path] = program
        scripts[path] = LoadedScript(digest: source.digest, program: program)
      } catch {
        report(error, file: path)
      }
    }
  }

  /// Evaluates agents and tools, those that have changed or whose modules have, in a cell of its own making, with
  /// host calls refused.
  private mutating func evaluate() async {
    var cell: Cell<ScriptScope?>?
    for path in WorkspaceFiles.Kind.scripts.flatMap(files.paths) {
      guard programs[path] != nil else { continue }
      if let definition = scripts[path]?.definition, isCurrent(definition) {
        take(definition.content, path)
        continue
      }
      let count = problems.count
      do throws(ScriptError) {
        if cell == nil {
          cell = try ScriptBundle.makeCell(programs: programs, memoryBytesMax: 256 << 20, runsMax: 1)
        }
      } catch {
        report(error, file: Prelude.name)
        return
      }
      guard let cell, let (value, required) = await describe(path, in: cell),
        let content = decode(value, path)
      else { continue }
      if problems.count == count {
        let digests = required.map { ($0, files.files[$0]?.digest) }
        scripts[path]?.definition = LoadedScript.Definition(
          required: Dictionary(digests) { first, _ in first }, content: content)
      }
      take(content, path)
    }
  }

  private func isCurrent(_ definition: LoadedScript.Definition) -> Bool {
    definition.required.allSatisfy { files.files[$0.key]?.digest == $0.value }
  }

  private func decode(_ value: JSON, _ path: String) -> LoadedScript.Content? {
    if path.hasPrefix("lib/") { return .module }
    if path.hasPrefix("tools/") {
      let (found, schema) = ToolDefinition.decode(
        value, file: path, secondsMax: defaults.secondsMax, problems: list(path))
      return .tools(found, schema: schema)
    }
    return AgentDefinition.decode(
      value, name: WorkspaceFiles.agentName(path), file: path, defaults: defaults, problems: list(path)
    ).map { .agent($0) }
  }

  private mutating func take(_ content: LoadedScript.Content, _ path: String) {
    switch content {
    case .agent(let agent): agents[agent.name] = agent
    case .tools(let found, let schema):
      for tool in found { add(tool) }
      schemas[path] = schema
    case .module: break
    }
  }

  private mutating func add(_ tool: Tool) {
    if let other = tools[tool.name] {
      list(tool.file).add(
        path: [tool.name], .duplicateName, "the tool '\(tool.name)' is already in \(other.file)",
        hint: "tool names are unique in a workspace")
    } else {
      tools[tool.name] = tool
    }
  }

  func list(_ path: String) -> ProblemList {
    let parsed = parsed[path]
    let source = SourceText(name: path, bytes: files.files[path]?.bytes ?? [])
    return ProblemList(
      file: path, table: { ReturnedTable((parsed ?? ParsedFile(parsing: source)).chunk) }, all: problems)
  }

  /// What the file returned, as data, and the modules that it required; `nil` when it could not be evaluated.
  func describe(
    _ path: String, in cell: Cell<ScriptScope?>
  ) async -> (value: JSON, required: [String])? {
    do {
      let run = try await cell.open(budget: RunBudget(cpu: .seconds(2), resultBytesMax: 16 << 20))
      let result: Result<RawJSON, any Error>
      do {
        result = .success(
          try await cell.json(run, .describe, [.string(path)], scope: nil))
      } catch {
        result = .failure(error)
      }
      await cell.close(run)
      let description = try JSON(parsing: try result.get().bytes)
      return (description["value"] ?? .null, (description["required"]?.array ?? []).compactMap(\.string))
    } catch let error as ScriptError {
      report(error, file: path)
    } catch {
      problems.add(file: path, .failsToLoad, "\(error)")
    }
    return nil
  }

  /// Reports at the line that failed: a module's own, when it failed on behalf of the file that requires it.
  func report(_ error: ScriptError, file: String) {
    let place = error.script.flatMap { files.files[$0] == nil ? nil : $0 } ?? file
    let line = error.line ?? 1
    let text = SourceText(name: place, bytes: files.files[place]?.bytes ?? []).line(line)
    let column = text.prefix(while: \.isWhitespace).unicodeScalars.count + 1
    let diagnostic = Diagnostic(
      file: place, range: .line(line, column: column), severity: .error, code: .failsToLoad,
      message: error.message)
    if !problems.diagnostics.contains(diagnostic) { problems.add(diagnostic) }
  }

  /// Names of tools and agents must lead somewhere.
  private func checkNames() {
    for agent in agents.values.sorted(by: { $0.name < $1.name }) {
      let list = list(agent.file)
      if case .names(let names) = agent.tools {
        for (index, name) in names.enumerated() where tools[name] == nil {
          list.add(
            path: ["tools", String(index + 1)], .unknownName, "there is no tool '\(name)'",
            hint: Suggestion.hint(for: name, in: tools.keys.sorted()))
        }
      }
      for (index, name) in agent.agents.enumerated() where agents[name] == nil {
        list.add(
          path: ["agents", String(index + 1)], .unknownName, "there is no agent '\(name)'",
          hint: Suggestion.hint(for: name, in: agents.keys.sorted()))
      }
      for task in agent.body.tasks { check(task, of: agent, list) }
    }
    checkToolNames()
  }

  private func check(_ task: WorkflowTask, of agent: Agent, _ list: ProblemList) {
    let body = if case .states = agent.body { "states" } else { "steps" }
    switch task.action {
    case .agent(let name) where agents[name] == nil:
      list.add(
        path: [body, task.name, "agent"], .unknownName, "there is no agent '\(name)'",
        hint: Suggestion.hint(for: name, in: agents.keys.sorted()), at: .value)
    case .tool(let name) where tools[name] == nil:
      list.add(
        path: [body, task.name, "tool"], .unknownName, "there is no tool '\(name)'",
        hint: Suggestion.hint(for: name, in: tools.keys.sorted()), at: .value)
    case .agent, .tool, .function, .approval, .webhook, .sleep: break
    }
  }

  /// `agent_a_b` may stand for `a.b` and `a_b`, or for a tool: one of them could never be called.
  private func checkToolNames() {
    var owners: [String: String] = [:]
    for agent in agents.values.sorted(by: { $0.name < $1.name }) {
      if tools[agent.toolName] != nil {
        problems.add(
          file: agent.file, .duplicateName, "the agent's tool name '\(agent.toolName)' is a tool's, too")
      } else if let other = owners.updateValue(agent.name, forKey: agent.toolName) {
        problems.add(
          file: agent.file, .duplicateName,
          "the agents '\(other)' and '\(agent.name)' have one tool name, '\(agent.toolName)'")
      }
    }
  }
}
