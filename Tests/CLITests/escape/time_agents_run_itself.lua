-- Attack: Runs itself without end.
-- Expect: limit deep

return {
  limits = { seconds = 5 },
  run = function(ctx, input)
    local name = ctx.run.agent
    return agents.run(name, "again").text
  end,
}
