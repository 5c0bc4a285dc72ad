-- Attack: Hands a statement of eight megabytes to the database.
-- Expect: limit

return {
  access = { db = "read" },
  run = function(ctx, input)
    db.query("select 1 as one --" .. ("x"):rep(8 << 20))
  end, -- perigee: ignore P132 because it is the attack
}
