// SPDX-License-Identifier: Apache-2.0

/// Lua files that are right, together using all of the language.
enum Samples {
  static let all = [language, tools, agent, workflow, modules, scopes]

  static let language = #"""
    #!/usr/bin/env lua
    -- every statement and every operator
    local a, b <const>, c <close> = 1, 0x1F, nil
    local t = { 1, 2; x = 3, ["y z"] = 4, [1 + 2] = 5, f = function(...) return ... end, }
    a, t.x, t[1] = a + b - 2 * 3 / 4 // 5 % 6 ^ 7 ^ 8, -a ^ 2, not a == b
    t.n = a .. b .. "c" .. 'd\z
        e' .. [[
    long]] .. [==[ ]] ]==]
    local bits = a & b | a ~ b << 1 >> 2 | ~a
    local order = a < b and a <= b or a > b and a >= b or a ~= b
    local numbers = { 3, 345, 0xff, 0xBEBADA, 3.0, 3.1416, 314.16e-2, 0.31416E1, 34e1, 0x0.1E, 0xA23p-4, 0X1.921FB54442D18P+1, .5, 5. }
    local strings = { "\a\b\f\n\r\t\v\\\"\'", '\x41\65\u{48}\u{7FFFFFFF}', "a\
    b" }
    do local inner = #t; ; end
    while a < 10 do a = a + 1 if a == 5 then break end end
    repeat local done = a > 20; a = a + 1 until done
    for i = 1, 10 do t[i] = i end
    for i = 10, 1, -1 do t[i] = nil end
    for k, v in pairs(t) do goto continue; print(k, v) ::continue:: end
    if a then b1 = 1 elseif b then b1 = 2 elseif c then b1 = 3 else b1 = 4 end
    function t.g(x, y, ...) local first = ... return first, select("#", ...) end
    function t.f.m:method(x) self.x = x return self:method(x) end
    local function recursive(n) if n > 0 then return recursive(n - 1) end return (n) end
    t.g(1)(2)["three"].four:five "six" { 7 } [[eight]]
    print"text" print{ 1 } print(("parenthesized"):rep(2))
    goto finish
    do ::inside:: goto inside end
    ::finish::
    return t, ...
    """#

  static let tools = #"""
    local M = {}
    local json = require "lib.json"

    ---@type table<string, perigee.Tool>
    M.schema = [[
      create table if not exists todos (id integer primary key, user_id text not null, title text, done integer);
    ]]

    M.list_todos = {
      description = "List the user's to-dos.",
      parameters = {
        completed = { type = "boolean", optional = true, description = "only done, or only open" },
        limit = { type = "integer", minimum = 1, maximum = 100, default = 10 },
      },
      access = { db = "read" },
      run = function(ctx, args)
        local rows = db.query("select * from todos where user_id = ? limit ?", ctx.user.id, args.limit)
        local out = {}
        for i, row in ipairs(rows) do
          if args.completed == nil or (row.done == 1) == args.completed then
            out[#out + 1] = { id = row.id, title = row.title, done = row.done == 1 }
          end
        end
        return out
      end,
    }

    function M.describe(todo)
      return ("%d: %s%s"):format(todo.id, todo.title, todo.done and " (done)" or "")
    end

    return M
    """#

  static let agent = #"""
    local function today() return os.date("!%Y-%m-%d") end

    return {
      description = "Keeps the user's to-do list.",
      model = { "gpt-4o-mini", "gpt-4o" },
      temperature = 0.7, max_tokens = 800,
      tools = { "list_todos", "add_todo" },
      prompt = function(ctx)
        return "You help " .. ctx.user.name .. ". Today is " .. today()
      end,
      before = function(ctx, message)
        if #message > 1000 then return reject("too long") end
        return (message:gsub("%s+", " "))
      end,
      stub = function(ctx, message)
        local ok, rows = pcall(tools.call, "list_todos", {})
        if not ok then return "I cannot reach your list." end
        return "You have " .. #rows .. " to-dos."
      end,
    }
    """#

  static let workflow = #"""
    return {
      description = "Publishes a listing.",
      steps = {
        title = { agent = "market.title" },
        price = { agent = "market.price", retry = { attempts = 3, backoff = "1s" } },
        review = { approval = "Publish this listing?", needs = { "title", "price" }, timeout = "48h" },
        publish = {
          tool = "publish_listing", needs = { "review" },
          when = function(ctx, results) return results.price.value > 0 end,
          input = function(ctx, results)
            return { title = results.title.text, price = results.price.value // 1 }
          end,
        },
      },
    }
    """#

  static let modules = #"""
    local money = {}
    money.__index = money

    local RATES <const> = { usd = 1, eur = 0.9 }

    function money.new(amount, currency)
      assert(type(amount) == "number", "amount must be a number")
      return setmetatable({ amount = amount, currency = currency or "usd" }, money)
    end

    function money:convert(to)
      local rate = RATES[to] or error("unknown currency " .. tostring(to), 2)
      return money.new(self.amount / RATES[self.currency] * rate, to)
    end

    function money.__add(left, right)
      while left.currency ~= right.currency do right = right:convert(left.currency) end
      return money.new(left.amount + right.amount, left.currency)
    end

    money.__tostring = function(self) return string.format("%.2f %s", self.amount, self.currency:upper()) end

    return money
    """#

  static let scopes = #"""
    local total <const> = 3
    local function counter()
      local count = 0
      return function(step, ...)
        count = count + (step or total)
        for i = 1, select("#", ...) do
          for j = 1, i do
            if j == 3 then goto next end
            if j == 4 then break end
          end
          do
            local shadow = count
            count = shadow + 1
          end
          ::next::
        end
        return count
      end
    end
    do
      goto last
      local unused
      ::last::
    end
    ::again::
    if counter()() < 0 then goto again end
    repeat
      local stop = true
      if stop then goto out end
    until stop
    ::out:: ;
    """#
}
