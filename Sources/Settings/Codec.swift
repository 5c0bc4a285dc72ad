// SPDX-License-Identifier: Apache-2.0

/// Reads, checks and prints the values of one type of key.
struct Codec<Value: Sendable & Equatable>: Sendable {
  /// What the value must be, as it stands after "must be" and in the reference.
  let type: String
  /// How the text of a variable or a flag becomes a tree.
  var shape = TextShape.plain
  var secrecy = Secrecy.open
  let decode: @Sendable (Tree) throws(Mismatch) -> Value
  /// YAML text of a value; passwords hidden.
  let encode: @Sendable (Value) -> String
}

/// How the text of a variable or a flag is understood.
enum TextShape: Sendable, Equatable {
  /// As an unquoted scalar.
  case plain
  /// As text, whatever it looks like; empty or `null` is nothing when optional.
  case text(optional: Bool)
  /// As items between commas.
  case list
  /// As YAML.
  case yaml
}

/// What may be said about a value.
enum Secrecy: Sendable {
  /// Everything.
  case open
  /// Never what was written in its place by mistake.
  case guarded
  /// As guarded; the value names a variable that holds a secret.
  case variable
  /// As guarded; the value names a file that holds a secret.
  case file
}

/// A value that its key does not take.
struct Mismatch: Error {
  /// The whole message after the key's path; `nil` is "must be TYPE, not FOUND".
  var message: String?
  var hint: String?
  /// An item inside the value.
  var source: Configuration.Source?
}

extension Codec where Value == String {
  /// Text that is not empty; a number is taken as it was written.
  static let text = string("text") { !$0.isEmpty }

  /// A path; relative ones belong to the workspace.
  static let path = string("a path") { !$0.isEmpty }

  /// A name that an environment variable can have.
  static let variable = string(
    "the name of an environment variable", secrecy: .guarded,
    hint: "put the value itself in the environment, and the variable's name here"
  ) { name in
    name.utf8.first.map { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
      && name.utf8.allSatisfy(isWord)
  }

  static let secretVariable = variable.with(secrecy: .variable)
  static let secretFile = string("a path", secrecy: .file) { !$0.isEmpty }

  /// A host as a tool's access names it.
  static let hostPattern = string(
    "a host such as api.example.com or *.example.org:8443", hint: "leave out the scheme and the path"
  ) { host in
    let bare = host.hasPrefix("*.") ? host.dropFirst(2) : host[...]
    return !bare.isEmpty && !bare.contains { "/*@?# ".contains($0) }
  }

  /// An IP address, or a network with its prefix length.
  static let network = string("an IP address or a network such as 10.0.0.0/8", accepts: Network.isValid)

  /// Where a web page comes from, or `*`.
  static let origin = string(
    "an origin such as https://app.example.com", hint: "write scheme, host and port alone, or * for all"
  ) { text in
    if text == "*" { return true }
    guard let scheme = text.firstRange(of: "://") else { return false }
    let authority = text[scheme.upperBound...]
    return ["http", "https"].contains(text[..<scheme.lowerBound]) && !authority.isEmpty
      && !authority.contains { "/*@?# ".contains($0) }
  }

  /// A path of the server.
  static let route = string("a path that begins with /") { $0.hasPrefix("/") }

  static func url(_ schemes: [String]) -> Codec<String> {
    let base = string(
      "a URL that begins with " + schemes.map { $0 + "://" }.joined(separator: " or "), secrecy: .guarded
    ) { text in
      guard let scheme = text.firstRange(of: "://"), schemes.contains(text[..<scheme.lowerBound].lowercased())
      else { return false }
      return text[scheme.upperBound...].first.map { !"/?# ".contains($0) } ?? false && !text.contains(" ")
    }
    return Codec(
      type: base.type, shape: base.shape, secrecy: base.secrecy,
      decode: { tree throws(Mismatch) in
        var text = try base.decode(tree)
        while text.hasSuffix("/") { text.removeLast() }
        return text
      },
      encode: ConnectionURL.masked)
  }

  private static func string(
    _ type: String, secrecy: Secrecy = .open, hint: String? = nil,
    accepts: @escaping @Sendable (String) -> Bool
  ) -> Codec<String> {
    Codec(
      type: type, shape: .text(optional: false), secrecy: secrecy,
      decode: { tree throws(Mismatch) in
        let text: String? =
          switch tree.value {
          case .string(let string): string
          case .integer, .number: tree.text
          default: nil
          }
        guard let text, accepts(text) else { throw Mismatch(hint: hint) }
        return text
      },
      encode: { $0 })
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}

extension Codec {
  func with(secrecy: Secrecy) -> Codec {
    Codec(type: type, shape: shape, secrecy: secrecy, decode: decode, encode: encode)
  }

  /// Same values, or `null` for none.
  static func optional<Wrapped>(_ codec: Codec<Wrapped>) -> Codec where Value == Wrapped? {
    let shape: TextShape = if case .text = codec.shape { .text(optional: true) } else { codec.shape }
    return Codec(
      type: codec.type + ", or null", shape: shape, secrecy: codec.secrecy,
      decode: { tree throws(Mismatch) in tree.value == .null ? nil : try codec.decode(tree) },
      encode: { $0.map(codec.encode) ?? "null" })
  }

  /// A list of such values.
  static func list<Item>(_ codec: Codec<Item>) -> Codec where Value == [Item] {
    Codec(
      type: "a list, each \(codec.type)", shape: .list, secrecy: codec.secrecy,
      decode: { tree throws(Mismatch) in
        guard let items = tree.items else {
          throw Mismatch(hint: tree.value == .null ? "write [] for none" : "write [\(tree.text ?? "…")]")
        }
        var values: [Item] = []
        for item in items {
          do throws(Mismatch) {
            values.append(try codec.decode(item))
          } catch {
            let found = codec.secrecy == .open ? ", not \(item.found)" : ""
            throw Mismatch(
              message: error.message ?? "must hold only values that are each \(codec.type)\(found)",
              hint: error.hint,
              source: error.source ?? item.source)
          }
        }
        return values
      },
      encode: { "[" + $0.map(codec.encode).joined(separator: ", ") + "]" })
  }
}
