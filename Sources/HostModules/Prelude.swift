// SPDX-License-Identifier: Apache-2.0

/// The host's own Lua: what of the modules is easier said there, and the entries by which the host calls scripts.
public enum Prelude {
  public static let name = "perigee"

  /// Gets `host`, which scripts never see; returns `globals` for them and `entries` for ``ScriptEntry``.
  public static let source = [modules, transactions, branches, guards, texts, entries, verdicts, ending]
    .joined(separator: "\n")

  private static let modules = #"""
    local host = ...
    local call = host.functions
    local globals, entries = {}, {}

    -- An error that is the script's own, should nothing catch it.
    local function fault(code, message)
      call["_fault"](code, message)
      host.error(code, message)
    end

    -- Modules ---------------------------------------------------------------

    function globals.require(name)
      if type(name) ~= "string" or not name:find("^lib%.[%w_]+[%w_.]*$") or name:find("..", 1, true) then
        fault("invalid_arguments", "require takes a module of this workspace, such as \"lib.money\"")
      end
      local file = name:gsub("%.", "/") .. ".lua"
      local required = host.run().required
      if required then required[file] = true end
      return host.load(file)
    end

    function globals.print(...)
      local words = table.pack(...)
      for i = 1, words.n do words[i] = tostring(words[i]) end
      call["log.info"](table.concat(words, "\t"))
    end

    function globals.reject(why)
      host.error("rejected", type(why) == "string" and why or "the message was rejected")
    end

    local function argument(name, expected, value)
      fault("invalid_arguments",
        ("bad argument #1 to '%s' (%s expected, got %s)"):format(name, expected, type(value)))
    end

    -- The clock of a run: what it said is kept with the run. While a script loads, there is none.
    local os_time, os_date = os.time, os.date

    local function now() return math.floor(call["time.now"]()) end

