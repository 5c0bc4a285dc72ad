-- Attack: Runs itself sixty times at once, each with a budget of its own.
-- Expect: limit|timeout

return {
  limits = { seconds = 2 },
  run = function(ctx, input)
    if input.message == "burn" then
      while true do end
    end
    local branches = {}
    for i = 1, 60 do
      branches[i] = function() return agents.run(ctx.run.agent, "burn") end
    end
    while true do parallel.settle(branches) end
  end,
}
