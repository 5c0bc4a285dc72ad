-- Attack: Writes the database with access to read only.
-- Expect: internal access

return {
  access = { db = "read" },
  run = function(ctx, input)
    db.exec("insert into ledger (text) values ('x')") -- perigee: ignore W213 because it is the attack
    return "wrote"
  end,
}
