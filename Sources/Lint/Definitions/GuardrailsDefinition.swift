// SPDX-License-Identifier: Apache-2.0
import Core
import Guardrails
import JSONCodec

/// Turns `guardrails` into ``GuardRules``, and says at which stages there are functions among them.
enum GuardrailsDefinition {
  static func decode(_ owner: DefinitionReader) -> (GuardRules, Agent.Hooks) {
    guard let reader = owner.table("guardrails", noun: "guardrails") else { return (GuardRules(), []) }
    reader.allow(["input", "output", "tools"])
    var (rules, hooks) = (GuardRules(), Agent.Hooks())
    rules.input = entries(reader, "input") { hooks.insert(.inputGuards) }
    rules.output = entries(reader, "output") { hooks.insert(.outputGuards) }
    // A list is one of functions: whether a rule refuses or masks has to be said.
    if reader.value("tools")?.array?.isEmpty == false {
      functions(reader, "tools") { hooks.insert(.toolGuards) }
    } else if let tools = reader.table("tools", noun: "tools") {
      tools.allow(["refuse", "mask", "check"])
      rules.toolsRefused = detectors(tools, "refuse")
      rules.toolsMasked = detectors(tools, "mask")
      functions(tools, "check") { hooks.insert(.toolGuards) }
    }
    return (rules, hooks)
  }

  /// A list of rules and functions.
  private static func entries(
    _ reader: DefinitionReader, _ key: String, _ onFunction: () -> Void
  ) -> Set<Detector> {
    var detectors: Set<Detector> = []
    for (index, entry) in (reader.list(key, of: "rules and functions") ?? []).enumerated() {
      let place = [key, String(index + 1)]
      if let name = entry.string {
        detectors.formUnion(rule(name, at: place, reader))
      } else if isFunction(entry, at: place, "a rule's name, a function or { name =, run = }", reader) {
        onFunction()
      }
    }
    return detectors
  }

  private static func functions(_ reader: DefinitionReader, _ key: String, _ onFunction: () -> Void) {
    for (index, entry) in (reader.list(key, of: "functions") ?? []).enumerated()
    where isFunction(entry, at: [key, String(index + 1)], "a function or { name =, run = }", reader) {
      onFunction()
    }
  }

  private static func detectors(_ reader: DefinitionReader, _ key: String) -> Set<Detector> {
    var detectors: Set<Detector> = []
    for (index, name) in (reader.strings(key) ?? []).enumerated() {
      detectors.formUnion(rule(name, at: [key, String(index + 1)], reader))
    }
    return detectors
  }

  private static func rule(_ name: String, at place: [String], _ reader: DefinitionReader) -> [Detector] {
    let named = Detector.named(name)
    if named.isEmpty {
      let nearest = Suggestion.nearest(to: name, in: GuardRules.names)
      reader.problems.add(
        path: reader.path + place, .wrongType, "'\(place[0])' has no rule '\(name)'",
        hint: nearest.map { "did you mean '\($0)'?" }
          ?? "there are \(GuardRules.names.joined(separator: ", "))")
    }
    return named
  }

  /// Whether a function stands there, by itself or under `run` with a name; whatever else does is reported.
  private static func isFunction(
    _ entry: JSON, at place: [String], _ expected: String, _ reader: DefinitionReader
  ) -> Bool {
    if entry.isFunctionMark { return true }
    if entry.isUnknown { return false }
    guard let object = entry.object, !entry.isMark, !object.isEmpty else {
      reader.problems.add(
        path: reader.path + place, .wrongType,
        "'\(place[0])' holds \(expected); element \(place[1]) is \(entry.describedType)",
        hint: entry.string.map { _ in "name rules under 'refuse' or 'mask'" })
      return false
    }
    let inner = DefinitionReader(
      object, path: reader.path + place, problems: reader.problems, noun: "a guard")
    inner.allow(["name", "run"])
    if let name = inner.string("name"), !(1...64).contains(name.utf8.count) {
      inner.report("name", .outOfRange, "'name' must have 1 to 64 bytes")
    }
    for key in ["name", "run"] where !inner.isPresent(key) && !inner.isOpen {
      inner.report(nil, .missingField, "a guard needs '\(key)'")
    }
    return inner.function("run")
  }
}
