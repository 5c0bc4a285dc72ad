// SPDX-License-Identifier: Apache-2.0
public import LuaHost

/// One Lua module of the host: its functions, their types for editors and their documentation, in one place.
public struct HostModule: Sendable {
  public struct Parameter: Sendable {
    public let name: String
    /// A LuaCATS type; a trailing `?` marks what may be left out.
    public let type: String
    public let summary: String

    init(_ name: String, _ type: String, _ summary: String) {
      self.name = name
      self.type = type
      self.summary = summary
    }

    public var isOptional: Bool { type.hasSuffix("?") }
  }

  public struct Function: Sendable {
    /// Without the module's name; empty when the module is itself a function (`uuid()`).
    public let name: String
    public let summary: String
    public let parameters: [Parameter]
    /// LuaCATS type; `nil` = returns nothing.
    public let returns: String?
    /// What a tool's `access` must name; `nil` = free in every function.
    public let capability: String?
    public let mayWait: Bool
    /// Lua that shows it.
    public let example: String?
    /// `nil` = written in the module's Lua.
    let body: HostFunction<ScriptScope?>.Body?

    /// Whether it acts for a run: while a script loads, there is none.
    public var needsRun: Bool { body != nil || mayWait }

    init(
      _ name: String, _ summary: String, _ parameters: [Parameter] = [], returns: String? = nil,
      capability: String? = nil, mayWait: Bool = false, example: String? = nil,
      body: HostFunction<ScriptScope?>.Body? = nil
    ) {
      self.name = name
      self.summary = summary
      self.parameters = parameters
      self.returns = returns
      self.capability = capability
      self.mayWait = mayWait
      self.example = example
      self.body = body
    }
  }

  public let name: String
  public let summary: String
  /// LuaCATS classes that the signatures name.
  public let types: String
  public let functions: [Function]
  /// Values beside the functions: name, LuaCATS type, summary.
  public let fields: [Parameter]
  /// Functions that only the host's own Lua may call.
  let privateFunctions: [HostFunction<ScriptScope?>]

  init(
    _ name: String, _ summary: String, types: String = "", fields: [Parameter] = [], functions: [Function],
    privateFunctions: [HostFunction<ScriptScope?>] = []
  ) {
    self.name = name
    self.summary = summary
    self.types = types
    self.fields = fields
    self.functions = functions
    self.privateFunctions = privateFunctions
  }

  public func qualified(_ function: Function) -> String {
    function.name.isEmpty ? name : "\(name).\(function.name)"
  }
}

extension HostModule {
  /// Every module that scripts see, by name.
  public static let all: [HostModule] = [
    agents, approval, crypto, db, event, files, guardModule, http, json, kv, llm, log, parallel, queue,
    reject,
    secrets,
    text,
    time, tools, uuid,
  ]

  /// What a cell is made with.
  public static var functions: [HostFunction<ScriptScope?>] {
    all.flatMap { module in
      module.functions.compactMap { function in
        function.body.map { HostFunction(module.qualified(function), $0) }
      } + module.privateFunctions
    } + contextFunctions
  }

  /// Names that the host gives to scripts, beside Lua's own.
  public static var globalNames: [String] { all.map(\.name) + ["print", "require"] }
}