    globals.os = {
      time = function(parts)
        if parts ~= nil or host.loading() then return os_time(parts) end
        return now()
      end,
      date = function(format, moment)
        if moment == nil and not host.loading() then moment = now() end
        return os_date(format, moment)
      end,
    }
    """#

  private static let branches = #"""
    -- The branches in a fixed order: the list, then the names.
    local function branches(name, functions)
      if type(functions) ~= "table" then argument(name, "table", functions) end
      local keys, list, named = {}, {}, {}
      for i = 1, #functions do keys[i] = i end
      for key in pairs(functions) do
        if type(key) == "string" then named[#named + 1] = key
        elseif math.type(key) ~= "integer" or key < 1 or key > #functions then
          fault("invalid_arguments", "the branches of " .. name .. " stand in a list or under names")
        end
      end
      table.sort(named)
      for _, key in ipairs(named) do keys[#keys + 1] = key end
      for i, key in ipairs(keys) do
        if type(functions[key]) ~= "function" then
          fault("invalid_arguments",
            ("branch %s of %s is a %s, not a function"):format(key, name, type(functions[key])))
        end
        list[i] = adopting(functions[key])
      end
      return keys, list
    end

    local parallel = {}

    local function all(functions)
      local keys, list = branches("parallel", functions)
      local results = {}
      for i, result in ipairs(host.spawn(list, "all")) do results[keys[i]] = result.value end
      return results
    end

    function parallel.settle(functions)
      local keys, list = branches("parallel.settle", functions)
      local results = {}
      for i, result in ipairs(host.spawn(list, "settle")) do results[keys[i]] = result end
      return results
    end

    function parallel.race(functions)
      local keys, list = branches("parallel.race", functions)
      if #list == 0 then fault("invalid_arguments", "parallel.race needs at least one branch") end
      local results = host.spawn(list, "race")
      for i, result in ipairs(results) do
        if result.ok then return result.value, keys[i] end
      end
      error(results[1].error, 0)
    end

    function parallel.map(list, fn, opts)
      if type(list) ~= "table" then argument("parallel.map", "table", list) end
      if type(fn) ~= "function" then
        fault("invalid_arguments",
          ("bad argument #2 to 'parallel.map' (function expected, got %s)"):format(type(fn)))
      end
      local limit = opts and opts.limit or 8
      if math.type(limit) ~= "integer" or limit < 1 then
        fault("invalid_arguments", "the limit of parallel.map is a whole number of at least 1")
      end
      local functions = {}
      for i = 1, #list do functions[i] = adopting(function() return fn(list[i], i) end) end
      local results = json.array{}
      for i, result in ipairs(host.spawn(functions, "all", limit)) do results[i] = result.value end
      return results
    end

    globals.parallel = setmetatable(parallel, { __call = function(_, functions) return all(functions) end })

    -- The answer comes in one branch and goes to the script in the other: an error in either ends both.
    globals.llm = {
      stream = function(request)
        if type(request) ~= "table" then argument("llm.stream", "table", request) end
        local on_token, asked = request.on_token, {}
        if type(on_token) ~= "function" then
          fault("invalid_arguments",
            ("option 'on_token' of llm.stream: function expected, got %s"):format(type(on_token)))
        end
        for key, value in pairs(request) do
          if key ~= "on_token" then asked[key] = value end
        end
        local number = call["_llm.open"]()
        local results = host.spawn({
          function() return call["_llm.stream"](number, asked) end,
          adopting(function()
            local text = call["_llm.next"](number)
            while text do
              on_token(text)
              text = call["_llm.next"](number)
            end
          end),
        }, "all")
        return results[1].value
      end,
    }
    """#

  private static let texts = #"""
    globals.time = {
      format = function(moment, format)
        if format == nil then return call["_time.rfc3339"](moment) end
        return os.date("!" .. format, math.floor(moment))
      end,
    }

    globals.text = {
      template = function(template, values)
        if type(template) ~= "string" then argument("text.template", "string", template) end
        if type(values) ~= "table" then
          fault("invalid_arguments",
            ("bad argument #2 to 'text.template' (table expected, got %s)"):format(type(values)))
        end
        return (template:gsub("{(.-[{}])", function(body)
          if body == "{" then return "{" end
          local name = body:sub(1, -2)
          local value = values[name]
          if body:sub(-1) == "{" or value == nil then
            fault("invalid_arguments", ("text.template has no value for '{%s}'"):format(name))
          end
          return tostring(value)
        end))
      end,
    }
    """#

  private static let entries = #"""
    -- Entries ---------------------------------------------------------------

    -- Makes a table and all in it read-only.
    local function freeze(value)
      if type(value) ~= "table" then return value end
      for key, inner in pairs(value) do
        if type(inner) == "table" then value[key] = freeze(inner) end
      end
      return host.readonly(value)
    end

    local function messages(count) return call["_session.messages"](count) end

    -- What the host told of the run.
    local function told(name) return json.decode(host.run().told[name]) end

    local function session()
      local run = host.run()
      local session = { id = told("session"), state = told("state"), messages = messages }
      run.session, run.told.state = session, nil
      host.lend()
      return setmetatable({}, {
        __index = session,
        __newindex = function(_, key, value)
          if key == "state" and type(value) == "table" then session.state = value return end
          error("ctx.session." .. tostring(key) .. " is read-only; only state may be changed, to a table", 2)
        end,
        __target = session,
        __metatable = false,
      })
    end

    local makers = {
      user = function() return freeze(told("user")) end,
      session = session,
      run = function() return host.readonly(told("run")) end,
      input = function()
        local run, input = host.run(), told("input")
        local frozen = freeze(input)
        run.input, run.told.input = input, nil
        return frozen
      end,
      env = function() return host.readonly(told("env")) end,
    }

    -- A part of what every function of the run gets, made when one first looks at it: most look at few.
    local function part(name)
      local run = host.run()
      local parts = run.parts or {}
      run.parts = parts
      if parts[name] == nil and makers[name] then parts[name] = makers[name]() end
      return parts[name]
    end

    -- What is behind `ctx.input`, which whoever checks the message may change.
    local function given_input()
      part("input")
      return host.run().input
    end

    -- What a function gets: that of a tool the call too, of which it is told.
    local function context(told_call)
      local own, all
      local function index(_, name)
        if name ~= "call" or not told_call then return part(name) end
        own = own or host.readonly(json.decode(told_call))
        return own
      end
      local function complete()
        if all then return all end
        local parts = { call = index(nil, "call") }
        for name in pairs(makers) do parts[name] = part(name) end
        all = parts
        return all
      end
      return host.lazy(index, complete, function() return pairs(host.readonly(complete())) end)
    end

    -- What the run's own functions get, one for all of them.
    local function own_context()
      local run = host.run()
      run.ctx = run.ctx or context()
      return run.ctx
    end

    local function agent()
      local run = host.run()
      run.file = run.file or told("file")
      return host.load(run.file)
    end

    local function reply(value, name)
      if type(value) == "string" then return { text = value } end
      if type(value) == "table" and (value.text ~= nil or value.data ~= nil) then
        if value.text ~= nil and type(value.text) ~= "string" then
          host.error("internal", ("%s returned a text that is a %s"):format(name, type(value.text)))
        end
        return { text = value.text or "", data = value.data }
      end
      host.error("internal", ("%s must return a string or { text =, data = }, not %s"):format(
        name, type(value) == "table" and "another table" or type(value)))
    end

    -- What is kept has to be text.
    local function check_text(name, value)
      if not utf8.len(value) or value:find("\0", 1, true) then
        host.error("internal", name .. " must return text: valid UTF-8 without NUL")
      end
    end

    function entries.before(message)
      local changed = agent().before(own_context(), message)
      if changed == nil then return message end
      if type(changed) ~= "string" then
        host.error("internal", ("before must return the message, not a %s"):format(type(changed)))
      end
      check_text("before", changed)
      -- What the script is told of the message is what goes on.
      local input = given_input()
      if input.message == message then input.message = changed end
      return changed
    end

    function entries.prompt()
      local prompt = agent().prompt(own_context())
      if type(prompt) ~= "string" then
        host.error("internal", ("prompt must return a string, not %s"):format(type(prompt)))
      end
      return prompt
    end

    function entries.tools()
      local names = agent().tools(own_context())
      if type(names) ~= "table" then
        host.error("internal", ("tools must return a list of names, not %s"):format(type(names)))
      end
      for _, name in ipairs(names) do
        if type(name) ~= "string" then
          host.error("internal", ("tools returned a %s where a name should stand"):format(type(name)))
        end
      end
      return json.array(table.move(names, 1, #names, 1, {}))
    end

    function entries.compact(messages)
      local summary = agent().compact(own_context(), messages)
      if summary == nil then return nil end
      if type(summary) ~= "string" then
        host.error("internal", ("compact must return a string, not %s"):format(type(summary)))
      end
      check_text("compact", summary)
      return summary
    end

    function entries.call(file, name, arguments, told_call)
      return host.load(file)[name].run(context(told_call), arguments)
    end

    function entries.wants_approval(file, name, arguments, told_call)
      local wish = host.load(file)[name].approve(context(told_call), arguments)
      if wish == nil or wish == false or wish == true then return wish or false end
      if type(wish) == "string" then return { title = wish } end
      if type(wish) == "table" then return wish end
      host.error("internal", ("approve must return true, false, a title or { title = }, not a %s"):format(type(wish)))
    end

    function entries.check_call(file, name, arguments, told_call)
      local what, result = host.load(file)[name].unknown(context(told_call), arguments)
      if what == "done" then return { result = result } end
      if what == "retry" then return {} end
      host.error("internal", ('unknown must return "done" and the result, or "retry", not %s'):format(tostring(what)))
    end

    function entries.after(answer)
      local changed = agent().after(own_context(), answer)
      return reply(changed == nil and answer or changed, "after")
    end

    function entries.stub(message) return reply(agent().stub(own_context(), message), "stub") end

    function entries.run()
      return reply(agent().run(own_context(), own_context().input), "run")
    end

    -- What the functions of a step or a state must return; the rest is theirs to choose.
    local results = {
      when = function(value) return value and true or false end,
      for_each = function(value, place)
        if type(value) ~= "table" then
          host.error("internal", ("%s must return a list, not a %s"):format(place, type(value)))
        end
        return json.array(table.move(value, 1, #value, 1, {}))
      end,
      next = function(value, place)
        if value ~= nil and type(value) ~= "string" then
          host.error("internal", ("%s must return a state's name, not a %s"):format(place, type(value)))
        end
        return value
      end,
    }

    -- A function of a step or a state, by the keys that lead to it.
    function entries.step(path, name, arguments)
      local place = agent()
      for _, key in ipairs(path) do place = place[key] end
      local value = place[name](own_context(), table.unpack(arguments, 1, 3))
      local check = results[name]
      if check then return check(value, table.concat(path, ".") .. "." .. name) end
      return value
    end

    -- What the session's state has become, once a function has looked at it.
    function entries.state() return host.run().session.state end

    -- A definition as data: functions become marks.
    local function describe(value, depth)
      local kind = type(value)
      if kind == "function" then return { ["$"] = "function" } end
      if kind == "userdata" or kind == "thread" then
        return value == json.null and value or { ["$"] = kind }
      end
      if kind ~= "table" then return value end
      if depth > 40 then return { ["$"] = "deep" } end
      -- Raw: a definition's own metamethods may not run while the workspace loads.
      local count, size = 0, rawlen(value)
      for key in next, value do
        count = count + 1
        if type(key) ~= "string" and size == 0 then return { ["$"] = "mixed" } end
      end
      if size > 0 and count ~= size then return { ["$"] = "mixed" } end
      local copy = size > 0 and json.array{} or {}
      for key, inner in next, value do copy[key] = describe(inner, depth + 1) end
      return copy
    end

    -- What a file returns as data, and the modules that it was made with.
    function entries.describe(file)
      local required, names = {}, {}
      host.run().required = required
      local value = describe(host.load(file), 0)
      for name in next, required do names[#names + 1] = name end
      return { value = value, required = json.array(names) }
    end

    -- A function of an eval file, by the keys that lead to it; what it returns beside true or nothing is a complaint.
    function entries.check(file, path, answer)
      local place = host.load(file)
      for _, key in ipairs(path) do place = place[tonumber(key) or key] end
      local ok, why = place(answer)
      return { ok = ok ~= false, why = why ~= nil and tostring(why) or nil }
    end

    function entries.matches(value, pattern) return value:find(pattern) ~= nil end

    """#

  private static let ending = "return { globals = globals, entries = entries }"
}

/// The ways by which the host calls into scripts: names in the prelude's `entries`.
public enum ScriptEntry: String, Sendable {
  case guards, before, prompt, tools, compact, call, after, stub, run, step, state, describe, check,
    matches
  case checkCall = "check_call"
  case wantsApproval = "wants_approval"
}
