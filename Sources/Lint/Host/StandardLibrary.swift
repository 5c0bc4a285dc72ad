// SPDX-License-Identifier: Apache-2.0

/// What of Lua's own library scripts have.
///
/// Source: Lua 5.4 manual, 6; what is left out of it is in ``MissingNames``.
package enum StandardLibrary {
  /// One signature a line.
  private static let signatures = """
    assert(value: any, message?: any, ...): any
    error(message: any, level?: integer): never
    getmetatable(value: any): table?
    ipairs(list: any): any
    load(chunk: string|fun(): string?, name?: string, mode?: string, env?: table): any
    next(table: table, index?: any): any
    pairs(table: any): any
    pcall(body: any, ...): any
    print(...)
    rawequal(left: any, right: any): boolean
    rawget(table: table, index: any): any
    rawlen(value: table|string): integer
    rawset(table: table, index: any, value: any): table
    require(name: string): any
    select(index: integer|string, ...): any
    setmetatable(table: table, metatable: table|nil): any
    tonumber(value: any, base?: integer): any
    tostring(value: any): string
    type(value: any): string
    xpcall(body: any, handler: any, ...): any
    coroutine.close(thread: any): any
    coroutine.create(body: function): thread
    coroutine.isyieldable(thread?: any): boolean
    coroutine.resume(thread: any, ...): any
    coroutine.running(): any
    coroutine.status(thread: any): string
    coroutine.wrap(body: function): function
    coroutine.yield(...): any
    math.abs(x: number): number
    math.acos(x: number): number
    math.asin(x: number): number
    math.atan(y: number, x?: number): number
    math.ceil(x: number): number
    math.cos(x: number): number
    math.deg(x: number): number
    math.exp(x: number): number
    math.floor(x: number): number
    math.fmod(x: number, y: number): number
    math.log(x: number, base?: number): number
    math.max(x: number, ...): number
    math.min(x: number, ...): number
    math.modf(x: number): number
    math.rad(x: number): number
    math.random(m?: integer, n?: integer): number
    math.randomseed(...): any
    math.sin(x: number): number
    math.sqrt(x: number): number
    math.tan(x: number): number
    math.tointeger(x: any): any
    math.type(x: any): any
    math.ult(m: integer, n: integer): boolean
    os.clock(): number
    os.date(format?: string, time?: number): any
    os.difftime(later: number, earlier?: number): number
    os.time(date?: table): integer
    string.byte(s: string, i?: integer, j?: integer): any
    string.char(...): string
    string.find(s: string, pattern: string, init?: integer, plain?: any): any
    string.format(format: string, ...): string
    string.gmatch(s: string, pattern: string, init?: integer): any
    string.gsub(s: string, pattern: string, replacement: any, n?: integer): string
    string.len(s: string): integer
    string.lower(s: string): string
    string.match(s: string, pattern: string, init?: integer): any
    string.pack(format: string, ...): string
    string.packsize(format: string): integer
    string.rep(s: string, n: integer, separator?: string): string
    string.reverse(s: string): string
    string.sub(s: string, i: integer, j?: integer): string
    string.unpack(format: string, s: string, position?: integer): any
    string.upper(s: string): string
    table.concat(list: table, separator?: string, i?: integer, j?: integer): string
    table.insert(list: table, position: any, value?: any)
    table.move(source: table, from: integer, to: integer, at: integer, target?: table): any
    table.pack(...): table
    table.remove(list: table, position?: integer): any
    table.sort(list: table, less?: any)
    table.unpack(list: any, i?: integer, j?: integer): any
    utf8.char(...): string
    utf8.codepoint(s: string, i?: integer, j?: integer, lax?: any): any
    utf8.codes(s: string, lax?: any): any
    utf8.len(s: string, i?: integer, j?: integer, lax?: any): any
    utf8.offset(s: string, n: integer, i?: integer): any
    """

  static let functions: [HostAPI.Function] = signatures.split(separator: "\n").map { line in
    let path = String(line.prefix { $0 != "(" })
    guard case .function(let parameters, let returns) = LuaType("fun" + line.dropFirst(path.count)) else {
      return HostAPI.Function(path: path, summary: "", parameters: [], returns: nil)
    }
    return HostAPI.Function(
      path: path, summary: "", parameters: parameters, returns: returns, needsRun: path == "print")
  }

  static let fields: [(module: String, field: LuaField)] = [
    ("math", LuaField(name: "huge", type: .named("number"))),
    ("math", LuaField(name: "pi", type: .named("number"))),
    ("math", LuaField(name: "maxinteger", type: .named("integer"))),
    ("math", LuaField(name: "mininteger", type: .named("integer"))),
    ("utf8", LuaField(name: "charpattern", type: .named("string"))),
  ]

  /// Globals that are neither functions nor modules.
  package static let values: Set<String> = ["_G", "_VERSION", "_ENV"]
}

extension HostAPI {
  /// Lua's own library, as scripts have it.
  public static let standard: HostAPI = {
    var api = HostAPI()
    for function in StandardLibrary.functions { api.add(function) }
    for (module, field) in StandardLibrary.fields { api.add(field: field, of: module) }
    return api
  }()
}
