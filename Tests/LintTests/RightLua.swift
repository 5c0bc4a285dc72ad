// SPDX-License-Identifier: Apache-2.0

/// Modules that are right, each with something that a careless check would stumble over.
enum RightLua {
  static let all = [
    // Recursion, mutual recursion, and a name that is declared before its function.
    """
    local isOdd
    local function isEven(n) if n == 0 then return true end return isOdd(n - 1) end
    function isOdd(n) if n == 0 then return false end return isEven(n - 1) end
    return { isOdd = isOdd, isEven = isEven }
    """,
    // A class with metamethods, and self that a method does not use.
    """
    local Stack = {}
    Stack.__index = Stack
    function Stack.new() return setmetatable({ items = {} }, Stack) end
    function Stack:push(item) self.items[#self.items + 1] = item return self end
    function Stack:pop() return table.remove(self.items) end
    function Stack:kind() return "stack" end
    Stack.__eq = function(left, right) return left.items == right.items end
    Stack.__len = function(self) return #self.items end
    return Stack
    """,
    // Optional parameters in every fashion.
    """
    local function greet(name, greeting, ...)
      greeting = greeting or "Hello"
      local n = select("#", ...)
      return greeting .. ", " .. (name or "you") .. ("!"):rep(n == 0 and 1 or n)
    end
    return { greet(), greet("Ada"), greet("Ada", "Hi", 1, 2) }
    """,
    // Continue, nested breaks and a loop without an end that is left from within.
    """
    return function(list)
      local kept = {}
      for i, item in ipairs(list) do
        if item == false then goto continue end
        for _, word in ipairs(kept) do
          if word == item then break end
        end
        kept[#kept + 1] = { i, item }
        ::continue::
      end
      while true do
        local last = table.remove(kept)
        if not last then return nil end
        if last[2] then return last end
      end
    end
    """,
    // Counting loops, keys alone, and values that are thrown away.
    """
    return function(list)
      local n = 0
      for _ in pairs(list) do n = n + 1 end
      for _ = 1, 3 do n = n + 1 end
      for i = 1, 3 do n = n + i end
      for key in pairs(list) do list[key] = nil end
      local _, last = list[1], list[2]
      return n, last
    end
    """,
    // A variable that is only captured, one that is assigned in a closure, and one that is closed.
    """
    return function(resource)
      local count, open = 0, true
      local function step() count = count + 1 return count end
      local guard <close> = setmetatable({}, { __close = function() open = false end })
      return step, function() return open, resource end
    end
    """,
    // Results of pcall in the usual way, twice in one function.
    """
    return function(a, b)
      local ok, result = pcall(a)
      if not ok then return nil, result end
      local ok2, other = pcall(b, result)
      if not ok2 then return nil, other end
      return result, other
    end
    """,
    // Formats: counts that are not known, escapes, widths.
    """
    return function(row, ...)
      local text = string.format("%-10s %5.1f%% %s", row.name, row.share * 100, row.note)
      return text .. ("%s %s"):format(...) .. ("%%"):format() .. ("%c%c"):format(72, 105)
    end
    """,
    // Comparisons that look odd and are meant.
    """
    return function(x, y, list)
      if x ~= x then return "nan" end
      if (not x) == y or not x == not y then return "same" end
      if type(x) == type(y) and #list == 0 then return type(x) == "table" and "tables" or "others" end
      if next(list) == nil and rawequal(x, y) and math.type(x) == "float" then return "empty" end
      return tostring(x) == "5" or tonumber(y) == 5
    end
    """,
    // Long strings, numbers and strings of every form.
    #"""
    local sql = [==[ select ']]' -- perigee: ignore P111 because this is a text
    ]==]
    return { sql, 0x.8p1, 1e-3, "\u{1F600}\z
      x", 'a\
    b', [[
    -- perigee: ignore nothing]], 3 // 2, 7 & 3 | 1 ~ 2 << 1 }
    """#,
    // Modules that are local under their own names, and fields that are called like the host's.
    """
    local json, text = json, text
    local tools = { call = function(name) return json.encode({ name }) end }
    return { http = { get = tools.call }, text = text.truncate, log = { anything = tools.call("x") } }
    """,
    // Errors that are tables, functions that always raise, and code behind them in other branches.
    """
    local function fail(message) error({ code = "not_found", message = message }) end
    return function(list, id)
      local item = list[id] or fail("no " .. id)
      if not item.id then
        fail("no id")
      else
        return item
      end
    end
    """,
    // Environments.
    """
    local chunk = load("return x + 1", "chunk", "t", { x = 1 })
    return function(env)
      local run = assert(load("y = 2 return y", "other", "t", env))
      return chunk and chunk(), run()
    end
    """,
    // Calls with tables and strings, chains, and results that are called.
    """
    local function make(options) return function(name) return { options = options, name = name } end end
    local built = make { debug = true } "thing"
    return { built.name:upper():lower():sub(1, 3), make({})("x").name, (make {} "y").options }
    """,
    // Iterators, varargs kept in tables, and multiple assignment.
    """
    local function each(list)
      local i = 0
      return function() i = i + 1 return list[i] end
    end
    return function(...)
      local all = table.pack(...)
      local first, second = ...
      first, second = second, first
      for item in each(all) do if item == first then return item, all.n, second end end
      return (select("#", ...))
    end
    """,
    // A table that is filled in place, numeric and named.
    """
    local M = { [1] = "one", two = 2, ["three four"] = 34; "again" }
    M.list = {}
    M.list[#M.list + 1] = M.two
    function M.add(n) M.list[#M.list + 1] = n end
    return M
    """,
    // Coroutines, sorting, and library functions with few arguments.
    """
    return function(list)
      local co = coroutine.wrap(function() for _, v in ipairs(list) do coroutine.yield(v) end end)
      table.sort(list)
      table.sort(list, function(a, b) return a > b end)
      table.insert(list, 1, co())
      table.insert(list, co())
      return table.concat(list, ", "), table.unpack(list, 2), os.time(), os.date(), math.random()
    end
    """,
  ]
}
