// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Testing

@testable import Evals

@Suite("Eval reports")
struct ReportTests {
  private static func result(
    _ name: String, _ verdict: Verdict?, of expectation: Expectation? = nil, text: String = "Hi",
    interrupted: Bool = false
  ) -> CaseResult {
    let place = EvalPlace(file: "evals/a.lua", line: 2, column: 3)
    let turn = EvalTurn(message: "hello", place: place)
    let judgements = verdict.map { [Judgement(expectation: expectation, verdict: $0)] } ?? []
    return CaseResult(
      EvalCase(name: name, agent: "a", place: place, turns: [turn]), source: .stub,
      turns: [
        TurnResult(
          turn, TurnOutcome(text: text, usingStub: true), judgements, judgesUsage: Usage(costUSD: 0.0005))
      ],
      isInterrupted: interrupted, duration: .milliseconds(12))
  }

  private static let report = EvalReport(
    version: "sha256:1",
    results: [
      result("good", .met, of: .contains("Hi")), result("silent", nil),
      result(
        "bad <&\"\u{1B}>", .failed(Mismatch(expected: "x\ny", got: "Hi", differences: ["- x", "+ Hi"])),
        of: .equals("x\ny")),
      result("unasked", .skipped("no model"), of: .judge("Kind?")),
      result("cut", .met, interrupted: true),
    ], duration: .seconds(1.25))

  @Test("a case is as bad as its worst turn; one of which nothing could be asked is skipped")
  func statuses() {
    #expect(Self.report.results.map(\.status) == [.ok, .ok, .failed, .skipped, .interrupted])
    #expect(
      Self.report.summary.map(\.text).joined()
        == "5 cases: 2 ok, 1 failed, 1 skipped, 1 interrupted (1.3 s, $0.0025)")
  }

  @Test("the table has a row a case, and a failure shows place, message, difference and calls")
  func text() {
    let table = EvalTable(Self.report.results.map(\.evalCase))
    #expect(table.header.map(\.text).joined() == "CASE         TURNS  RESULT       ANSWERS    TIME      COST")
    #expect(
      table.row(Self.report.results[0]).map(\.text).joined()
        == "  good       1      ok           stub       12 ms     $0.0005")
    #expect(
      Self.report.results[2].details.map { $0.map(\.text).joined() }.joined(separator: "\n") == """
        FAILED bad <&"\u{1B}> (evals/a.lua:2:3, agent a, nothing recorded: the stub answered)
          turn 1: hello
            equals
              expected: x
                        y
              got:      Hi
                - x
                + Hi
            tools: no calls
        """)
    #expect(Self.report.results[0].details.isEmpty)
  }

  @Test("the JSON report has every turn with its reply and every expectation with its result")
  func json() throws {
    let json = try Self.report.json().value()
    #expect(json["summary"]?["failed"] == 1 && json["summary"]?["cost_usd"] == 0.0025)
    let bad = json["cases"]?.array?[2]
    #expect(bad?["result"] == "failed" && bad?["file"] == "evals/a.lua" && bad?["line"] == 2)
    let turn = bad?["turns"]?.array?.first
    #expect(turn?["reply"]?["text"] == "Hi" && turn?["user"] == "hello")
    #expect(
      turn?["expectations"]?.array == [
        [
          "name": "equals", "result": "failed", "expected": "x\ny", "got": "Hi",
          "differences": ["- x", "+ Hi"],
        ]
      ])
  }

  @Test("the XML report holds any text and counts what failed")
  func junit() {
    let xml = Self.report.junit
    #expect(
      xml.contains(
        #"<testsuite name="evals/a.lua" tests="5" failures="1" errors="0" skipped="2" time="0.06">"#))
    #expect(xml.contains(#"name="bad &lt;&amp;&quot;\#u{FFFD}&gt;" time="0.012">"#))
    #expect(xml.contains(#"<failure type="equals" message="equals">FAILED bad &lt;&amp;"#))
    #expect(!xml.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
  }

  @Test("a recording's name is made of the case's, and stays a name")
  func recordingNames() {
    func path(_ name: String) -> String {
      EvalCase(
        name: name, agent: "a", place: EvalPlace(file: "evals/market/a.lua", line: 1, column: 1), turns: []
      ).cassettePath
    }
    #expect(path("Lists what was added!") == "evals/cassettes/market/a/lists-what-was-added.jsonl")
    #expect(path("../../etc/passwd") == "evals/cassettes/market/a/etc-passwd.jsonl")
    #expect(path("Größe  2") == "evals/cassettes/market/a/größe-2.jsonl")
    #expect(path("…") == "evals/cassettes/market/a/case.jsonl")
    #expect(
      path(String(repeating: "ü", count: 300)).utf8.count == "evals/cassettes/market/a/.jsonl".utf8.count
        + 120)
  }
}
