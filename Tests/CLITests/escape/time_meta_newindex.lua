-- Attack: Loops in __newindex.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local t = setmetatable({}, { __newindex = function() while true do end end })
    t.x = 1
  end, -- perigee: ignore P132 because it is the attack
}
