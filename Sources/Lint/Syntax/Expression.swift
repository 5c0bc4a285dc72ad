// SPDX-License-Identifier: Apache-2.0

/// A name, and where it stands.
public struct Name: Sendable, Hashable {
  public let text: String
  public let range: SourceRange
}

/// Something that has a value.
///
/// Runs of suffixes and of operators are flat, so that the depth of a tree never exceeds the depth to
/// which its text is nested.
public struct Expression: Sendable {
  public indirect enum Kind: Sendable {
    case `nil`
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    /// Bytes, escapes resolved.
    case string([UInt8])
    case vararg
    case function(FunctionBody)
    case table(Table)
    case name(String)
    case parenthesized(Expression)
    /// `first.name[index](arguments):method(arguments)…`; never without suffixes.
    case suffixed(Expression, [Suffix])
    case unary(UnaryOperator, Expression)
    /// `first op operand op operand…`, applied from left to right; never without operations.
    case binary(Expression, [Operation])
    /// Text that was refused.
    case invalid
  }

  public let kind: Kind
  public let range: SourceRange

  /// What stands behind a value: a field, an index or a call.
  public struct Suffix: Sendable {
    public enum Kind: Sendable {
      /// `.name`
      case field(Name)
      /// `[expression]`
      case index(Expression)
      /// `(…)`, `{…}` or `"…"`
      case call([Expression])
      /// `:name(…)`
      case method(Name, [Expression])
    }

    public let kind: Kind
    /// The suffix alone.
    public let range: SourceRange

    public var isCall: Bool {
      switch kind {
      case .call, .method: true
      case .field, .index: false
      }
    }
  }

  /// One operator and its right side.
  public struct Operation: Sendable {
    public let `operator`: BinaryOperator
    public let operatorRange: SourceRange
    public let operand: Expression
  }

  public struct Table: Sendable {
    public let fields: [Field]
  }

  /// One entry of a table constructor.
  public struct Field: Sendable {
    public enum Key: Sendable {
      /// An item; counted from 1.
      case position(Int)
      /// `name = `
      case name(Name)
      /// `[expression] = `
      case expression(Expression)
    }

    public let key: Key
    public let value: Expression
    /// Key and value.
    public let range: SourceRange
  }
}

/// Parameters and statements of a function.
public struct FunctionBody: Sendable {
  /// With `self` in front for a method; it stands where the method's name does.
  public let parameters: [Name]
  public let isVararg: Bool
  public let block: Block
  /// From `function`, or from the name of a declared one, to `end`.
  public let range: SourceRange
}

public enum UnaryOperator: String, Sendable, Hashable, CaseIterable {
  case negate = "-"
  case not
  case length = "#"
  case bitwiseNot = "~"
}

/// Source: Lua 5.4 manual, 3.4.
public enum BinaryOperator: String, Sendable, Hashable, CaseIterable {
  case or, and
  case less = "<"
  case greater = ">"
  case lessOrEqual = "<="
  case greaterOrEqual = ">="
  case notEqual = "~="
  case equal = "=="
  case bitwiseOr = "|"
  case exclusiveOr = "~"
  case bitwiseAnd = "&"
  case shiftLeft = "<<"
  case shiftRight = ">>"
  case concatenate = ".."
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case floorDivide = "//"
  case modulo = "%"
  case power = "^"

  /// How tightly the operator holds its left and its right side; the right is lower where it groups to
  /// the right.
  ///
  /// Source: Lua 5.4 manual, 3.4.8; unary operators stand at 12.
  var priority: (left: Int, right: Int) {
    switch self {
    case .or: (1, 1)
    case .and: (2, 2)
    case .less, .greater, .lessOrEqual, .greaterOrEqual, .notEqual, .equal: (3, 3)
    case .bitwiseOr: (4, 4)
    case .exclusiveOr: (5, 5)
    case .bitwiseAnd: (6, 6)
    case .shiftLeft, .shiftRight: (7, 7)
    case .concatenate: (9, 8)
    case .add, .subtract: (10, 10)
    case .multiply, .divide, .floorDivide, .modulo: (11, 11)
    case .power: (14, 13)
    }
  }

  static let unaryPriority = 12
}
