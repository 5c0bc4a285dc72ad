// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// What `init` and `new` write, held against the linters that other Lua projects use.
@Suite("luacheck and lua-language-server", .timeLimit(.minutes(3)))
struct OtherLintersTests {
  /// luacheck comes by `scripts/setup.sh lua`; CI has to have it.
  private static var isThere: Bool { PythonTests.isCI || PythonTests.onPath("luacheck") }

  /// The same script that `make lint` runs over what ships.
  private func check(_ folder: Folder) async throws -> Outcome {
    let process = try ChildProcess(
      PerigeeBinary.repository + "/scripts/lint_lua.sh", [folder.path],
      environment: ProcessInfo.processInfo.environment)
    process.send(input: "")
    async let output = process.output.text()
    async let errors = process.errors.text()
    return await Outcome(status: process.end(), output: output, errors: errors)
  }

  @Test("find nothing in a new workspace, by the settings that come with it", .enabled(if: isThere))
  func templates() async throws {
    let folder = try Folder()
    for command in [
      ["init", folder.path], ["new", "agent", "market.title", "--workspace", folder.path],
      ["new", "tool", "send_letter", "--workspace", folder.path],
      ["new", "eval", "letters", "--workspace", folder.path],
    ] {
      let made = try await perigee(command)
      #expect(made.status == 0, "\(made.errors)")
    }
    let clean = try await check(folder)
    #expect(clean.status == 0, "\(clean.output) \(clean.errors)")
    #expect(clean.output.contains("0 warnings / 0 errors in 6 files"), "\(clean.output)")
    try folder.write("lib/odd.lua", "local unused = 1\nreturn io.open(log.nothing)\n")
    let odd = try await check(folder)
    #expect(odd.status == 1)
    #expect(odd.output.contains("lib/odd.lua:1:7: unused variable 'unused'"), "\(odd.output)")
    #expect(odd.output.contains("lib/odd.lua:2:8: accessing undefined variable 'io'"), "\(odd.output)")
  }
}
