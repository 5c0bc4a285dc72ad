// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import Storage
import Testing

@testable import Workspace

@Suite("Activation", .timeLimit(.minutes(5)))
struct ActivationTests {
  private let me = AuditEntry.Actor(userID: "me")

  private static func saying(_ text: String) -> String { "return { run = function() return '\(text)' end }" }

  /// A workspace whose agent said `one` and says `two`, with the names of both versions.
  private func withTwo(
    _ role: Workspace.Role = .server(canaryPercent: 0),
    _ body: (LiveWorkspace, Workspace, _ one: String, _ two: String) async throws -> Void
  ) async throws {
    try await LiveWorkspace.with(["agents/a.lua": Self.saying("one")]) { live in
      let workspace = try await live.open(role)
      let one = workspace.deployment.active.version
      live.folder.write("agents/a.lua", Self.saying("two"))
      try await workspace.reload()
      let two = (workspace.deployment.candidate?.host ?? workspace.deployment.active).version
      try await body(live, workspace, one, two)
    }
  }

  @Test("a version that was activated holds over reloads and restarts, until the folder changes")
  func holds() async throws {
    try await withTwo { live, workspace, one, two in
      #expect(try await workspace.answer("a") == "two")
      try await workspace.activate(String(one.dropFirst(7).prefix(8)), canaryPercent: nil, by: me)
      #expect(try await workspace.answer("a") == "one")
      #expect(try await workspace.reload() == false)
      #expect(try await workspace.answer("a") == "one")
      // A server that starts anew, and a command.
      #expect(try await live.open().answer("a") == "one")
      #expect(try await live.open(.guest).answer("a") == "one")
      // Touched, and as it was.
      live.folder.write("agents/a.lua", Self.saying("two"))
      #expect(try await workspace.reload() == false)
      live.folder.write("agents/a.lua", Self.saying("three"))
      #expect(try await workspace.reload())
      #expect(try await workspace.answer("a") == "three")
      #expect(try await live.open().answer("a") == "three")
      // What was rolled back is not in force again because the edit was undone.
      live.folder.write("agents/a.lua", Self.saying("two"))
      try await workspace.reload()
      #expect(workspace.deployment.active.version == two)
    }
  }

  @Test("a command decides nothing for a server")
  func guest() async throws {
    try await withTwo { live, workspace, one, _ in
      try await workspace.activate(one, canaryPercent: nil, by: me)
      live.folder.write("agents/a.lua", Self.saying("three"))
      #expect(try await live.open(.guest).answer("a") == "three")
      #expect(try await live.store.deployment()?.version == one)
    }
  }

  @Test(
    "a decision of another process comes into force with the next look, also one made beside another folder")
  func elsewhere() async throws {
    try await withTwo { live, workspace, one, two in
      for folder in [two, "sha256:another"] {
        try await live.store.setDeployment(
          DeploymentRecord(version: one, folder: folder, at: Timestamp(milliseconds: 7)), by: nil)
        #expect(try await workspace.reload())
        #expect(try await workspace.answer("a") == "one")
        #expect(try await live.store.deployment()?.folder == two)
        try await workspace.activate(two, canaryPercent: nil, by: me)
      }
    }
  }

  @Test("a version that no longer loads, or is not there, is refused, and nothing changes")
  func refused() async throws {
    try await withTwo { live, workspace, _, two in
      let broken = WorkspaceFiles(sources: ["agents/a.lua": Array("return {".utf8)])
      try await live.store.keepVersion(
        broken.version,
        files: broken.files.map { ScriptFile(path: $0.key, digest: $0.value.digest, bytes: $0.value.bytes) },
        at: Timestamp(milliseconds: 0))
      let before = try await live.store.deployment()
      let refused = await #expect(throws: ScriptsRefused.self) {
        try await workspace.activate(broken.version, canaryPercent: 5, by: me)
      }
      #expect(refused?.problems.first?.file == "agents/a.lua")
      for (name, percent, code) in [
        ("sha256:00", nil, Failure.Code.notFound), (two, 5, .conflict), (two, 0, .invalidArguments),
      ] as [(String, Int?, Failure.Code)] {
        let failure = await #expect(throws: Failure.self) {
          try await workspace.activate(name, canaryPercent: percent, by: me)
        }
        #expect(failure?.code == code)
      }
      #expect(try await live.store.deployment() == before)
      #expect(try await workspace.answer("a") == "two" && workspace.problems.isEmpty)
    }
  }

  @Test(
    "an edit is tried by its share of the sessions, promoted by activating it, ended by activating the other")
  func canary() async throws {
    try await withTwo(.server(canaryPercent: 20)) { live, workspace, one, two in
      func answers() async throws -> [String] {
        var answers: [String] = []
        for number in 0..<100 { answers.append(try await workspace.answer("a", session: "s\(number)")) }
        return answers
      }
      let first = try await answers()
      #expect((5..<40).contains(first.count { $0 == "two" }) && Set(first) == ["one", "two"])
      #expect(try await answers() == first)
      // The same sessions after a restart.
      let again = try await live.open(.server(canaryPercent: 20))
      #expect(try await again.answer("a", session: "s0") == first[0])
      #expect(again.deployment.candidate?.host.version == two)
      // A broken candidate changes nothing.
      live.folder.write("agents/a.lua", "return {")
      await #expect(throws: WorkspaceError.self) { try await workspace.reload() }
      #expect(try await answers() == first)
      // Another one takes its place; what is in force stays.
      live.folder.write("agents/a.lua", Self.saying("three"))
      try await workspace.reload()
      #expect(workspace.deployment.active.version == one)
      #expect(Set(try await answers()) == ["one", "three"])
      // Taken back: there is nothing to try.
      live.folder.write("agents/a.lua", Self.saying("one"))
      try await workspace.reload()
      #expect(workspace.deployment.candidate == nil && workspace.deployment.active.version == one)
      try await workspace.activate(two, canaryPercent: 50, by: me)
      #expect(workspace.deployment.candidate?.percent == 50)
      try await workspace.activate(one, canaryPercent: nil, by: me)
      #expect(workspace.deployment.candidate == nil)
      try await workspace.activate(two, canaryPercent: 50, by: me)
      try await workspace.activate(two, canaryPercent: nil, by: me)
      #expect(Set(try await answers()) == ["two"])
    }
  }
}
