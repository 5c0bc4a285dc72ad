-- Attack: Removes before a hundred million elements that only __len knows.
-- Expect: limit

return {
  run = function(ctx, input)
    table.remove(setmetatable({}, { __len = function() return 100000000 end }), 1)
  end, -- perigee: ignore P132 because it is the attack
}
