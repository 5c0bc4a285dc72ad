// SPDX-License-Identifier: Apache-2.0

/// Statements between two words, and the scope that they share.
public struct Block: Sendable {
  public let statements: [Statement]
  public let range: SourceRange
}

/// Something that is done.
public struct Statement: Sendable {
  public indirect enum Kind: Sendable {
    case local([Local], values: [Expression])
    case assignment([Expression], values: [Expression])
    /// Its last suffix is a call.
    case call(Expression)
    case `do`(Block)
    case `while`(Expression, Block)
    case `repeat`(Block, until: Expression)
    case `if`([Clause], else: Block?)
    case numericFor(Name, start: Expression, limit: Expression, step: Expression?, Block)
    case genericFor([Name], [Expression], Block)
    case function(FunctionName, FunctionBody)
    case localFunction(Name, FunctionBody)
    /// Always the last of its block.
    case `return`([Expression])
    case `break`
    case goto(Name)
    case label(Name)
    case empty
    /// Text that was refused.
    case invalid
  }

  public let kind: Kind
  public let range: SourceRange

  /// A variable that `local` declares.
  public struct Local: Sendable {
    public let name: Name
    public let attribute: Attribute?
  }

  /// `<const>` or `<close>`.
  public struct Attribute: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable {
      case const, close
    }

    /// `nil` for an unknown one, which is refused.
    public let kind: Kind?
    public let range: SourceRange
  }

  /// A condition and what it guards, from `if` or `elseif`.
  public struct Clause: Sendable {
    public let condition: Expression
    public let block: Block
  }

  /// `root.field.field:method`
  public struct FunctionName: Sendable {
    public let root: Name
    public let fields: [Name]
    public let method: Name?
  }
}

/// A whole file.
public struct Chunk: Sendable {
  public let block: Block
  public let comments: [Comment]
}
