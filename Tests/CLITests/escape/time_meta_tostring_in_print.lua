-- Attack: Loops in __tostring, called by print.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    print(setmetatable({}, { __tostring = function() while true do end end }))
  end, -- perigee: ignore P132 because it is the attack
}
