// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import FoundationEssentials
import HostModules

/// `perigee new agent|tool|eval NAME`.
struct NewCommand: ParsableCommand {
  enum Kind: String, ExpressibleByArgument, CaseIterable {
    case agent, tool, eval
  }

  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Writes a commented starting file for an agent, a tool or an eval.",
    discussion: """
      Examples:
        perigee new agent market.title
        perigee new tool send_letter
        perigee new eval letters
      """)

  @Argument(help: "What to write: agent, tool or eval.")
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
        "'\(name)' is not a name for \(kind == .tool ? "a tool" : "an \(kind.rawValue)"): use a-z, 0-9 and _")
    }
  }

  /// The agent of that name; without one, one of those that there are.
  private var agent: String {
    let agents = "\(options.workspace)/agents"
    if FileManager.default.fileExists(atPath: "\(agents)/\(name).lua") { return name }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: agents)) ?? []
    let first = names.sorted().first { $0.hasSuffix(".lua") && !$0.hasPrefix("_") && !$0.hasPrefix(".") }
    return first.map { String($0.dropLast(4)) } ?? name
  }

  func run() throws {
    let file =
      switch kind {
      case .agent: Template.agent(name)
      case .tool: Template.tool(name)
      case .eval: Template.eval(name, agent: agent)
      }
    guard try file.write(in: options.workspace, replacing: false) else {
      throw CommandError(
        message: "\(file.path) exists (\(options.workspace))", hint: "choose another name", status: .bad)
    }
    Console.note("wrote \(file.path)")
  }
}
