// SPDX-License-Identifier: Apache-2.0
import Lint
import Workspace

@testable import LanguageServer

/// A workspace that is given as text.
struct TextFolders: WorkspaceFolders {
  var files: [String: String] = [:]
  var settings = LintSettings()
  var only: String? { "/w" }

  func locate(_ path: String) -> (root: String, path: String)? { ("/w", String(path.dropFirst(3))) }
  func isWorkspace(_ folder: String) -> Bool { folder == "/w" }
  func isScript(_ path: String) -> Bool { ScriptFolder.isScript(path) }
  func open(_ root: String) -> any WorkspaceFolder { TextFolder(files: files, settings: settings) }
}

struct TextFolder: WorkspaceFolder {
  let files: [String: String]
  let settings: LintSettings

  func read() async -> FolderContents {
    FolderContents(sources: files.mapValues { Array($0.utf8) }, configuration: nil, problems: [])
  }
  func settings(_ text: String?) async -> (settings: LintSettings, problems: [Diagnostic]) { (settings, []) }
  func changes() -> AsyncStream<Void> { AsyncStream { $0.finish() } }
}

/// A text in which `|` stands for the cursor.
struct Marked {
  let text: DocumentText
  let offset: Int

  init(_ marked: String) {
    let parts = marked.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
    offset = parts[0].utf8.count
    text = DocumentText(String(parts[0]) + (parts.count > 1 ? String(parts[1]) : ""))
  }
}

let shipped = [
  "tools/notes.lua": """
  return {
    add_note = {
      description = "Adds a note.",
      parameters = { title = { type = "string", description = "what it says" }, pinned = "boolean?" },
      run = function(ctx, args) return args.title end,
    },
    list_notes = { description = "Lists notes.", run = function() return {} end },
  }
  """,
  "agents/notes.lua":
    "return { description = \"Keeps notes.\", prompt = \"p\", tools = { \"add_note\", \"list_notes\" } }",
  "agents/market/title.lua": "return { prompt = \"p\" }",
  "lib/money.lua": "return { sign = \"€\" }",
]

/// The workspace with one more file, or another text of one.
func project(
  _ path: String = "", _ text: String = "", settings: LintSettings = LintSettings()
) async -> Project {
  var project = Project("/w", TextFolders(files: shipped, settings: settings), api: .perigee)
  await project.read()
  if !path.isEmpty {
    project.edit(path, Array(text.utf8))
    await project.refresh()
  }
  return project
}

/// What can stand at the `|` of a file of the workspace.
func completions(
  _ path: String, _ marked: String, settings: LintSettings = LintSettings()
) async -> [Completion.Item] {
  let marked = Marked(marked)
  let project = await project(
    path, String(decoding: marked.text.bytes, as: UTF8.self), settings: settings)
  let script = CursorScript(marked.text, at: marked.offset) { bytes, place in
    LintedFile(
      path: path, kind: ScriptKind(path: path), api: project.api, settings: settings,
      parsed: ParsedFile(parsing: SourceText(name: path, bytes: bytes)), namesAt: place)
  }
  return script.map { Completion($0, in: project).items } ?? []
}

func labels(_ path: String, _ marked: String, settings: LintSettings = LintSettings()) async -> [String] {
  await completions(path, marked, settings: settings).map(\.label)
}
