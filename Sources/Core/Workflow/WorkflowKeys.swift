// SPDX-License-Identifier: Apache-2.0

/// Where the steps of a graph stand in the journal; none of it depends on when something happened.
///
/// `step.publish`, of an element `step.publish.3`, of what runs in place of it `step.publish.3.else.apologize`; behind
/// it an attempt, `/2`. Attempt 0 is the deciding. A failure that the step itself noted ends with `!`.
struct WorkflowKeys {
  /// Elements of one list.
  static let elementsMax = 10_000

  /// Before the keys of the run.
  let prefix: String

  var root: String { "\(prefix)step." }

  func key(of unit: WorkflowEngine.Unit, in workflow: Workflow) -> String {
    var key = root + workflow.steps[unit.step].name
    if let element = unit.element { key += ".\(element + 1)" }
    if unit.acting != unit.step { key += ".else.\(workflow.steps[unit.acting].name)" }
    return key
  }

  func key(ofDeciding step: String) -> String { "\(root)\(step)/0" }

  /// The failure that ended a graph in an earlier life of its run: of those that nothing catches the first in the
  /// order of the steps.
  ///
  /// - Parameter recorded: Keys behind ``root``.
  static func failure(
    of workflow: Workflow, in recorded: [(key: Substring, failure: Failure)]
  ) -> Failure? {
    guard !recorded.isEmpty else { return nil }
    let index = Dictionary(workflow.steps.enumerated().map { ($1.name, $0) }) { first, _ in first }
    var found: (place: (Int, Int), failure: Failure)?
    for (key, failure) in recorded {
      // What stands deeper belongs to an action that may yet have caught it.
      let parts = key.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 2, let attempt = Int(parts[1].last == "!" ? parts[1].dropLast() : parts[1])
      else { continue }
      let names = parts[0].split(separator: ".")
      guard let step = names.first.flatMap({ index[String($0)] }),
        let acting = names.count > 2 && names[names.count - 2] == "else"
          ? names.last.flatMap({ index[String($0)] }) : step,
        workflow.steps[acting].onError == .fail,
        workflow.steps[acting].task.retry.pause(after: attempt, failure) == nil
      else { continue }
      let place = (step, names.count > 1 ? Int(names[1]) ?? 0 : 0)
      if found.map({ place < $0.place }) ?? true { found = (place, failure) }
    }
    return found?.failure
  }
}
