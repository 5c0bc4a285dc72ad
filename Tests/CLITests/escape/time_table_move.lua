-- Attack: Moves five hundred million elements that are not there.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    table.move({}, 1, 500000000, 1, {})
  end, -- perigee: ignore P132 because it is the attack
}
