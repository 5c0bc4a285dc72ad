// SPDX-License-Identifier: Apache-2.0
import Foundation
import HostModules
import Testing

@Suite("Stubs and pages")
struct StubTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  @Test("docs/lua holds exactly the pages that the host's tables give; `make docs` writes them")
  func pagesAreCurrent() throws {
    let found = try FileManager.default.contentsOfDirectory(atPath: Self.root + "/docs/lua").sorted()
    #expect(found == HostModule.all.map { "\($0.name).md" }.sorted())
    for module in HostModule.all {
      let page = try String(contentsOfFile: "\(Self.root)/docs/lua/\(module.name).md", encoding: .utf8)
      #expect(page == module.page, "docs/lua/\(module.name).md is out of date: make docs")
    }
  }

  @Test("every function that scripts see is in the tables, and every function of the tables is there")
  func tablesAreComplete() async throws {
    let listed = HostModule.all.flatMap { module in
      module.functions.map { $0.name.isEmpty ? module.name : "\(module.name).\($0.name)" }
    }.sorted()
    let seen = try await TestWorkspace.answer(
      """
      local seen = {}
      for _, name in ipairs{ \(HostModule.all.map { "\"\($0.name)\"" }.joined(separator: ", ")) } do
        local module = _G[name]
        if type(module) == "function" or name == "parallel" then seen[#seen + 1] = name end
        if type(module) == "table" then
          for key, value in pairs(module) do
            if type(value) == "function" then seen[#seen + 1] = name .. "." .. key end
          end
        end
      end
      table.sort(seen)
      return table.concat(seen, " ")
      """)
    #expect(seen == listed.joined(separator: " "))
  }

  @Test("every stub and every example is Lua")
  func stubsAreLua() async throws {
    for file in EditorFiles.all where file.path.hasSuffix(".lua") {
      let verdict = try await TestWorkspace.answer(
        "local f, err = load([==[\(file.contents)]==]) return f and 'ok' or err")
      #expect(verdict == "ok", "\(file.path)")
    }
  }
}
