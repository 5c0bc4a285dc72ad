// SPDX-License-Identifier: Apache-2.0

/// What a Lua programmer may look for and does not find here, with what to use instead.
enum MissingNames {
  /// By the longest path that is missing: `os.getenv`, or `io` for all of it.
  static let instead: [String: String] = [
    "io": "keep data in db or kv, and write to the log with log.info",
    "io.write": "write to the log with log.info", "io.read": "input comes in ctx.input",
    "io.open": "keep data in db or kv", "io.lines": "keep data in db or kv",
    "os.execute": "call a service with http, or write a tool for it",
    "os.exit": "return, or raise with error",
    "os.getenv": "the configuration lists variables in scripts.env: read ctx.env.NAME",
    "os.remove": "keep data in db or kv", "os.rename": "keep data in db or kv",
    "os.tmpname": "keep data in db or kv", "os.setlocale": "there is one locale, C",
    "debug": "write to the log with log.debug; a failed run's traceback is in its trace",
    "debug.traceback": "raise with error: the traceback is in the run's trace",
    "package": "require \"lib.name\" finds lib/name.lua, and nothing else is on the path",
    "dofile": "require \"lib.name\" loads lib/name.lua",
    "loadfile": "require \"lib.name\" loads lib/name.lua",
    "loadstring": "load(text) does it", "unpack": "table.unpack does it",
    "collectgarbage": "memory comes back by itself", "warn": "log.warn does it",
    "string.dump": "scripts are text only", "table.getn": "#list does it", "table.maxn": "#list does it",
    "table.foreach": "for key, value in pairs(table) do … end",
    "table.foreachi": "for i, value in ipairs(list) do … end",
    "math.pow": "x ^ y does it", "math.mod": "x % y does it", "math.atan2": "math.atan(y, x) does it",
    "math.cosh": "(math.exp(x) + math.exp(-x)) / 2", "math.sinh": "(math.exp(x) - math.exp(-x)) / 2",
    "math.tanh": "1 - 2 / (math.exp(2 * x) + 1)", "math.frexp": "string.format(\"%a\", x) shows it",
    "math.ldexp": "x * 2 ^ n does it", "math.log10": "math.log(x, 10) does it",
    "string.gfind": "string.gmatch does it", "setfenv": "load(text, name, \"t\", env) takes an environment",
    "getfenv": "_ENV is the environment", "module": "return a table from the file",
    "bit32": "operators do it: & | ~ << >>", "jit": "there is none", "ffi": "there is none",
    "newproxy": "there is none",
  ]

  /// What some builds of Lua 5.4 keep for the sake of older scripts.
  ///
  /// Source: LUA_COMPAT_MATHLIB, luaconf.h of Lua 5.4.
  static let kept: Set<String> = [
    "math.cosh", "math.sinh", "math.tanh", "math.pow", "math.frexp", "math.ldexp", "math.log10", "math.atan2",
  ]

  /// Functions of the contract that the host does not have yet.
  static let planned: Set<String> = [
    "memory.add", "memory.search",
  ]

  static let plannedModules = Set(planned.map { String($0.prefix { $0 != "." }) }).subtracting(["llm"])
}
