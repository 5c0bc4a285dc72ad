// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

/// What people decide in a case.
extension EvalTests {
  private static let asking = [
    "agents/desk.lua": """
    return { run = function(ctx, input)
      local first = approval.request{ title = "Refund?", fields = { sum = { type = "integer", minimum = 1 } } }
      if not first.approved then return "no: " .. (first.comment or "") end
      local second = approval.request{ title = "Today?" }
      return first.values.sum .. (second.approved and " today" or " later")
    end }
    """
  ]

  private func decided(_ decide: String, _ text: String) async throws -> Outcome {
    try await eval(
      [
        "desk.lua": """
        return { { name = "asks", agent = "desk", turns = {
          { user = "broken", decide = \(decide), expect = { equals = "\(text)" } },
        } } }
        """
      ], in: Folder(Self.asking))
  }

  @Test("questions are answered in their order, with a comment and with what a form asks for")
  func decides() async throws {
    let form = #"{ decision = "approve", values = { sum = 5 } }"#
    for (decide, text) in [
      ("{ \(form), 'reject' }", "5 later"), ("{ \(form), { decision = 'approve' } }", "5 today"),
      ("{ decision = 'reject', comment = 'too late' }", "no: too late"),
    ] {
      let outcome = try await decided(decide, text)
      #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    }
  }

  @Test(
    "a question without an answer fails its turn, and so does an answer without a question, or that does not fit"
  )
  func decidesWrongly() async throws {
    for (decide, fault) in [
      ("{}", "it asks 'Refund?'"), ("{ 'reject', 'approve' }", "'approve'"),
      ("'maybe'", "the decision must be"),
      ("'approve'", "wrong values"),
    ] {
      let outcome = try await decided(decide, "?")
      #expect(outcome.status == 1 && outcome.output.contains(fault), "\(outcome.output)\(outcome.errors)")
    }
    let wrong = try await decided("{ choice = 'approve' }", "?")
    #expect(wrong.status != 0 && wrong.errors.contains("choice"), "\(wrong.output)\(wrong.errors)")
  }

  @Test("questions side by side are answered in the order of their steps' names")
  func decidesSideBySide() async throws {
    let files = [
      "agents/desk.lua": """
      return { steps = {
        a = { approval = "A?" }, b = { approval = "B?", on_error = "continue" },
        all = { needs = { "a", "b" }, run = function(ctx, r)
          return (r.a and "A" or "-") .. (r.b and "B" or "-") end },
      } }
      """
    ]
    for _ in 0..<4 {
      let outcome = try await eval(
        [
          "desk.lua": """
          return { { name = "asks", agent = "desk", turns = {
            { user = "x", decide = { "approve", "reject" }, expect = { contains = "A-" } },
          } } }
          """
        ], in: Folder(files))
      #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    }
  }
}
