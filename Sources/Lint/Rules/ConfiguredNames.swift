// SPDX-License-Identifier: Apache-2.0
import Core
import JSONCodec

/// What scripts take from perigee.yaml: secrets, variables and prices.
enum ConfiguredNames: FileRule {
  static let secret = Explanation(
    "C102", .error, "secret that perigee.yaml does not name",
    "`secrets.get` finds what `scripts.secrets` lists; anything else raises `not_found`.",
    wrong: "return { header = function() return \"Bearer \" .. secrets.get(\"strip\") end }\n",
    right: "return { header = function() return \"Bearer \" .. secrets.get(\"stripe\") end }\n")
  static let variable = Explanation(
    "C103", .warning, "variable that scripts.env does not list",
    "`ctx.env` shows only the variables that `scripts.env` names: this one is always nil.",
    wrong:
      "return { prompt = function(ctx) return \"Answer in \" .. (ctx.env.LANGUAGES or \"English\") end }\n",
    right:
      "return { prompt = function(ctx) return \"Answer in \" .. (ctx.env.LANGUAGE or \"English\") end }\n",
    path: "agents/a.lua")
  static let price = Explanation(
    "C104", .error, "cost limit without a price",
    "A limit of cost needs the price of every model that the agent may ask (`models.prices`): without it each turn ends and says so.",
    wrong: "return { prompt = \"p\", model = \"mystery-1\", limits = { cost_usd = 0.1 } }\n",
    right: "return { prompt = \"p\", model = \"gpt-4o-mini\", limits = { cost_usd = 0.1 } }\n",
    path: "agents/a.lua")
  static let explanations = [secret, variable, price]

  /// A configuration in which the samples are right.
  static let sampleSettings = LintSettings(
    secrets: ["stripe"], environment: ["LANGUAGE", "TZ"], pricedModels: ["gpt-4o-mini"],
    defaultModel: "gpt-4o-mini", providers: ["openai"])

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    if let known = file.settings.secrets { secrets(known, in: file, &findings) }
    if let known = file.settings.environment { variables(known, in: file, &findings) }
    if let known = file.settings.pricedModels { prices(known, in: file, &findings) }
  }

  private static func secrets(_ known: Set<String>, in file: LintedFile, _ findings: inout Findings) {
    for member in file.model.members where member.variable == nil && member.path == "secrets.get" {
      guard let first = member.arguments?.first, let name = first.text, !known.contains(name) else {
        continue
      }
      findings.add(
        secret, at: first.range, "perigee.yaml names no secret '\(name)'",
        hint: Suggestion.hint(for: name, in: known.sorted())
          ?? (known.isEmpty
            ? "list it in scripts.secrets" : "it names \(known.sorted().joined(separator: ", "))"))
    }
  }

  private static func variables(_ known: Set<String>, in file: LintedFile, _ findings: inout Findings) {
    for member in file.model.members where member.fields.count > 1 && member.fields[0].text == "env" {
      guard let index = member.variable, case .named(let type)? = file.typing.variables[index],
        ["perigee.Context", "perigee.ToolContext"].contains(type), !known.contains(member.fields[1].text)
      else { continue }
      findings.add(
        variable, at: member.fields[1].range, "scripts.env does not list '\(member.fields[1].text)'",
        hint: Suggestion.hint(for: member.fields[1].text, in: known.sorted())
          ?? "add it to scripts.env in perigee.yaml")
    }
  }

  private static func prices(_ known: Set<String>, in file: LintedFile, _ findings: inout Findings) {
    guard case .agent = file.kind, let root = file.value?.object, let table = file.returned,
      root["limits"]?["cost_usd"]?.double != nil, root["model"]?.hasUnknown != true,
      root["prompt"] != nil
    else { return }
    let given = root["model"].map { $0.string.map { [$0] } ?? $0.array?.compactMap(\.string) ?? [] }
    let models = given ?? file.settings.defaultModel.map { [$0] } ?? []
    for (index, model) in models.enumerated() {
      // `provider/name` may have its price under the name alone.
      let name = model.firstIndex(of: "/").map { String(model[model.index(after: $0)...]) } ?? model
      if known.contains(model) || known.contains(name) { continue }
      let path =
        root["model"] == nil
        ? ["limits", "cost_usd"] : root["model"]?.array == nil ? ["model"] : ["model", String(index + 1)]
      findings.add(
        price, at: table.position(of: path, .value).range,
        "the model '\(model)' has no price, and the agent has a limit of cost",
        hint: "add it to models.prices in perigee.yaml")
    }
  }
}
