-- Attack: Loops in __eq.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local t = setmetatable({}, { __eq = function() while true do end end })
    return t == setmetatable({}, getmetatable(t))
  end,
}
