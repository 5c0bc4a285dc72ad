// SPDX-License-Identifier: Apache-2.0

/// What the names of a file mean, and what is done with them: made in one walk, read by every rule.
public struct FileModel: Sendable {
  /// A local, a parameter or a loop's variable.
  package struct Variable: Sendable {
    package enum Kind: Sendable {
      case local, parameter, loop, function
      /// The `self` of a method, which nobody wrote.
      case implicit
    }

    package let name: Name
    package let kind: Kind
    /// Index of the function that declares it; 0 is the file.
    let function: Int
    let attribute: Statement.Attribute.Kind?
    /// What it is declared with, where that is one expression of its own.
    package let value: Expression?
    /// Variable of the same name that is hidden by it.
    let hidden: Int?
    /// Index of the function that it is declared with.
    package var declared: Int?
    package var uses: [Use] = []

    var reads: Int { uses.count { $0.role != .written } }
    package var isReassigned: Bool { uses.contains { $0.role == .written } }
    /// Whether its name says that nobody will use it.
    var isExcused: Bool { name.text.hasPrefix("_") || kind == .implicit }
  }

  /// One place where a name stands.
  package struct Use: Sendable {
    package enum Role: Sendable {
      /// `x(…)`, `x:m()`
      case called
      /// `x.y`, `x[1]`
      case indexed
      /// Operand of what no nil can be in: `x + 1`, `x .. ""`, `#x`, `x < 1`.
      case operand
      case argument
      case written
      /// Anything that a nil is as good for.
      case value
    }

    package let role: Role
    package let range: SourceRange
    /// Index of the function that it stands in.
    let function: Int
    /// Whether it is evaluated only if what stands before it in its expression says so: `a and x.y`.
    let isConditional: Bool
  }

  /// A name that no local stands for.
  package struct Global: Sendable {
    package let name: String
    package let use: Use
  }

  package struct Function: Sendable {
    package let body: FunctionBody
    /// Index of the function around it; nil for the file itself.
    let parent: Int?
    /// Indices of variables, one for each of ``FunctionBody/parameters``.
    package var parameters: [Int] = []
  }

  /// `root.field.field`, and the call behind it where there is one.
  struct Member: Sendable {
    enum Ending: Sendable {
      case read, written
      case called([Expression])
      case method(Name, [Expression])
    }

    let root: Name
    /// Index of the variable that the root is; nil for a global.
    let variable: Int?
    /// Names that are written out, up to the first that is computed.
    let fields: [Name]
    let ending: Ending
    /// Whether more suffixes follow those that are told here.
    let goesOn: Bool
    let range: SourceRange
    let function: Int

    /// `http.get`
    var path: String { ([root] + fields).map(\.text).joined(separator: ".") }

    var arguments: [Expression]? {
      if case .called(let arguments) = ending { arguments } else { nil }
    }
  }

  struct Suffixed: Sendable {
    let first: Expression
    let suffixes: [Expression.Suffix]
    let isWritten: Bool
    let function: Int
  }

  /// A call of a string's method: `("%d"):format(1)`.
  struct StringMethod: Sendable {
    let receiver: Expression
    let name: Name
    let arguments: [Expression]
    let range: SourceRange
  }

  struct Operation: Sendable {
    let left: Expression
    let `operator`: BinaryOperator
    let right: Expression
    let range: SourceRange
  }

  struct Label: Sendable {
    let name: Name
    /// `::name::`
    let range: SourceRange
    var isUsed = false
  }

  let file: ParsedFile
  package internal(set) var variables: [Variable] = []
  package internal(set) var globals: [Global] = []
  package internal(set) var functions: [Function] = []
  var members: [Member] = []
  /// Every value with suffixes.
  var suffixed: [Suffixed] = []
  /// How often something is put into a variable's table, by variable.
  var writes: [Int: Int] = [:]
  var stringMethods: [StringMethod] = []
  var operations: [Operation] = []
  var labels: [Label] = []
  var blocks: [Block] = []
  /// Whether `_ENV` is named: then nothing is known of globals.
  var changesEnvironment = false
  /// Variables by the place where they are named, in bytes.
  package internal(set) var meanings: [Int: Int] = [:]
  /// Functions by the place where they begin, in bytes.
  var functionStarts: [Int: Int] = [:]
  /// Variables that a name would mean at the place that was asked about.
  package internal(set) var visible: [String: Int] = [:]

  /// - Parameter place: A name's first byte; ``visible`` tells which locals could stand there.
  public init(_ file: ParsedFile, namesAt place: Int? = nil) {
    var walk = FileModelWalk(FileModel(empty: file), namesAt: place)
    walk.run()
    self = walk.model
  }

  private init(empty file: ParsedFile) { self.file = file }

  /// Variable that a name means; nil for a global or anything else.
  package func variable(_ expression: Expression) -> Int? {
    guard case .name = expression.kind else { return nil }
    return meanings[expression.range.start.offset]
  }

  package func function(_ body: FunctionBody) -> Int? { functionStarts[body.range.start.offset] }

  /// Function that a local stands for, wherever it is called.
  func function(ofVariable index: Int) -> Int? {
    variables[index].isReassigned ? nil : variables[index].declared
  }

  /// Whether a function is `outer` or stands in it.
  func isFunction(_ index: Int, in outer: Int) -> Bool {
    var current: Int? = index
    while let function = current {
      if function == outer { return true }
      current = functions[function].parent
    }
    return false
  }
}
