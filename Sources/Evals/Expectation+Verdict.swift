// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

extension Expectation {
  /// What the answer itself says about it; `nil` when that takes the eval's Lua, or a model.
  func verdict(on outcome: TurnOutcome) -> Verdict? {
    switch self {
    case .contains(let part):
      outcome.text.contains(part) ? .met : .failed(Mismatch(expected: part, got: outcome.text))
    case .equals(let text):
      // By bytes: two spellings of one accented letter are two texts for a machine that reads them.
      outcome.text.utf8.elementsEqual(text.utf8)
        ? .met
        : .failed(
          Mismatch(
            expected: text, got: outcome.text, differences: TextDifference.lines(text, outcome.text)))
    case .data(let expected): Self.data(expected, outcome.data)
    case .toolCalled(let name, let arguments): Self.called(name, arguments, outcome)
    case .notCalled(let name):
      outcome.allCalls.contains { $0.name == name }
        ? .failed(Mismatch(expected: "no call of \(name)", got: outcome.callsSummary)) : .met
    case .costMax(let limit): Self.cost(limit, outcome.usage)
    case .error(let code):
      outcome.failure?.code.rawValue == code
        ? .met
        : .failed(
          Mismatch(
            expected: "the error '\(code)'",
            got: outcome.failure.map { "\($0)" } ?? "an answer: \(outcome.text)"))
    case .matches, .judge, .check: nil
    }
  }

  private static func data(_ expected: JSON, _ got: JSON?) -> Verdict {
    let differences = DataDifference.between(expected, got)
    if differences.isEmpty { return .met }
    return .failed(
      Mismatch(
        expected: expected.canonical.text, got: got?.canonical.text ?? "no data",
        differences: got == nil ? [] : differences.map(\.description)))
  }

  private static func called(_ name: String, _ arguments: JSONObject?, _ outcome: TurnOutcome) -> Verdict {
    let named = outcome.allCalls.filter { $0.name == name }
    let expected = arguments.map { "\(name) \(JSON.object($0).canonical.text)" } ?? "a call of \(name)"
    guard let arguments, !named.isEmpty else {
      return named.isEmpty ? .failed(Mismatch(expected: expected, got: outcome.callsSummary)) : .met
    }
    let differences = named.map {
      DataDifference.between(.object(arguments), try? $0.arguments.value())
    }
    guard let nearest = differences.min(by: { $0.count < $1.count }), !nearest.isEmpty else { return .met }
    return .failed(
      Mismatch(expected: expected, got: outcome.callsSummary, differences: nearest.map(\.description)))
  }

  private static func cost(_ limit: Double, _ usage: Usage) -> Verdict {
    guard let cost = usage.costUSD else {
      return .failed(
        Mismatch(
          expected: "at most \(limit) USD", got: "a cost that is not known: name the price in models.prices")
      )
    }
    return cost <= limit ? .met : .failed(Mismatch(expected: "at most \(limit) USD", got: "\(cost) USD"))
  }
}
