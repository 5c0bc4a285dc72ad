-- Attack: Sorts a table that claims to have a thousand million elements.
-- Expect: internal

return {
  run = function(ctx, input)
    table.sort(setmetatable({}, { __len = function() return 1000000000 end }))
  end, -- perigee: ignore P132 because it is the attack
}
