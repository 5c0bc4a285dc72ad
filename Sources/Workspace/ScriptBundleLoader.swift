// SPDX-License-Identifier: Apache-2.0
import Core
import HostModules
import JSONCodec
import Lint
import LuaHost

/// Makes a ``ScriptBundle`` of files: parses, compiles, evaluates and checks them, and collects what is wrong.
struct ScriptBundleLoader {
  let files: WorkspaceFiles
  let problems: WorkspaceProblems
  let defaults: RunLimits

  private var parsed: [String: ParsedFile] = [:]
  private var programs: [String: Program] = [:]
  private var agents: [String: Agent] = [:]
  private var tools: [String: Tool] = [:]
  private var schemas: [String: String] = [:]

  init(files: WorkspaceFiles, problems: WorkspaceProblems, defaults: RunLimits) {
    self.files = files
    self.problems = problems
    self.defaults = defaults
  }

  /// - Returns: `nil` when a problem was reported.
  mutating func load() async -> ScriptBundle? {
    compile()
    await evaluate()
    checkNames()
    guard problems.isEmpty else { return nil }
    return ScriptBundle(
      version: ScriptBundle.version(of: files.sources), agents: agents, tools: tools, sources: files.sources,
      programs: programs, schemas: schemas)
  }

  private mutating func compile() {
    for (path, source) in files.sources.sorted(by: { $0.key < $1.key }) {
      let file = ParsedFile(parsing: SourceText(name: path, bytes: source))
      parsed[path] = file
      guard file.diagnostics.isEmpty else {
        file.diagnostics.forEach(problems.add)
        continue
      }
      do {
        programs[path] = try Program.compile(name: path, source: source)
      } catch {
        report(error, file: path)
      }
    }
  }

  /// Evaluates every agent and tool in a cell of its own making, with host calls refused.
  private mutating func evaluate() async {
    let cell: Cell<ScriptScope?>
    do {
      cell = try ScriptBundle.makeCell(programs: programs, memoryBytesMax: 256 << 20, runsMax: 1)
    } catch {
      report(error, file: Prelude.name)
      return
    }
    for path in files.paths(.agents) {
      guard let value = await describe(path, in: cell) else { continue }
      let name = WorkspaceFiles.agentName(path)
      agents[name] = AgentDefinition.decode(
        value, name: name, file: path, defaults: defaults, problems: list(path))
    }
    for path in files.paths(.tools) {
      guard let value = await describe(path, in: cell) else { continue }
      let (found, schema) = ToolDefinition.decode(value, file: path, problems: list(path))
      for tool in found { add(tool) }
      schemas[path] = schema
    }
    for path in files.paths(.lib) { _ = await describe(path, in: cell) }
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

  private func list(_ path: String) -> ProblemList {
    ProblemList(file: path, table: parsed[path].flatMap { ReturnedTable($0.chunk) }, all: problems)
  }

  /// What the file returned, as data; `nil` when it could not be evaluated.
  private func describe(_ path: String, in cell: Cell<ScriptScope?>) async -> JSON? {
    guard programs[path] != nil else { return nil }
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
      return try JSON(parsing: try result.get().bytes)
    } catch let error as ScriptError {
      report(error, file: path)
    } catch {
      problems.add(file: path, .failsToLoad, "\(error)")
    }
    return nil
  }

  /// Reports at the line that failed: a module's own, when it failed on behalf of the file that requires it.
  private func report(_ error: ScriptError, file: String) {
    let place = error.script.flatMap { files.sources[$0] == nil ? nil : $0 } ?? file
    let line = error.line ?? 1
    let text = parsed[place]?.source.line(line) ?? ""
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
            hint: Nearest.hint(for: name, in: tools.keys.sorted()))
        }
      }
      for (index, name) in agent.agents.enumerated() where agents[name] == nil {
        list.add(
          path: ["agents", String(index + 1)], .unknownName, "there is no agent '\(name)'",
          hint: Nearest.hint(for: name, in: agents.keys.sorted()))
      }
    }
    checkToolNames()
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
