-- Attack: Runs itself in a __close handler after the end.
-- Expect: limit|timeout

return {
  limits = { seconds = 2 },
  run = function(ctx, input)
    local guard <close> = setmetatable({}, { __close = function() agents.run(ctx.run.agent, "again") end })
    while true do end
  end,
}
