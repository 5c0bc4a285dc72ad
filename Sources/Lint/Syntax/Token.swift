// SPDX-License-Identifier: Apache-2.0
import Core

/// Smallest piece of a file that means something.
struct Token: Sendable {
  enum Kind: Sendable, Hashable {
    case name(String)
    case string([UInt8])
    case integer(Int64)
    case number(Double)
    case symbol(Symbol)
    /// Something that was refused already.
    case invalid
    case endOfFile
  }

  let kind: Kind
  let range: SourceRange
}

/// Words and signs of the language. Source: Lua 5.4 manual, 3.1.
enum Symbol: String, Sendable, Hashable, CaseIterable {
  case and, `break`, `do`, `else`, `elseif`, end, `false`, `for`, function, goto, `if`, `in`, local, `nil`
  case not, or, `repeat`, `return`, then, `true`, until, `while`
  case plus = "+"
  case minus = "-"
  case star = "*"
  case slash = "/"
  case doubleSlash = "//"
  case percent = "%"
  case caret = "^"
  case hash = "#"
  case ampersand = "&"
  case tilde = "~"
  case pipe = "|"
  case shiftLeft = "<<"
  case shiftRight = ">>"
  case equal = "=="
  case notEqual = "~="
  case lessOrEqual = "<="
  case greaterOrEqual = ">="
  case less = "<"
  case greater = ">"
  case assign = "="
  case openParenthesis = "("
  case closeParenthesis = ")"
  case openBrace = "{"
  case closeBrace = "}"
  case openBracket = "["
  case closeBracket = "]"
  case doubleColon = "::"
  case semicolon = ";"
  case colon = ":"
  case comma = ","
  case dot = "."
  case concatenate = ".."
  case ellipsis = "..."

  /// Word of the language that a name at the beginning of a statement was meant to be.
  static func keyword(meantBy word: String) -> String? {
    switch word {
    case "var", "let", "const": "local"
    case "elif", "elsif": "elseif"
    case "func", "def", "fn": "function"
    case "foreach": "for"
    case "switch": "if"
    default:
      Suggestion.nearest(
        to: word, in: ["local", "function", "return", "while", "repeat", "until", "break", "elseif"])
    }
  }

  /// Words of the language by their text.
  static let keywords: [String: Symbol] = Dictionary(
    uniqueKeysWithValues: allCases.filter(\.isKeyword).map { ($0.rawValue, $0) })

  /// Signs by their bytes, the first one lowest.
  static let signs: [UInt32: Symbol] = Dictionary(
    uniqueKeysWithValues: allCases.filter { !$0.isKeyword }.map { (key($0.rawValue.utf8), $0) })

  /// Up to three bytes as one number.
  static func key(_ bytes: some Collection<UInt8>) -> UInt32 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// Whether this is a word, which no name can be.
  var isKeyword: Bool { rawValue.utf8.first.map(\.isNameStart) ?? false }

  /// Operator between two values that the symbol stands for.
  var binaryOperator: BinaryOperator? {
    switch self {
    case .or: .or
    case .and: .and
    case .less: .less
    case .greater: .greater
    case .lessOrEqual: .lessOrEqual
    case .greaterOrEqual: .greaterOrEqual
    case .notEqual: .notEqual
    case .equal: .equal
    case .pipe: .bitwiseOr
    case .tilde: .exclusiveOr
    case .ampersand: .bitwiseAnd
    case .shiftLeft: .shiftLeft
    case .shiftRight: .shiftRight
    case .concatenate: .concatenate
    case .plus: .add
    case .minus: .subtract
    case .star: .multiply
    case .slash: .divide
    case .doubleSlash: .floorDivide
    case .percent: .modulo
    case .caret: .power
    default: nil
    }
  }

  /// Operator before a value that the symbol stands for.
  var unaryOperator: UnaryOperator? {
    switch self {
    case .minus: .negate
    case .not: .not
    case .hash: .length
    case .tilde: .bitwiseNot
    default: nil
    }
  }
}

/// A comment, kept for the checks that read directives and annotations.
public struct Comment: Sendable, Hashable {
  /// Without its dashes and brackets.
  public let text: String
  public let range: SourceRange
  /// Whether it was written in long brackets.
  public let isLong: Bool
}
