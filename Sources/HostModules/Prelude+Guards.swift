// SPDX-License-Identifier: Apache-2.0

extension Prelude {
  /// `guard`: checks on what parallel branches did.
  static let guards = #"""
    -- Lists come before names, so that the same results give the same words.
    local function before(a, b)
      if type(a) == type(b) then return a < b end
      return type(a) == "number"
    end

    -- What a branch says: in its result, or in the `data` of an agent's answer.
    local function named(result, field)
      if type(result) ~= "table" then return nil end
      local value = result[field]
      if value == nil and type(result.data) == "table" then value = result.data[field] end
      return value
    end

    globals.guard = {
      same = function(field, results)
        if type(results) ~= "table" then
          fault("invalid_arguments",
            ("bad argument #2 to 'guard.same' (table expected, got %s)"):format(type(results)))
        end
        local keys, values, first, why = {}, {}, nil, nil
        for key in pairs(results) do
          if type(key) == "number" or type(key) == "string" then keys[#keys + 1] = key end
        end
        table.sort(keys, before)
        for _, key in ipairs(keys) do
          local value = named(results[key], field)
          values[tostring(key)] = value ~= nil and tostring(value) or nil
          if value == nil then
            why = why or ("branch %s names no '%s'"):format(tostring(key), tostring(field))
          elseif first == nil then
            first = key
          elseif value ~= named(results[first], field) then
            why = why or ("the branches disagree on '%s': %s says %s, %s says %s"):format(
              tostring(field), tostring(first), values[tostring(first)], tostring(key), tostring(value))
          end
        end
        if why then
          call["_guard.conflict"](tostring(field), values, why)
          host.error("conflict", why .. "; start again", true, { field = tostring(field), values = values })
        end
        if first ~= nil then return named(results[first], field) end
      end,
    }
    """#

  /// What an agent's own guards make of texts.
  static let verdicts = #"""
    -- The functions among the rules of a stage, in their order, and the names that their decisions have.
    local function guards_of(stage)
      local list, guards = agent().guardrails[stage == "tool" and "tools" or stage], {}
      if stage == "tool" and list.check then list = list.check end
      for _, entry in ipairs(list) do
        if type(entry) == "table" then guards[#guards + 1] = entry
        elseif type(entry) == "function" then
          guards[#guards + 1] = { name = "lua:" .. host.where(entry), run = entry }
        end
      end
      return guards
    end

    -- Lets the guards of a stage look at each text and each name in a value, but for the names that the host gave.
    function entries.guards(stage, value)
      local guards, changed, verdict = guards_of(stage), {}, { rules = json.array{} }
      local ctx, asked = own_context(), value

      local function pass(text)
        for _, guard in ipairs(guards) do
          if verdict.refusal then return text end
          local result, why = guard.run(ctx, text)
          if result == false then
            verdict.rules = json.array{ guard.name }
            verdict.refusal = type(why) == "string" and why or ""
          elseif type(result) == "string" then
            if not utf8.len(result) or result:find("\0", 1, true) then
              host.error("internal", "the guard " .. guard.name .. " must return text: valid UTF-8 without NUL")
            end
            if result ~= text and not changed[guard.name] then
              changed[guard.name] = true
              verdict.rules[#verdict.rules + 1] = guard.name
            end
            text = result
          elseif result ~= nil and result ~= true then
            host.error("internal", ("the guard %s must return nothing, a text or false, not a %s"):format(
              guard.name, type(result)))
          end
        end
        return text
      end

      -- Two names that became one stay two.
      local function rename(inner, names)
        local left = {}
        for key, name in pairs(names) do
          left[#left + 1] = { name = name, value = inner[key], key = key }
          inner[key] = nil
        end
        table.sort(left, function(a, b) return before(a.key, b.key) end)
        for _, member in ipairs(left) do
          local name, count = member.name, 1
          while inner[name] ~= nil do
            count = count + 1
            name = member.name .. " " .. count
          end
          inner[name] = member.value
        end
      end

      local function walk(inner, has_own_names)
        if type(inner) == "string" then return pass(inner) end
        if type(inner) ~= "table" then return inner end
        local keys, names = {}, {}
        for key in pairs(inner) do keys[#keys + 1] = key end
        table.sort(keys, before)
        for _, key in ipairs(keys) do
          inner[key] = walk(inner[key], true)
          local name = has_own_names and type(key) == "string" and pass(key) or key
          if name ~= key then names[key] = name end
        end
        if next(names) then rename(inner, names) end
        return inner
      end

      value = walk(value, stage == "tool")
      if verdict.refusal == nil and #verdict.rules > 0 then verdict.value = value end
      -- What the script is told of the message is what goes on.
      if stage == "input" and given_input().message == asked then given_input().message = value end
      return verdict
    end
    """#
}
