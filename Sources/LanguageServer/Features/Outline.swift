// SPDX-License-Identifier: Apache-2.0
import Lint

/// What a script is made of: its functions, and what it returns.
struct Outline: Sendable {
  /// Source: LSP 3.17, SymbolKind.
  enum Kind: Int64, Sendable {
    case method = 6
    case property = 7
    case function = 12
    case object = 19
  }

  struct Entry: Sendable {
    let name: String
    let kind: Kind
    let range: SourceRange
    /// The name, within the range.
    let nameRange: SourceRange
    var children: [Entry] = []
  }

  let entries: [Entry]

  /// Levels of tables that are told.
  private static let depthMax = 3
  /// Fields that are told: a table that is a part of itself has more than anybody reads.
  private static let fieldsMax = 5000

  init(_ file: LintedFile) {
    var entries: [Entry] = []
    for statement in file.chunk.block.statements {
      switch statement.kind {
      case .localFunction(let name, _):
        entries.append(Entry(name: name.text, kind: .function, range: statement.range, nameRange: name.range))
      case .function(let name, _) where !name.root.text.isEmpty:
        let last = name.method ?? name.fields.last ?? name.root
        let text =
          ([name.root] + name.fields).map(\.text).joined(separator: ".")
          + (name.method.map { ":\($0.text)" } ?? "")
        entries.append(
          Entry(
            name: text, kind: name.fields.isEmpty && name.method == nil ? .function : .method,
            range: statement.range, nameRange: last.range))
      case .local(let locals, let values):
        for (local, value) in zip(locals, values) {
          guard case .function = value.kind else { continue }
          entries.append(
            Entry(
              name: local.name.text, kind: .function, range: local.name.range.extended(to: value.range),
              nameRange: local.name.range))
        }
      default: break
      }
    }
    if let returned = file.returned {
      var left = Self.fieldsMax
      entries += Self.fields(of: returned, at: [], &left)
    }
    self.entries = entries
  }

  private static func fields(of table: ReturnedTable, at path: [String], _ left: inout Int) -> [Entry] {
    guard path.count < depthMax else { return [] }
    var entries: [Entry] = []
    for key in table.keys(at: path) {
      guard left > 0 else { break }
      left -= 1
      let path = path + [key]
      let name = table.position(of: path).range
      let value = table.position(of: path, .value).range
      // A value that is declared elsewhere is told where it is named.
      let range = name.start <= value.start ? SourceRange(name.start, max(name.end, value.end)) : name
      let isFunction = table.isFunction(path)
      let children = isFunction ? [] : fields(of: table, at: path, &left)
      let label = Int(key) == nil ? key : table.expression(at: path + ["name"])?.text ?? key
      entries.append(
        Entry(
          name: label, kind: isFunction ? .method : children.isEmpty ? .property : .object, range: range,
          nameRange: name.end <= range.end ? name : SourceRange(range.start, range.start), children: children)
      )
    }
    return entries
  }
}
