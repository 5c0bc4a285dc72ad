-- Attack: Loops in __index.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local t = setmetatable({}, { __index = function() while true do end end })
    return t.x
  end,
}
