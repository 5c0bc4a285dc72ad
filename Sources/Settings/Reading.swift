// SPDX-License-Identifier: Apache-2.0
import Core

/// What is learned while sources are read one over the other.
struct Reading: Sendable {
  var problems: [ConfigurationError.Problem] = []
  /// Who set each key, by full path.
  var sources: [String: Configuration.Source] = [:]
  /// Where each element of a map or list was first named.
  var places: [String: Configuration.Source] = [:]

  mutating func refuse(_ source: Configuration.Source, _ message: String, hint: String? = nil) {
    problems.append(.init(source: source, message: message, hint: hint))
  }

  /// Drops what is known of a list that is about to be replaced.
  mutating func forget(_ path: String) {
    let prefix = path + "."
    sources = sources.filter { !$0.key.hasPrefix(prefix) }
    places = places.filter { !$0.key.hasPrefix(prefix) }
  }

  /// Entries of a map; none for nothing at all, `nil` after a problem.
  mutating func map(_ entry: Tree.Entry, _ path: String) -> [Tree.Entry]? {
    switch entry.value.value {
    case .map(let entries): return entries
    case .null: return []
    default:
      refuse(entry.value.source, "\(path) must be a map of keys, not \(entry.value.found)")
      return nil
    }
  }

  /// Reads a map's entries into a value.
  ///
  /// - Parameters:
  ///   - group: Path from `Root` to this map, with a point at its end; empty at the top.
  ///   - base: Full path of `root`; empty for the configuration itself.
  mutating func read<Root>(
    _ entries: [Tree.Entry], _ keys: [Key<Root>], into root: inout Root, group: String = "", base: String = ""
  ) {
    var seen: Set<String> = []
    for entry in entries {
      let path = group + entry.key
      let full = base.isEmpty ? path : "\(base).\(path)"
      guard seen.insert(entry.key).inserted else {
        refuse(entry.source, "\(full) is written more than once", hint: "keep one of them")
        continue
      }
      if let key = keys.first(where: { $0.path == path }) {
        key.read(entry, full, &root, &self)
      } else if keys.contains(where: { $0.path.hasPrefix(path + ".") }) {
        guard let inner = map(entry, full) else { continue }
        read(inner, keys, into: &root, group: path + ".", base: base)
      } else {
        refuse(entry.source, "unknown key '\(full)'", hint: hint(entry.key, keys.map(\.path), group, base))
      }
    }
  }

  /// Names the right key: a slip of the finger, the same name elsewhere, or all that stand here.
  private func hint(_ name: String, _ paths: [String], _ group: String, _ base: String) -> String {
    var here: [String] = []
    for path in paths where path.hasPrefix(group) {
      let next = String(path.dropFirst(group.count).prefix { $0 != "." })
      if !here.contains(next) { here.append(next) }
    }
    func full(_ path: String) -> String { base.isEmpty ? path : "\(base).\(path)" }
    if let near = Suggestion.nearest(to: name, in: here) { return "did you mean '\(full(group + near))'?" }
    for path in paths {
      let names = path.split(separator: ".")
      guard let place = names.firstIndex(of: name[...]) else { continue }
      return "did you mean '\(full(names[...place].joined(separator: ".")))'?"
    }
    if let start = here.first(where: { name.count > 2 && ($0.hasPrefix(name) || name.hasPrefix($0)) }) {
      return "did you mean '\(full(group + start))'?"
    }
    return "known here: " + here.joined(separator: ", ")
  }
}
