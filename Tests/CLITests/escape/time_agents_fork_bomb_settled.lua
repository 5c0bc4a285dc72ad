-- Attack: Runs itself in sixty branches, each of which does the same, and catches every refusal.
-- Expect: limit|timeout

return {
  limits = { seconds = 1 },
  run = function(ctx, input)
    local branches = {}
    for i = 1, 60 do
      branches[i] = function() return agents.run(ctx.run.agent, "again") end
    end
    while true do parallel.settle(branches) end
  end,
}
