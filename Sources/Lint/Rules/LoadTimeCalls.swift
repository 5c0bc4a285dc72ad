// SPDX-License-Identifier: Apache-2.0

/// Host calls that happen while a script loads.
enum LoadTimeCalls: FileRule {
  static let loading = Explanation(
    "P161", .error, "host call while loading",
    "Loading a script has no effects, and there is no run to act for: the call raises and the workspace is refused. Call it in a function that a run calls.",
    wrong: "local started = time.now()\nreturn { started = function() return started end }\n",
    right: "return { started = function() return time.now() end }\n", isIgnorable: false)
  static let explanations = [loading]

  static func check(_ file: LintedFile, _ findings: inout Findings) {
    guard file.kind != .other, !file.model.changesEnvironment else { return }
    let model = file.model
    // The file itself, and the local functions that it calls.
    var running: [Int] = [0]
    var seen: Set<Int> = [0]
    while let function = running.popLast() {
      for member in model.members where member.function == function {
        guard member.arguments != nil else { continue }
        if let variable = member.variable {
          guard member.fields.isEmpty, let called = model.function(ofVariable: variable) else { continue }
          if seen.insert(called).inserted { running.append(called) }
        } else if let call = file.api.functions[member.path], call.needsRun {
          findings.add(
            loading, at: member.range, "'\(call.path)' is not available while a script loads",
            hint: "call it from a tool, prompt, before, after or run")
        }
      }
    }
  }
}
