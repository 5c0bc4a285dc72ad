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

  @Test("the first version on which a case fails is found, past those that do not load")
  func bisect() async throws {
    let folder = try Folder(["agents/host.lua": Self.saying("Good day."), "evals/host.lua": Self.polite])
    func load(_ agent: String) async throws -> String {
      try folder.write("agents/host.lua", agent)
      _ = try await perigee("run", "host", "--input", #"{"message":"x"}"#, "--workspace", folder.path)
      let list = try await perigee("versions", "--json", "--workspace", folder.path)
      return try #require(try JSON(parsing: list.output)["data"]?.array?.first?["version"]?.string)
    }
    var versions: [String] = []
    for number in 0..<11 {
      var agent = "-- \(number)\n" + Self.saying(number < 7 ? "Good day \(number)." : "Yo \(number).")
      // Kept when it was loaded, and no agent of that name is in it.
      if number == 5 {
        try folder.write("agents/other.lua", agent)
        agent = "return { run = function() return '' end }"
        try FileManager.default.removeItem(atPath: folder.path + "/agents/host.lua")
        _ = try await perigee("run", "other", "--input", "x", "--workspace", folder.path)
        let list = try await perigee("versions", "--json", "--workspace", folder.path)
        versions.append(
          try #require(try JSON(parsing: list.output)["data"]?.array?.first?["version"]?.string))
        continue
      }
      versions.append(try await load(agent))
    }
    func bisect(_ arguments: String...) async throws -> Outcome {
      try await perigee(["bisect", "evals/host.lua", "--workspace", folder.path] + arguments)
    }
    let found = try await bisect("--good", versions[0], "--json")
    #expect(found.status == 0, "\(found.errors)")
    let json = try JSON(parsing: found.output)
    #expect(json["first_bad"]?.string == versions[7] && json["last_good"]?.string == versions[6])
    let tried = try #require(json["tried"]?.array)
    #expect(tried.count <= 7 && tried.contains { $0["result"] == "skipped" }, "\(tried)")
    let text = try await bisect("--good", versions[3], "--bad", versions[7])
    #expect(text.output.contains("The first on which a case fails is \(versions[7])."), "\(text.output)")
    #expect(text.output.contains("does not load") && text.errors.contains("perigee diff"))
    // Of neighbours nothing is left to try; where only what does not load is left, all of it is named.
    #expect(try await bisect("--good", versions[6], "--bad", versions[7]).output.contains(versions[7]))
    #expect(try await bisect("--good", versions[8], "--bad", versions[10]).status == 1)
    #expect(try await bisect("--good", versions[0], "--bad", versions[3]).status == 1)
    let backwards = try await bisect("--good", versions[7], "--bad", versions[2])
    #expect(backwards.status != 0 && backwards.errors.contains("not later"), "\(backwards.errors)")
    #expect(try await bisect("--good", "ffff").errors.contains("ffff"))
    #expect(try await bisect("--good", versions[0], "--filter", "says something").status == 1)
  }
}
