// SPDX-License-Identifier: Apache-2.0
import Core
import Guardrails
import Settings

extension Configuration {
  /// What is looked for in the messages, tools' results and answers of all agents: `{ input: [pii], output: [pii] }`.
  ///
  /// - Throws: ``ConfigurationError`` for anything else.
  func guardRules() throws -> GuardRules {
    var (rules, problems) = (GuardRules(policies), [ConfigurationError.Problem]())
    for entry in guardrails.entries {
      switch entry.key {
      case "input": rules.input.formUnion(detectors(entry, "input", &problems))
      case "output": rules.output.formUnion(detectors(entry, "output", &problems))
      case "tools":
        guard case .map(let inner) = entry.value.value else {
          problems.append(
            .init(source: entry.value.source, message: "guardrails.tools must be a map of keys"))
          continue
        }
        for inner in inner {
          switch inner.key {
          case "refuse": rules.toolsRefused.formUnion(detectors(inner, "tools.refuse", &problems))
          case "mask": rules.toolsMasked.formUnion(detectors(inner, "tools.mask", &problems))
          default:
            problems.append(
              .init(
                source: inner.source, message: "unknown key 'guardrails.tools.\(inner.key)'",
                hint: "known here: refuse, mask"))
          }
        }
      case let key where Policies.sections.contains(key):
        let filters = entry.value.entries.filter { key == "input_validation" && $0.key == "content_filters" }
        for filter in filters {
          rules.input.formUnion(detectors(filter, "input_validation.content_filters", &problems))
        }
      default:
        problems.append(
          .init(
            source: entry.source, message: "guardrails.\(entry.key) is not available yet",
            hint: "there are input, output and tools, and \(Policies.sections.joined(separator: ", "))"))
      }
    }
    if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    return rules
  }

  private func detectors(
    _ entry: Tree.Entry, _ path: String, _ problems: inout [ConfigurationError.Problem]
  ) -> Set<Detector> {
    guard let names = entry.value.strings else {
      problems.append(
        .init(
          source: entry.source, message: "guardrails.\(path) must be a list of rules",
          hint: "there are \(GuardRules.names.joined(separator: ", "))"))
      return []
    }
    var detectors: Set<Detector> = []
    for name in names {
      let named = Detector.named(name)
      if named.isEmpty {
        problems.append(
          .init(
            source: entry.value.source, message: "guardrails.\(path) has no rule '\(name)'",
            hint: Suggestion.nearest(to: name, in: GuardRules.names).map { "did you mean '\($0)'?" }
              ?? "there are \(GuardRules.names.joined(separator: ", "))"))
      }
      detectors.formUnion(named)
    }
    return detectors
  }
}

extension GuardRules {
  fileprivate init(_ policies: Configuration.Policies) {
    self.init()
    inputBytesMax = policies.inputBytesMax
    fileTypes = policies.fileTypes.map { Set($0) }
    outputBytesMax = policies.outputBytesMax
    if policies.removesPersonalData {
      output.formUnion(Detector.named("pii"))
      style = .remove
    }
    if policies.masksSecrets { output.formUnion(Detector.named("secrets")) }
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
