-- Attack: Counts to the greatest integer.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    for _ = math.mininteger, math.maxinteger do end
  end, -- perigee: ignore P132 because it is the attack
}
