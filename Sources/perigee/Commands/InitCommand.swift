// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import HostModules

/// `perigee init [DIR]`.
struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Writes a workspace that runs.",
    discussion: """
      Files that exist are left as they are.

      Examples:
        perigee init
        perigee init my-agents
      """)

  @Argument(help: "Folder; made when it does not exist.")
  var directory = "."

  func run() throws {
    var written = 0
    for file in Template.workspace + EditorFiles.all {
      if try file.write(in: directory, replacing: false) {
        written += 1
      } else {
        Console.note("kept \(file.path)")
      }
    }
    Console.note("wrote \(written) files in \(directory)")
    let option = directory == "." ? "" : " --workspace \(directory)"
    Console.note("try it: perigee chat notes\(option)")
  }
}
