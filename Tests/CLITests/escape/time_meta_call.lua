-- Attack: Loops in __call.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    local t = setmetatable({}, { __call = function() while true do end end })
    t()
  end, -- perigee: ignore P132 because it is the attack
}
