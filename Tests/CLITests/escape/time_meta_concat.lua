-- Attack: Loops in __concat, which is off where this Lua has it broken.
-- Expect: limit|internal

return {
  run = function(ctx, input)
    local t = setmetatable({}, { __concat = function() while true do end end })
    return "x" .. t
  end,
}
