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
}
