// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import HostModules

/// `perigee new agent|tool NAME`.
struct NewCommand: ParsableCommand {
  enum Kind: String, ExpressibleByArgument, CaseIterable {
    case agent, tool
  }

  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Writes a commented starting file for an agent or a tool.",
    discussion: """
      Examples:
        perigee new agent market.title
        perigee new tool send_letter
      """)

  @Argument(help: "What to write: agent or tool.")
  var kind: Kind

  @Argument(help: "Its name: a-z, 0-9 and _, parts of an agent's name divided by dots.")
  var name: String

  @OptionGroup var options: WorkspaceOptions

  func validate() throws {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let isName = parts.allSatisfy { part in
      part.first.map { $0 >= "a" && $0 <= "z" } ?? false
        && part.allSatisfy { $0 >= "a" && $0 <= "z" || $0 >= "0" && $0 <= "9" || $0 == "_" }
    }
    guard isName, kind == .agent || parts.count == 1 else {
      throw ValidationError(
        "'\(name)' is not a name for \(kind == .agent ? "an agent" : "a tool"): use a-z, 0-9 and _")
    }
  }

  func run() throws {
    let file =
      switch kind {
      case .agent: Template.agent(name)
      case .tool: Template.tool(name)
      }
    guard try file.write(in: options.workspace, replacing: false) else {
      throw CommandError(
        message: "\(file.path) exists (\(options.workspace))", hint: "choose another name", status: .bad)
    }
    Console.note("wrote \(file.path)")
  }
}
