-- Attack: Races sleepers against a loop.
-- Expect: limit processor time

return {
  limits = { seconds = 5 },
  run = function(ctx, input)
    parallel.race{ function() time.sleep(60) end, function() while true do end end }
  end, -- perigee: ignore P132 because it is the attack
}
