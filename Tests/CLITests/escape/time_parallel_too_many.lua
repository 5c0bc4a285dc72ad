-- Attack: Starts a thousand branches.
-- Expect: internal

return {
  run = function(ctx, input)
    local branches = {}
    for i = 1, 1000 do branches[i] = function() time.sleep(60) end end
    parallel(branches)
  end, -- perigee: ignore P132 because it is the attack
}
