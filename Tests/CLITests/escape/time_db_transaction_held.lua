-- Attack: Holds the writer's transaction and sleeps.
-- Expect: timeout

return {
  access = { db = "write" },
  limits = { seconds = 1 },
  run = function(ctx, input)
    db.transaction(function() time.sleep(3600) end)
  end, -- perigee: ignore P132 because it is the attack
}
