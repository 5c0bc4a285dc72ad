// SPDX-License-Identifier: Apache-2.0

/// The table that a file returns, as far as its text tells.
///
/// Understands `return { … }` and `local M = { … } … M.x = … function M.y() … return M`, also with values
/// that are locals of the file. What was computed is not known. Source: none of it is run.
public struct ReturnedTable: Sendable {
  /// Which part of an entry is asked for.
  public enum Part: Sendable {
    /// The key; an item of a list has none, its value counts.
    case key
    case value
  }

  /// Where a path leads.
  public struct Place: Sendable, Hashable {
    public let range: SourceRange
    /// Steps of the path that were found; fewer than asked for is the nearest ancestor.
    public let depth: Int
  }

  let root: Node
  /// What `return` names, before its name is followed.
  let start: Node
  private let locals: [String: Node]

  /// A value, and what is put into it later.
  struct Node: Sendable {
    var key: SourceRange?
    var value: Value
    var range: SourceRange
    /// Entries that statements add: `M.a.b = …` is an addition of `M`, with the path `a`, `b`.
    var additions: [Addition] = []
  }

  struct Addition: Sendable {
    let path: ArraySlice<Name>
    let node: Node
  }

  enum Value: Sendable {
    case expression(Expression)
    case function(FunctionBody)
  }

  /// - Returns: `nil` when the file does not return a table that its text shows.
  public init?(_ chunk: Chunk) {
    guard case .return(let values)? = chunk.block.statements.last?.kind, let returned = values.first else {
      return nil
    }
    locals = Self.locals(of: chunk.block)
    start = Node(value: .expression(returned), range: returned.range)
    root = Self.resolved(start, locals)
    guard Self.table(root) != nil else { return nil }
  }

  // MARK: Questions

  /// Finds where a path of keys stands: `["tools", "2"]`, `["list_todos", "parameters", "limit"]`.
  ///
  /// Items of lists are counted from 1. A path that leads further than the text shows is answered with its
  /// nearest ancestor; the empty path is the table itself.
  public func position(of path: [String], _ part: Part = .key) -> Place {
    let (node, depth) = walk(path)
    let range = part == .key ? node.key ?? node.range : node.range
    return Place(range: depth == 0 ? root.range : range, depth: depth)
  }

  /// Whether a function stands at a path.
  public func isFunction(_ path: [String]) -> Bool { function(at: path) != nil }

  /// Line on which the function at a path begins.
  public func line(ofFunction path: [String]) -> Int? { function(at: path)?.range.start.line }

  /// Function at a path; `nil` when there is none, or the text does not show it.
  public func function(at path: [String]) -> FunctionBody? {
    let (node, depth) = walk(path)
    guard depth == path.count else { return nil }
    switch Self.resolved(node, locals).value {
    case .function(let body): return body
    case .expression(let expression):
      if case .function(let body) = expression.kind { return body }
      return nil
    }
  }

  /// Value at a path as it is written, names of locals followed; `nil` for a declared function or no value.
  public func expression(at path: [String]) -> Expression? {
    let (node, depth) = walk(path)
    guard depth == path.count, case .expression(let expression) = Self.resolved(node, locals).value else {
      return nil
    }
    return expression
  }

  /// Keys of the table at a path, in the order of the file; items of a list by their number.
  public func keys(at path: [String] = []) -> [String] {
    let (node, depth) = walk(path)
    let table = Self.resolved(node, locals)
    return depth == path.count ? keys(of: table).map(\.text) : []
  }

  /// Keys of a table, and whether each is an item's number.
  func keys(of table: Node) -> [(text: String, isItem: Bool)] {
    guard let fields = Self.table(table)?.fields else { return [] }
    let written = fields.compactMap { field in field.keyText.map { (text: $0, isItem: field.keyRange == nil) }
    }
    let added = table.additions.compactMap { $0.path.first.map { (text: $0.text, isItem: false) } }
    var seen: Set<String> = []
    return (written + added).filter { seen.insert($0.text).inserted }
  }

  /// Keys that stand twice in the table as it is written.
  var repeatedKeys: [(name: String, range: SourceRange)] {
    var seen: Set<String> = []
    return (Self.table(root)?.fields ?? []).compactMap { field in
      guard let key = field.keyText, let range = field.keyRange, !seen.insert(key).inserted else {
        return nil
      }
      return (key, range)
    }
  }

  /// Statements that put something into a local of the file.
  func additions(to local: String) -> Int { locals[local]?.additions.count ?? 0 }

  /// Names of the file's locals that may hold parts of the table.
  var localNames: some Sequence<String> { locals.keys }

  // MARK: Walking

  private func walk(_ path: [String]) -> (node: Node, depth: Int) {
    var node = root
    for (depth, key) in path.enumerated() {
      guard let next = step(Self.resolved(node, locals), key) else { return (node, depth) }
      node = next
    }
    return (node, path.count)
  }

  func step(_ node: Node, _ key: String) -> Node? {
    Self.entry(
      Self.table(node)?.fields.last { $0.keyText == key },
      node.additions.filter { $0.path.first?.text == key })
  }

