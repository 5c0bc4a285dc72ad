-- Attack: Runs itself in a hundred branches, each of which does the same.
-- Expect: limit|timeout

return {
  limits = { seconds = 1 },
  run = function(ctx, input)
    local branches = {}
    for i = 1, 100 do
      branches[i] = function() return agents.run(ctx.run.agent, "again") end
    end
    parallel(branches)
  end, -- perigee: ignore P132 because it is the attack
}
