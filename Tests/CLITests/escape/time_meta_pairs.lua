-- Attack: Loops in __pairs.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    for _ in pairs(setmetatable({}, { __pairs = function() while true do end end })) do end
  end, -- perigee: ignore P132 because it is the attack
}
