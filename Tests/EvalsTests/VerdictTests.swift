// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec
import Testing

@testable import Evals

/// The testing library has a type of that name, too.
typealias Expectation = Evals.Expectation

@Suite("Expectations")
struct VerdictTests {
  private static func call(_ name: String, _ arguments: JSON = [:]) -> ToolCall {
    ToolCall(
      id: "c", name: name, arguments: RawJSON(arguments), outcome: .result(.null),
      startedAt: Timestamp(milliseconds: 0), durationMilliseconds: 0)
  }

  private func mismatch(_ expectation: Expectation, _ outcome: TurnOutcome) -> Mismatch? {
    guard case .failed(let mismatch)? = expectation.verdict(on: outcome) else { return nil }
    return mismatch
  }

  @Test("texts are compared by part and to the letter, and a text of several lines is shown line by line")
  func texts() {
    let outcome = TurnOutcome(text: "one\ntwo\nfour")
    #expect(Expectation.contains("two\nf").verdict(on: outcome) == .met)
    #expect(mismatch(.contains("three"), outcome) == Mismatch(expected: "three", got: "one\ntwo\nfour"))
    #expect(Expectation.equals("one\ntwo\nfour").verdict(on: outcome) == .met)
    #expect(
      mismatch(.equals("one\nthree\nfour"), outcome)?.differences == ["  one", "- three", "+ two", "  four"])
    #expect(mismatch(.equals("ONE"), TurnOutcome(text: "one"))?.differences == [])
    #expect(
      mismatch(.equals("e\u{301}"), TurnOutcome(text: "é")) != nil, "another spelling is another text")
  }

  @Test("of data the named members count, at every depth; lists are compared whole, and 1 is 1.0")
  func data() {
    let outcome = TurnOutcome(
      text: "",
      data: [
        "title": "Lamp", "price": 5, "tags": ["a", "b"], "owner": ["id": 1, "name": "Ada"], "none": [],
      ])
    for expected: JSON in [
      ["title": "Lamp"], ["price": 5.0, "owner": ["name": "Ada"]], ["tags": ["a", "b"]], ["none": [:]], [:],
    ] {
      #expect(Expectation.data(expected).verdict(on: outcome) == .met, "\(expected)")
    }
    #expect(
      mismatch(.data(["price": 7, "owner": ["name": "Bob", "age": 3], "tags": ["a"]]), outcome)?.differences
        == [
          #"owner.age: expected 3, got nothing"#, #"owner.name: expected "Bob", got "Ada""#,
          #"price: expected 7, got 5"#, #"tags: expected ["a"], got ["a","b"]"#,
        ])
    #expect(
      mismatch(.data(["tags": ["a", "c"]]), outcome)?.differences == [#"tags[2]: expected "c", got "b""#])
    #expect(
      mismatch(.data(["none": ["x"]]), outcome) != nil && mismatch(.data(["tags": [:]]), outcome) != nil)
    #expect(mismatch(.data(["a": 1]), TurnOutcome(text: "hi"))?.got == "no data")
  }

  @Test("a tool counts as called when one of its calls has the named arguments among its own")
  func tools() {
    let outcome = TurnOutcome(
      text: "",
      calls: [Self.call("add", ["title": "tea"]), Self.call("add", ["title": "milk", "note": "oat"])])
    #expect(Expectation.toolCalled("add", arguments: nil).verdict(on: outcome) == .met)
    #expect(Expectation.toolCalled("add", arguments: .init([("title", "milk")])).verdict(on: outcome) == .met)
    #expect(Expectation.notCalled("remove").verdict(on: outcome) == .met)
    let wrong = mismatch(.toolCalled("add", arguments: .init([("title", "salt")])), outcome)
    #expect(wrong?.expected == #"add {"title":"salt"}"#)
    #expect(wrong?.got == #"add {"title":"tea"}, add {"title":"milk","note":"oat"}"#)
    #expect(wrong?.differences == [#"title: expected "salt", got "tea""#])
    #expect(mismatch(.toolCalled("remove", arguments: nil), TurnOutcome(text: ""))?.got == "no calls")
    #expect(mismatch(.notCalled("add"), outcome)?.expected == "no call of add")
  }

  @Test("a cost that is not known is no small cost")
  func costs() {
    func outcome(_ cost: Double?) -> TurnOutcome { TurnOutcome(text: "", usage: Usage(costUSD: cost)) }
    #expect(Expectation.costMax(0.01).verdict(on: outcome(0.01)) == .met)
    #expect(mismatch(.costMax(0.01), outcome(0.02))?.got == "0.02 USD")
    #expect(mismatch(.costMax(0.01), outcome(nil))?.got.contains("not known") == true)
  }

  @Test(
    "an error is expected by its code; a turn that fails though nothing asked for it fails the case alone")
  func errors() async throws {
    let failed = TurnOutcome(text: "keep it short", failure: Failure(.rejected, "keep it short"))
    let turn = EvalTurn(
      message: "x", expectations: [.error("rejected"), .contains("short")],
      place: .init(file: "f", line: 1, column: 1))
    #expect(try await turn.judge(failed, by: Silent()).judgements.map(\.verdict) == [.met, .met])
    #expect(mismatch(.error("rejected"), TurnOutcome(text: "Hi"))?.got == "an answer: Hi")
    #expect(mismatch(.error("denied"), failed)?.got == "rejected: keep it short")
    let plain = EvalTurn(message: "x", expectations: [.contains("short")], place: turn.place)
    let judgements = try await plain.judge(failed, by: Silent()).judgements
    #expect(judgements.map(\.name) == ["answer"])
    #expect(TurnResult(plain, failed, judgements, judgesUsage: Usage()).hasBrokenOff)
  }

  @Test("what nobody could be asked about is skipped, and what asking for it failed with is a failure")
  func examiners() async throws {
    let turn = EvalTurn(
      message: "x", expectations: [.judge("Kind?"), .matches("%d"), .check(["1"])],
      place: .init(file: "f", line: 1, column: 1))
    let verdicts = try await turn.judge(TurnOutcome(text: "no digits"), by: Silent()).judgements.map(
      \.verdict)
    #expect(
      verdicts == [
        .skipped("no model was asked 'Kind?': record the case with --record, or ask with --live"),
        .failed(Mismatch(expected: "the pattern %d", got: "no digits")),
        .failed(Mismatch(expected: "a check that is content", got: "too long [limit]")),
      ])
  }

  /// Has no model, finds no pattern, and no end of a check.
  private struct Silent: Examiner {
    func matches(_ text: String, _ pattern: String) -> Bool { false }
    func complaint(of check: [String], about outcome: TurnOutcome) throws -> String? {
      throw Failure(.limit, "too long")
    }
    func opinion(on question: String, about outcome: TurnOutcome, to message: String) -> Judge.Opinion? {
      nil
    }
  }
}