  /// Everything in a table: each key once, and what ``step(_:_:)`` would find there.
  ///
  /// - Complexity: O(n) in its fields, as a step alone is.
  func entries(of table: Node) -> [(text: String, isItem: Bool, node: Node)] {
    var written: [String: Expression.Field] = [:]
    for field in Self.table(table)?.fields ?? [] {
      if let key = field.keyText { written[key] = field }
    }
    let added = Dictionary(grouping: table.additions) { $0.path.first?.text }
    return keys(of: table).compactMap { key in
      Self.entry(written[key.text], added[key.text] ?? []).map { (key.text, key.isItem, $0) }
    }
  }

  /// - Parameters:
  ///   - field: The last one that is written with the key.
  ///   - inner: What statements add to it.
  private static func entry(_ field: Expression.Field?, _ inner: [Addition]) -> Node? {
    let deeper = inner.filter { $0.path.count > 1 }.map { Addition(path: $0.path.dropFirst(), node: $0.node) }
    // What was assigned last counts.
    if var assigned = inner.last(where: { $0.path.count == 1 })?.node {
      assigned.additions += deeper
      return assigned
    }
    guard let field else { return nil }
    return Node(
      key: field.keyRange, value: .expression(field.value), range: field.value.range, additions: deeper)
  }

  private static func table(_ node: Node) -> Expression.Table? {
    guard case .expression(let expression) = node.value, case .table(let table) = expression.kind else {
      return nil
    }
    return table
  }

  /// Follows a name to the local that it means, and tells its name; the key stays.
  func resolved(_ node: Node, _ visit: (String) -> Void) -> Node { Self.resolved(node, locals, visit) }

  private static func resolved(
    _ node: Node, _ locals: [String: Node], _ visit: (String) -> Void = { _ in }
  ) -> Node {
    var node = node
    // A chain of names longer than this is a circle.
    for _ in 0..<16 {
      guard case .expression(let expression) = node.value else { return node }
      switch expression.kind {
      case .parenthesized(let inner): node.value = .expression(inner)
      case .name(let name):
        guard let local = locals[name] else { return node }
        visit(name)
        node = Node(
          key: node.key, value: local.value, range: local.range, additions: local.additions + node.additions)
      default: return node
      }
    }
    return node
  }

  /// Paths of the tables that the returned one is made of, by the byte at which they begin.
  package var tablePaths: [Int: [String]] {
    var paths: [Int: [String]] = [:]
    func add(_ node: Node, _ path: [String]) {
      let node = Self.resolved(node, locals)
      guard Self.table(node) != nil, case .expression(let expression) = node.value else { return }
      // What a chain of locals leads back to is known already.
      guard paths.updateValue(path, forKey: expression.range.start.offset) == nil, path.count < 8 else {
        return
      }
      for entry in entries(of: node) { add(entry.node, path + [entry.text]) }
    }
    add(root, [])
    return paths
  }

  // MARK: The file's locals

  private static func locals(of block: Block) -> [String: Node] {
    var locals: [String: Node] = [:]
    for statement in block.statements {
      switch statement.kind {
      case .local(let names, let values):
        for (name, value) in zip(names, values) {
          locals[name.name.text] = Node(value: .expression(value), range: value.range)
        }
      case .localFunction(let name, let body):
        locals[name.text] = Node(value: .function(body), range: body.range)
      case .function(let name, let body):
        let path = name.fields + (name.method.map { [$0] } ?? [])
        add(
          Node(key: path.last?.range, value: .function(body), range: body.range), name.root.text, path,
          to: &locals)
      case .assignment(let targets, let values):
        for (target, value) in zip(targets, values) {
          guard let (root, path) = target.fieldPath else { continue }
          let node = Node(key: path.last?.range, value: .expression(value), range: value.range)
          add(node, root, path, to: &locals)
        }
      default: break
      }
    }
    return locals
  }

  private static func add(_ node: Node, _ root: String, _ path: [Name], to locals: inout [String: Node]) {
    guard locals[root] != nil else { return }
    if path.isEmpty {
      locals[root] = node
    } else {
      locals[root]?.additions.append(Addition(path: path[...], node: node))
    }
  }
}

extension Expression.Field {
  /// Key as a step of a path; `nil` for one that is computed.
  public var keyText: String? {
    switch key {
    case .position(let index): return "\(index)"
    case .name(let name): return name.text
    case .expression(let expression):
      switch expression.kind {
      case .string(let bytes): return String(decoding: bytes, as: UTF8.self)
      case .integer(let value): return "\(value)"
      default: return nil
      }
    }
  }

  /// Where the key stands; `nil` for an item of a list.
  public var keyRange: SourceRange? {
    switch key {
    case .position: nil
    case .name(let name): name.range
    case .expression(let expression): expression.range
    }
  }
}

extension Expression {
  /// Root and names of `root.a.b` or `root["a"]`; `nil` for anything else.
  public var fieldPath: (root: String, fields: [Name])? {
    switch kind {
    case .name(let name): return (name, [])
    case .suffixed(let first, let suffixes):
      guard case .name(let root) = first.kind else { return nil }
      var fields: [Name] = []
      for suffix in suffixes {
        switch suffix.kind {
        case .field(let name): fields.append(name)
        case .index(let key):
          guard case .string(let bytes) = key.kind else { return nil }
          fields.append(Name(text: String(decoding: bytes, as: UTF8.self), range: key.range))
        case .call, .method: return nil
        }
      }
      return (root, fields)
    default: return nil
    }
  }
}
