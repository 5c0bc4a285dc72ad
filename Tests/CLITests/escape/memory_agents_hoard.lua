-- Attack: Runs itself sixty times at once, each of which hoards memory and waits.
-- Expect: limit|timeout

return {
  limits = { seconds = 2 },
  run = function(ctx, input)
    if input.message == "hoard" then
      local s = ("x"):rep(20 << 20)
      time.sleep(10)
      return tostring(#s)
    end
    local branches = {}
    for i = 1, 60 do
      branches[i] = function() return agents.run(ctx.run.agent, "hoard") end
    end
    while true do parallel.settle(branches) end
  end,
}
