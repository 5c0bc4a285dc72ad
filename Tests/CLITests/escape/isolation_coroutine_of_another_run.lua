-- Attack: Hands a coroutine to an agent's run in its input.
-- Expect: internal

return {
  run = function(ctx, input)
    agents.run("neighbour", { message = "x", co = coroutine.create(function() end) })
  end, -- perigee: ignore P132 because it is the attack
}
