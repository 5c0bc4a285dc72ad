-- Attack: Runs itself again and again, so that each run spends a budget of its own.
-- Expect: limit|timeout

return {
  limits = { seconds = 2 },
  run = function(ctx, input)
    if input.message == "burn" then
      while true do end
    end
    while true do pcall(agents.run, ctx.run.agent, "burn") end
  end,
}
