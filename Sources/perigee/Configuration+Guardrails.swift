// SPDX-License-Identifier: Apache-2.0
import Core
import Guardrails
import Settings

extension Configuration {
  /// What is looked for in the messages and answers of all agents: `{ input: [pii], output: [pii, secrets] }`.
  ///
  /// - Throws: ``ConfigurationError`` for anything else.
  func guardRules() throws -> GuardRules {
    var (rules, problems): (GuardRules, [ConfigurationError.Problem]) = (GuardRules(), [])
    for entry in guardrails.entries {
      let names = entry.value.strings
      guard entry.key == "input" || entry.key == "output", let names else {
        problems.append(
          .init(
            source: entry.source,
            message: names == nil && ["input", "output"].contains(entry.key)
              ? "guardrails.\(entry.key) must be a list of rules"
              : "guardrails.\(entry.key) is not available yet",
            hint: "there are input and output, each a list of \(GuardRules.names.joined(separator: ", "))"))
        continue
      }
      for name in names {
        let detectors = Detector.named(name)
        if detectors.isEmpty {
          problems.append(
            .init(
              source: entry.value.source, message: "guardrails.\(entry.key) has no rule '\(name)'",
              hint: Suggestion.nearest(to: name, in: GuardRules.names).map { "did you mean '\($0)'?" }
                ?? "there are \(GuardRules.names.joined(separator: ", "))"))
        }
        if entry.key == "input" {
          rules.input.formUnion(detectors)
        } else {
          rules.output.formUnion(detectors)
        }
      }
    }
    if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    return rules
  }
}

extension Tree {
  /// `nil` = it is no list of texts.
  fileprivate var strings: [String]? {
    guard case .list(let elements) = value else { return nil }
    var strings: [String] = []
    for element in elements {
      guard case .string(let text) = element.value else { return nil }
      strings.append(text)
    }
    return strings
  }
}
