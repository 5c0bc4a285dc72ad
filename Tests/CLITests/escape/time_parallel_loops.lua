-- Attack: Loops in two branches at once.
-- Expect: limit processor time

return {
  run = function(ctx, input)
    parallel{ function() while true do end end, function() while true do end end }
  end, -- perigee: ignore P132 because it is the attack
}
