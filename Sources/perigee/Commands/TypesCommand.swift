// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import HostModules
import Lint
import Settings

/// `perigee types`.
struct TypesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "types", abstract: "Rewrites types/, .luarc.json and .luacheckrc for editors.",
    discussion: """
      Examples:
        perigee types
        perigee types --workspace my-agents --docs my-agents/docs
      """)

  @Option(
    help: ArgumentHelp(
      "Also writes the reference there: lua/ with a page a module, lint.md and configuration.md.",
      valueName: "dir"))
  var docs: String?

  @OptionGroup var options: WorkspaceOptions

  func run() throws {
    for file in EditorFiles.all { try file.write(in: options.workspace, replacing: true) }
    Console.note("wrote \(EditorFiles.all.count) files in \(options.workspace)")
    guard let docs else { return }
    let pages = HostModule.all.map { GeneratedFile(path: "lua/\($0.name).md", contents: $0.page) }
    for page in pages { try page.write(in: docs, replacing: true) }
    try GeneratedFile(path: "configuration.md", contents: ConfigurationPage.contents).write(
      in: docs, replacing: true)
    try GeneratedFile(path: "lint.md", contents: Explanation.reference).write(in: docs, replacing: true)
    Console.note("wrote \(pages.count + 2) pages in \(docs)")
  }
}

/// The reference of the configuration, `docs/configuration.md`.
enum ConfigurationPage {
  static let contents = """
    # Configuration

    `perigee.yaml` in the workspace. Every key is optional. A flag beats the environment, the environment beats the
    file. The variable of a key is `PERIGEE_` and its path in capitals, `_` for `.`; lists are divided by commas there.
    Also read under their usual names: `OPENAI_API_KEY`, `OPENAI_BASE_URL`, `AGENT_MODEL_NAME`, `AGENT_TEMPERATURE`,
    `AGENT_MAX_TOKENS`, `OTEL_EXPORTER_OTLP_ENDPOINT`; `SSL_CERT_FILE`, a PEM file of the authorities to trust in place of the
    system's.

    An unknown key or a wrong value is refused at start, all problems at once, each with its line and the nearest right
    key. Secrets are never written in the file: `…_env` names an environment variable, `…_file` a file.
    `perigee doctor` prints what is in force and where each value came from.

    Keys whose feature is not there yet are checked, and refused by `perigee serve` when they ask for it.

    \(Configuration.referenceMarkdown)
    """ + "\n"
}
