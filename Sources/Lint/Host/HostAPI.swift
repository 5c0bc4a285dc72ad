// SPDX-License-Identifier: Apache-2.0

/// What scripts may call and read: made of the host's own tables, so that the two cannot differ.
public struct HostAPI: Sendable {
  public struct Function: Sendable {
    /// `http.get`; a method of strings is `string.upper`.
    public let path: String
    public let summary: String
    public let parameters: [LuaField]
    public let returns: LuaType?
    /// What `access` must name; nil = nothing.
    public let capability: Capability?
    /// Whether it fails while a script loads.
    public let needsRun: Bool
    /// Lua that shows it.
    public let example: String?

    public init(
      path: String, summary: String, parameters: [LuaField], returns: LuaType?, capability: Capability? = nil,
      needsRun: Bool = false, example: String? = nil
    ) {
      self.path = path
      self.summary = summary
      self.parameters = parameters
      self.returns = returns
      self.capability = capability
      self.needsRun = needsRun
      self.example = example
    }

    var isVariadic: Bool { parameters.last?.name == "..." }
    /// Arguments that have to be there.
    var argumentsMin: Int { (parameters.lastIndex { !$0.isOptional }).map { $0 + 1 } ?? 0 }
  }

  /// One entry of `access`, as a function asks for it.
  public struct Capability: Sendable, Hashable {
    /// `db`, `kv`, `http`, `llm`, …
    public let key: String
    /// `"read"` or `"write"` where there are levels.
    public let level: String?
    /// As it is written: `db = "read"`.
    public let text: String

    /// Reads `db = "read"`, `llm = true`, `http = { … }`.
    public init(_ text: String) {
      self.text = text
      key = String(text.prefix { $0 != " " && $0 != "=" })
      level = ["read", "write"].first { text.hasSuffix("\"\($0)\"") }
    }
  }

  /// By path.
  public private(set) var functions: [String: Function] = [:]
  /// Members of each module, functions and fields.
  public private(set) var modules: [String: [String: LuaType]] = [:]
  /// What modules and their values are for, by path.
  public private(set) var summaries: [String: String] = [:]
  public private(set) var classes: [String: LuaClass] = [:]
  private var aliases: [String: LuaType] = [:]

  public init() {}

  public mutating func add(_ function: Function) {
    functions[function.path] = function
    let parts = function.path.split(separator: ".").map(String.init)
    guard let module = parts.first else { return }
    if parts.count == 2 {
      modules[module, default: [:]][parts[1]] =
        .function(parameters: function.parameters, returns: function.returns)
    }
  }

  /// Adds a value of a module that is no function.
  public mutating func add(field: LuaField, of module: String) {
    modules[module, default: [:]][field.name] = field.type
    if !field.summary.isEmpty { summaries["\(module).\(field.name)"] = field.summary }
  }

  /// Says what a module is for.
  public mutating func add(summary: String, of module: String) { summaries[module] = summary }

  /// Adds the classes and aliases of a stub.
  public mutating func add(stub: String) {
    let (classes, aliases) = LuaTypeReader.declarations(of: stub)
    for declared in classes { self.classes[declared.name] = declared }
    self.aliases.merge(aliases) { $1 }
  }

  // MARK: Questions

  public func isGlobal(_ name: String) -> Bool { functions[name] != nil || modules[name] != nil }

  public var globalNames: [String] {
    Set(modules.keys).union(functions.keys.filter { !$0.contains(".") }).sorted()
  }

  /// A type without aliases.
  package func resolved(_ type: LuaType) -> LuaType {
    if case .named(let name) = type, let alias = aliases[name] { return resolved(alias) }
    guard case .union(let members) = type else { return type }
    let flat = members.flatMap { resolved($0).members }
    return .union(flat)
  }

  /// Fields of a class, those of its parents included.
  package func fields(of declared: LuaClass) -> [LuaField] {
    declared.fields + (declared.parent.flatMap { classes[$0] }.map(fields) ?? [])
  }

  /// What a value of a type has under a name.
  enum Field: Sendable {
    case known(LuaType)
    /// The type has no such field, but these.
    case absent(in: String, [String])
    /// The type says nothing of it.
    case open
  }

  func field(_ name: String, of type: LuaType) -> Field {
    switch resolved(type).present {
    case .named(let className):
      guard let declared = classes[className] else { return .open }
      let fields = fields(of: declared)
      if let field = fields.first(where: { $0.name == name }) { return .known(field.type) }
      return declared.isExact ? .absent(in: className, fields.map(\.name)) : .open
    case .record(let fields):
      guard let field = fields.first(where: { $0.name == name }) else { return .open }
      return .known(field.type)
    case .map(_, let value): return .known(value)
    default: return .open
    }
  }
}
