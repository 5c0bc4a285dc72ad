// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// Names of models, as far as perigee.yaml says which there are.
enum ModelNames: FileRule {
  static let unknown = Explanation(
    "C105", .warning, "unknown model",
    "The name begins with a provider that perigee.yaml does not have, or is a slip away from a model in `models.default` or `models.prices`. Any other name is taken as it is: perigee.yaml need not list models, and names that differ in a number are different models.",
    wrong: "return { prompt = \"p\", model = \"gpt-4o-mni\" }\n",
    right: "return { prompt = \"p\", model = \"gpt-4o-mini\" }\n", path: "agents/a.lua")
  static let explanations = [unknown]

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    let known = (file.settings.pricedModels ?? []).union(file.settings.defaultModel.map { [$0] } ?? [])
    for (name, range) in named(in: file) {
      guard let complaint = complaint(about: name, known, file.settings) else { continue }
      findings.add(unknown, at: range, complaint.message, hint: complaint.hint)
    }
  }

  /// Names that are written out: an agent's `model`, and the `model` of calls.
  private static func named(in file: LintedFile) -> [(name: String, range: SourceRange)] {
    var named: [(name: String, range: SourceRange)] = []
    if case .agent = file.kind, let model = file.value?.object?["model"], let table = file.returned {
      if let name = model.string { named.append((name, table.position(of: ["model"], .value).range)) }
      for (index, item) in (model.array ?? []).enumerated() {
        guard let name = item.string else { continue }
        named.append((name, table.position(of: ["model", String(index + 1)], .value).range))
      }
    }
    for member in file.model.members where member.variable == nil && !file.model.changesEnvironment {
      guard ["llm.chat", "llm.stream", "llm.embed"].contains(member.path),
        case .table(let options)? = member.arguments?.first?.core.kind,
        let value = options.fields.last(where: { $0.keyText == "model" })?.value
      else { continue }
      if let name = value.text { named.append((name, value.range)) }
      guard case .table(let list) = value.core.kind else { continue }
      for field in list.fields { if let name = field.value.text { named.append((name, field.value.range)) } }
    }
    return named
  }

  private static func complaint(
    about name: String, _ known: Set<String>, _ settings: LintSettings
  ) -> (message: String, hint: String)? {
    if known.contains(name) { return nil }
    var model = name
    if let slash = name.firstIndex(of: "/"), let providers = settings.providers {
      let provider = String(name[..<slash])
      if providers.contains(provider) {
        model = String(name[name.index(after: slash)...])
      } else if let near = Suggestion.hint(for: provider, in: providers.sorted()) {
        return ("perigee.yaml has no provider '\(provider)'", near)
      } else if settings.prefixesAreProviders {
        let names = providers.sorted().joined(separator: ", ")
        return ("perigee.yaml has no provider '\(provider)'", "add it to providers, which has \(names)")
      }
    }
    if known.contains(model) { return nil }
    // A price may stand under the model's name alone.
    let names = known.flatMap { full in
      [full] + (full.firstIndex(of: "/").map { [String(full[full.index(after: $0)...])] } ?? [])
    }
    if names.contains(model) { return nil }
    guard let near = names.sorted().first(where: { isSlip(model, for: $0) }) else { return nil }
    return ("perigee.yaml knows no model '\(model)'", "did you mean '\(near)'?")
  }

  /// Whether one name is the other but for signs, capitals, or a slip in one word; numbers are never slips.
  private static func isSlip(_ name: String, for other: String) -> Bool {
    let (words, others) = (words(of: name), words(of: other))
    guard words.count == others.count else { return false }
    let differing = zip(words, others).filter { $0 != $1 }
    guard let (word, right) = differing.first else { return true }
    return differing.count == 1 && min(word.count, right.count) >= 3 && word.allSatisfy(\.isLetter)
      && Suggestion.isOneSlip(word, from: right)
  }

  /// Runs of letters and runs of digits, in small letters.
  private static func words(of name: String) -> [String] {
    name.lowercased().split { !$0.isLetter && !$0.isNumber }.flatMap { part in
      part.reduce(into: [String]()) { words, character in
        if let last = words.last?.last, last.isNumber == character.isNumber {
          words[words.count - 1].append(character)
        } else {
          words.append(String(character))
        }
      }
    }
  }
}
