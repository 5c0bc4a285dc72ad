-- Attack: Runs an agent that it does not list; its user may talk to that one anyway.
-- Expect: reply good day

return {
  run = function(ctx, input)
    return agents.run("neighbour", "x").text
  end,
}
