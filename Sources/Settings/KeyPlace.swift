// SPDX-License-Identifier: Apache-2.0

/// A key that a variable's name or a flag's path stands for.
struct KeyPlace {
  /// Names from the top of the file down to the key.
  let components: [String]
  let shape: TextShape

  enum Spelling {
    /// `server.port`
    case dotted
    /// `SERVER_PORT`
    case variable

    var separator: String { self == .dotted ? "." : "_" }

    /// Path or element name in this spelling.
    func spell(_ path: String) -> String {
      guard self == .variable else { return path }
      return String(path.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }
  }

  /// Finds a key by its name; elements that are there go before new ones.
  static func find(_ name: String, in configuration: Configuration, spelling: Spelling) -> KeyPlace? {
    for key in Configuration.keys {
      let spelled = spelling.spell(key.path)
      if spelled == name { return KeyPlace(components: split(key.path), shape: key.shape) }
      guard !key.elements.isEmpty, name.hasPrefix(spelled + spelling.separator) else { continue }
      let rest = name.dropFirst(spelled.count + 1)
      // The longest key goes first, so that `api_key_env` is not taken for an element's `env`.
      for element in key.elements.sorted(by: { $0.path.count > $1.path.count }) {
        let suffix = spelling.separator + spelling.spell(element.path)
        guard rest.hasSuffix(suffix), rest.count > suffix.count else { continue }
        let wanted = String(rest.dropLast(suffix.count))
        let known = key.names(configuration).first { spelling.spell($0) == wanted }
        guard let found = known ?? (key.addsNames ? wanted.lowercased() : nil) else { continue }
        return KeyPlace(components: split(key.path) + [found] + split(element.path), shape: element.shape)
      }
    }
    return nil
  }

  private static func split(_ path: String) -> [String] { path.split(separator: ".").map(String.init) }
}

extension Tree {
  /// Understands the text of a variable or a flag.
  static func make(
    text: String, shape: TextShape, source: Configuration.Source
  ) -> Result<Tree, ConfigurationError> {
    switch shape {
    case .plain:
      return .success(Tree(Value(plainScalar: text), source: source, text: text))
    case .text(let optional):
      let absent = optional && (text.isEmpty || text == "null")
      return .success(Tree(absent ? .null : .string(text), source: source, text: text))
    case .list:
      let items = text.split(separator: ",").map { trimmed($0) }.filter { !$0.isEmpty }
      return .success(Tree(.list(items.map { Tree(.string($0), source: source, text: $0) }), source: source))
    case .yaml:
      return parse(yaml: text) { _, _ in source }
    }
  }

  private static func trimmed(_ text: Substring) -> String {
    let start = text.drop { $0 == " " }
    return String(start.reversed().drop { $0 == " " }.reversed())
  }
}
