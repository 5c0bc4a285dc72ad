-- Attack: Yields out of a branch as if the host had asked for it.
-- Expect: internal outside a coroutine

return {
  limits = { seconds = 5 },
  run = function(ctx, input)
    parallel{ function() coroutine.yield("db.query", { "select 1" }) end }
  end, -- perigee: ignore P132 because it is the attack
}
