// SPDX-License-Identifier: Apache-2.0

/// Labels and gotos of one function.
///
/// Source: Lua 5.4 manual, 3.3.4: a label is visible in the whole block that defines it, but no goto may
/// jump into the scope of a local variable.
struct Jumps {
  private struct Jump {
    let name: Name
    /// Variables that are active here, less those of every block left since.
    var activeCount: Int
    var isSolved = false
  }

  private struct Scope {
    let firstJump: Int
    let firstLabel: Int
    let activeCount: Int
  }

  private var jumps: [Jump] = []
  /// Unsolved jumps of each name, in the order of the file: those of the open block are at the end.
  private var waiting: [String: [Int]] = [:]
  private var labels: [Name] = []
  private var visible: [String: Name] = [:]
  private var scopes: [Scope] = []

  /// Gotos that found no label.
  var unsolved: [Name] { jumps.lazy.filter { !$0.isSolved }.map(\.name) }

  /// Label of that name that can be seen from here.
  func label(_ name: String) -> Name? { visible[name] }

  mutating func enter(activeCount: Int) {
    scopes.append(Scope(firstJump: jumps.count, firstLabel: labels.count, activeCount: activeCount))
  }

  /// Ends a block: its labels are forgotten, its gotos become those of the block around it.
  mutating func leave() {
    guard let scope = scopes.popLast() else { return }
    for label in labels[scope.firstLabel...] { visible[label.text] = nil }
    labels.removeSubrange(scope.firstLabel...)
    for index in scope.firstJump..<jumps.count {
      jumps[index].activeCount = min(jumps[index].activeCount, scope.activeCount)
    }
  }

  mutating func jump(to name: Name, activeCount: Int) {
    guard visible[name.text] == nil else { return }
    waiting[name.text, default: []].append(jumps.count)
    jumps.append(Jump(name: name, activeCount: activeCount))
  }

  /// Makes a label visible, and lets the gotos of its block find it.
  ///
  /// - Returns: Gotos that would enter the scope of a variable.
  mutating func define(_ name: Name, activeCount: Int) -> [Name] {
    labels.append(name)
    visible[name.text] = name
    var wrong: [Name] = []
    let firstJump = scopes.last?.firstJump ?? 0
    while let index = waiting[name.text]?.last, index >= firstJump {
      waiting[name.text]?.removeLast()
      jumps[index].isSolved = true
      if jumps[index].activeCount < activeCount { wrong.append(jumps[index].name) }
    }
    return wrong
  }
}
