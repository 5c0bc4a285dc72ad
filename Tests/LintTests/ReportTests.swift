// SPDX-License-Identifier: Apache-2.0
import JSONCodec
import Testing

@testable import Lint

@Suite struct ReportTests {
  private let findings = lint([
    "lib/a b.lua": "local x = 1\nreturn { foo }\n", "lib/é.lua": "return string.trim('ä', 1)\n",
  ])

  @Test("workflow commands are one line each, escaped as GitHub reads them")
  func github() {
    #expect(
      findings.map(\.workflowCommand) == [
        "::warning file=lib/a b.lua,line=1,col=7,endColumn=8,title=P111::the local variable 'x' is never used%0Atake it away, or call it _x",
        "::error file=lib/a b.lua,line=2,col=10,endColumn=13,title=P101::'foo' is not defined",
        "::error file=lib/é.lua,line=1,col=15,endColumn=19,title=P104::'string' has no 'trim'%0Ait has: byte, char, find, format, gmatch, gsub, len, lower, match, pack, packsize, rep, reverse, sub, unpack, upper",
      ])
    let place = SourceRange(.start, Position(offset: 9, line: 3, column: 2))
    let odd = Diagnostic(
      file: "a,b:c%.lua", range: place, severity: .info, code: .unexpected, message: "50%\r\nof: it, all")
    #expect(
      odd.workflowCommand
        == "::notice file=a%2Cb%3Ac%25.lua,line=1,col=1,endLine=3,title=P001::50%25%0D%0Aof: it, all")
  }

  @Test("SARIF names its schema, every rule that it uses, and each place")
  func sarif() throws {
    let log = try JSON(parsing: Diagnostic.sarif(findings, version: "1.2.3"))
    #expect(log["version"] == "2.1.0")
    #expect(log["$schema"]?.string?.hasSuffix("sarif-2.1.0.json") == true)
    let run = try #require(log["runs"]?.array?.first)
    let driver = try #require(run["tool"]?["driver"])
    #expect(driver["name"] == "perigee" && driver["version"] == "1.2.3")
    let rules = driver["rules"]?.array?.compactMap { $0["id"]?.string } ?? []
    #expect(rules == ["P101", "P104", "P111"])
    let results = run["results"]?.array ?? []
    #expect(results.count == 3)
    for result in results {
      let index = try #require(result["ruleIndex"]?.integer)
      #expect(rules[Int(index)] == result["ruleId"]?.string)
      #expect(["error", "warning", "note"].contains(result["level"]?.string))
    }
    let first = try #require(results.first?["locations"]?.array?.first?["physicalLocation"])
    #expect(first["artifactLocation"]?["uri"] == "lib/a%20b.lua")
    #expect(first["region"] == ["startLine": 1, "startColumn": 7, "endLine": 1, "endColumn": 8])
    #expect(
      results.last?["locations"]?.array?.first?["physicalLocation"]?["artifactLocation"]?["uri"]
        == "lib/%C3%A9.lua")
  }
}
