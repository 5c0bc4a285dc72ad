-- Attack: Hands an expression of fifty thousand brackets to the database.
-- Expect: internal

return {
  access = { db = "read" },
  run = function(ctx, input)
    db.query("select " .. ("("):rep(50000) .. "1" .. (")"):rep(50000) .. " as one")
  end, -- perigee: ignore P132 because it is the attack
}
