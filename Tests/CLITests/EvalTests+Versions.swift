// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONCodec
import Testing

/// Cases on versions that are no longer in the folder.
extension EvalTests {
  private static let polite = """
    return {
      { name = "is polite", agent = "host", turns = { { user = "hi", expect = { contains = "Good day" } } } },
      { name = "says something", agent = "host", turns = { { user = "hi", expect = { matches = "%a" } } } },
    }
    """

  private static func saying(_ text: String) -> String {
    "return { prompt = 'Greet.', stub = function() return '\(text)' end }\n"
  }

  @Test("the same cases run on a kept version, and beside one")
  func versions() async throws {
    let folder = try Folder([
      "agents/host.lua": Self.saying("Good day."), "evals/host.lua": Self.polite,
    ])
    let first = try await perigee("run", "host", "--input", #"{"message":"x"}"#, "--workspace", folder.path)
    #expect(first.status == 0, "\(first.errors)")
    let list = try await perigee("versions", "--json", "--workspace", folder.path)
    let version = try #require(try JSON(parsing: list.output)["data"]?.array?.first?["version"]?.string)
    try folder.write("agents/host.lua", Self.saying("Yo."))

    #expect(try await eval([:], in: folder).status == 1)
    let kept = try await eval([:], ["--version", version], in: folder)
    #expect(kept.status == 0 && kept.output.contains("2 cases: 2 ok ("), "\(kept.output)\(kept.errors)")

    let beside = try await eval([:], ["--against", version], in: folder)
    #expect(beside.status == 1)
    #expect(beside.output.contains("against \(version): 2 cases: 2 ok ("), "\(beside.output)")
    #expect(beside.output.contains("  worse: evals/host.lua: is polite: ok there, failed here\n"))
    #expect(!beside.output.contains("says something: "))
    let json = try JSON(
      parsing: try await eval([:], ["--against", version, "--json"], in: folder).output)
    #expect(json["summary"]?["failed"] == 1)
    #expect(json["against"]?["version"]?.string == version)
    #expect(json["against"]?["summary"]?["ok"] == 2)
    #expect(
      json["against"]?["changes"]
        == [["name": "is polite", "file": "evals/host.lua", "before": "ok", "after": "failed"]])

    let same = try await eval([:], ["--version", version, "--against", version], in: folder)
    #expect(same.status == 0 && same.output.contains("every case came out the same"), "\(same.output)")
    let unknown = try await eval([:], ["--against", "ffff"], in: folder)
    #expect(unknown.status == 1 || unknown.status == 2)
    #expect(unknown.errors.contains("ffff"), "\(unknown.errors)")
    #expect(try await eval([:], ["--against", version, "--record"], in: folder).status == 2)
  }
}
