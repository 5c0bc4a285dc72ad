-- Attack: Nests metamethods in C calls without end.
-- Expect: internal overflow

return {
  run = function(ctx, input)
    local t = setmetatable({}, { __tostring = function(t) return tostring(t) end })
    return tostring(t)
  end,
}
