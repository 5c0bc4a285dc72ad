// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Testing

@testable import perigee

/// What `--help` says, as it was looked at last.
///
/// A help that is meant to change is written anew by `UPDATE_GOLDEN=1 swift test --filter HelpTests`; read the
/// difference before you commit it.
@Suite("--help") struct HelpTests {
  /// The command itself is the empty name.
  static let commands: [String] = [""] + Perigee.names
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "help")

  /// As wide as a terminal is, wherever the test runs.
  private func help(_ command: String) async throws -> Outcome {
    try await perigee(
      command.split(separator: " ").map(String.init) + ["--help"], environment: ["COLUMNS": "100"])
  }

  @Test("is what it was, for every command", arguments: commands)
  func golden(command: String) async throws {
    let outcome = try await help(command)
    #expect(outcome.status == 0 && outcome.errors == "")
    let file = Self.folder.appending(path: Self.fileName(command))
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] != nil {
      try Data(outcome.output.utf8).write(to: file)
    }
    let golden = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    #expect(
      outcome.output == golden,
      "if that is meant: UPDATE_GOLDEN=1 swift test --filter HelpTests, and commit \(file.lastPathComponent)")
  }

  @Test("has examples, and each is a command that there is", arguments: commands)
  func examples(command: String) async throws {
    let lines = try await help(command).output.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex { $0.trimmingCharacters(in: .whitespaces) == "Examples:" })
    let examples = lines[(start + 1)...].prefix { $0.hasPrefix("  ") }
    #expect(!examples.isEmpty)
    for example in examples {
      let commands = Self.commands(of: String(example))
      #expect(!commands.isEmpty, "\(example)")
      for words in commands {
        #expect(words.starts(with: command.split(separator: " ").map(String.init)), "\(example)")
        #expect(Self.isUnderstood(words), "\(example)")
      }
    }
  }

  private static func fileName(_ command: String) -> String {
    (command.isEmpty ? "perigee" : command.replacing(" ", with: "-")) + ".txt"
  }

  private static func isUnderstood(_ arguments: [String]) -> Bool {
    do {
      _ = try Perigee.parseAsRoot(arguments)
      return true
    } catch {
      return false
    }
  }

  @Test("no file is left of a command that is gone")
  func stale() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
    #expect(Set(files) == Set(Self.commands.map(Self.fileName)))
  }

  /// What stands behind each `perigee` of a line, as a shell divides it: quotes hold together, `&&` and `|` begin
  /// another command, and `#` a remark.
  private static func commands(of line: String) -> [[String]] {
    var commands: [[String]] = [[]]
    var word: String?
    var quote: Character?
    func end() {
      if let done = word { commands[commands.count - 1].append(done) }
      word = nil
    }
    for character in line {
      if let open = quote {
        if character == open { quote = nil } else { word = (word ?? "") + String(character) }
      } else if character == "'" || character == "\"" {
        quote = character
        word = word ?? ""
      } else if character == " " {
        end()
      } else if word == nil, character == "#" {
        break
      } else if "&|".contains(character) {
        end()
        commands.append([])
      } else {
        word = (word ?? "") + String(character)
      }
    }
    end()
    return commands.filter { $0.first == "perigee" }.map { Array($0.dropFirst()) }
  }
}

extension Perigee {
  /// Names of the commands, those of the commands in them after theirs.
  fileprivate static var names: [String] {
    configuration.subcommands.flatMap { command -> [String] in
      let name = command.configuration.commandName ?? ""
      return [name]
        + command.configuration.subcommands.map { "\(name) \($0.configuration.commandName ?? "")" }
    }
  }
}
