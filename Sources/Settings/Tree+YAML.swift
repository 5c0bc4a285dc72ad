// SPDX-License-Identifier: Apache-2.0
import Yams

extension Tree {
  /// Parses one YAML document; empty text is an empty map.
  ///
  /// - Parameter source: Where a 1-based line and column of the text stands.
  /// - Returns: As many problems as YAML's own rules let be seen at once, or the tree.
  static func parse(
    yaml: String, source: @escaping (_ line: Int, _ column: Int) -> Configuration.Source
  ) -> Result<Tree, ConfigurationError> {
    var builder = YAMLBuilder(source: source)
    do {
      guard let root = try Yams.compose(yaml: yaml, .basic) else {
        return .success(Tree(.map([]), source: source(1, 1)))
      }
      let tree = builder.tree(root)
      guard builder.problems.isEmpty else {
        return .failure(ConfigurationError(problems: builder.problems))
      }
      return .success(tree)
    } catch {
      return .failure(ConfigurationError(problems: [builder.problem(error)]))
    }
  }
}

/// Turns the YAML library's nodes into trees.
private struct YAMLBuilder {
  let source: (_ line: Int, _ column: Int) -> Configuration.Source
  var problems: [ConfigurationError.Problem] = []

  mutating func tree(_ node: Node) -> Tree {
    let place = self.place(node)
    switch node {
    case .scalar(let scalar):
      let value: Tree.Value =
        scalar.style == .plain ? Tree.Value(plainScalar: scalar.string) : .string(scalar.string)
      return Tree(value, source: place, text: scalar.string)
    case .sequence(let sequence):
      return Tree(.list(sequence.map { tree($0) }), source: place)
    case .mapping(let mapping):
      return Tree(.map(mapping.compactMap { entry($0.key, $0.value) }), source: place)
    case .alias:
      return Tree(.null, source: place)
    }
  }

  private mutating func entry(_ key: Node, _ value: Node) -> Tree.Entry? {
    guard case .scalar(let scalar) = key else {
      problems.append(.init(source: place(key), message: "a key must be plain text"))
      return nil
    }
    return Tree.Entry(key: scalar.string, source: place(key), value: tree(value))
  }

  private func place(_ node: Node) -> Configuration.Source {
    source(node.mark?.line ?? 1, node.mark?.column ?? 1)
  }

  func problem(_ error: any Error) -> ConfigurationError.Problem {
    switch error {
    case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
      YamlError.composer(_, let problem, let mark, _):
      .init(source: source(mark.line, mark.column), message: "not YAML: \(problem)", hint: hint(problem))
    case YamlError.duplicatedKeysInMapping(let keys, let context):
      .init(
        source: source(context.mark.line, context.mark.column),
        message: "'\(keys.first ?? "")' is written more than once in the same map",
        hint: "keep one of them")
    case YamlError.reader(let problem, _, _, _):
      .init(source: source(1, 1), message: "not YAML: \(problem)")
    default:
      .init(source: source(1, 1), message: "not YAML")
    }
  }

  private func hint(_ problem: String) -> String? {
    if problem.contains("cannot start any token") {
      return "indent with spaces, and put quotes around text with special characters"
    }
    if problem.contains("mapping values are not allowed") {
      return "a text that contains ': ' needs quotes, and keys of one map start in the same column"
    }
    return nil
  }
}
