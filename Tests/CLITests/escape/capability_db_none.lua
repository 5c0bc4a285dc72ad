-- Attack: Reads the database without access to it.
-- Expect: internal access

return {
  run = function(ctx, input)
    return #db.query("select 1 as one") -- perigee: ignore W213 because it is the attack
  end,
}
